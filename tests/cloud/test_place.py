"""Where a run may write, and what is refused before it starts."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from depthwise.cloud import checkpoint
from depthwise.cloud.place import prepare_place, space_needed
from depthwise.cloud.request import Request
from depthwise.cloud.runlog import LONGEST, RunLog
from depthwise.cloud.session import train
from depthwise.errors import Refused
from depthwise.network.model import Model
from depthwise.network.spec import Spec

Ask = Callable[..., Request]
SPEC = Spec(width=0.25, resolution=32, classes=3)


def prepare(out: Path, *, replaces: bool = False) -> None:
    with prepared(out, replaces=replaces):
        pass


@contextlib.contextmanager
def prepared(out: Path, *, replaces: bool = False) -> Iterator[None]:
    with contextlib.ExitStack() as held:
        prepare_place(out, out.parent / f"{out.name}.run", out.parent / "images", SPEC, held, replaces=replaces)
        yield


def test_the_folder_of_the_run_lies_beside_the_model_and_is_gone_where_nothing_came_into_it(tmp_path: Path) -> None:
    with prepared(tmp_path / "deep" / "model"):
        assert [path.name for path in (tmp_path / "deep").iterdir()] == ["model.run"]
        assert not list((tmp_path / "deep" / "model.run").iterdir())
    assert not list((tmp_path / "deep").iterdir())
    with prepared(tmp_path / "deep" / "model"):
        (tmp_path / "deep" / "model.run" / "log.jsonl").write_text("")
    assert (tmp_path / "deep" / "model.run" / "log.jsonl").exists()


def test_two_trainings_do_not_share_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "model"
    with prepared(out):
        with pytest.raises(Refused, match=r"model\.run: another process is writing it; wait for its end or choose"):
            prepare(out)
        assert (tmp_path / "model.run").is_dir()
    prepare(out)


def test_a_model_folder_may_be_replaced_and_anything_else_may_not(
    tmp_path: Path, small_model: Callable[..., Model]
) -> None:
    small_model().save(tmp_path / "model")
    with pytest.raises(Refused, match=r"model: a model lies there; give --force to replace it"):
        prepare(tmp_path / "model")
    small_model().replace(accuracy={"test": {"top1": 0.3333}}).save(tmp_path / "model")
    with pytest.raises(Refused, match=r"model: a model \(top-1 33.33%\) lies there; give --force to replace it"):
        prepare(tmp_path / "model")
    prepare(tmp_path / "model", replaces=True)

    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("x")
    for name in ("thesis", "file"):
        with pytest.raises(Refused, match=f"{name}: exists and is not a model folder; choose another name"):
            prepare(tmp_path / name)
    with pytest.raises(Refused, match="is the folder that you are in"):
        prepare_place(Path(), Path(".run"), tmp_path / "images", SPEC, contextlib.ExitStack())


@pytest.mark.parametrize("place", ["/proc/nothing/model", "{}/file/model"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(Refused, match=r"model: cannot be written \(.+\); choose another place"):
        prepare(Path(place.format(tmp_path)))


def test_a_folder_without_the_right_to_write_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the superuser has every right, the system's answer is played here."""

    def no(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", no)
    with pytest.raises(Refused, match=r"cannot be written \(Permission denied\)"):
        prepare(tmp_path / "model")


def test_a_place_within_the_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="lies within the images, where it would be taken for a class"):
        prepare_place(
            tmp_path / "images" / "model", tmp_path / "m.run", tmp_path / "images", SPEC, contextlib.ExitStack()
        )


def test_a_disk_that_is_too_full_for_checkpoints_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, space_needed(SPEC) - 1))
    with pytest.raises(Refused, match=r"training needs some .* MB there and .* MB are free; free some space"):
        prepare(tmp_path / "model")

    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, space_needed(SPEC)))
    prepare(tmp_path / "model")


def test_the_space_asked_for_is_enough_for_what_a_run_writes(
    ask: Ask, image_folder: Callable[..., Path], heard: object, drawn: None
) -> None:
    request = ask(image_folder(images=6), average=0.9)
    train(request, heard)  # type: ignore[arg-type]

    run = sum(path.stat().st_size for path in request.run_folder.iterdir())
    state = (request.run_folder / checkpoint.NAME).stat().st_size
    model = sum(path.stat().st_size for path in request.out.iterdir())
    assert run + state + 2 * model < space_needed(request.spec)


def test_refusals_leave_nothing_behind(ask: Ask, image_folder: Callable[..., Path], heard: object) -> None:
    request = ask(image_folder(classes=("cat",)))

    with pytest.raises(Refused, match="has a single class, 'cat'"):
        train(request, heard)  # type: ignore[arg-type]

    assert not request.run_folder.exists()


def test_a_run_that_is_there_is_not_written_over(ask: Ask, image_folder: Callable[..., Path], heard: object) -> None:
    request = ask(image_folder(images=6))
    train(request, heard)  # type: ignore[arg-type]

    with pytest.raises(Refused, match=r"model\.run: holds a run already; go on with it by --resume, or remove"):
        train(request, heard)  # type: ignore[arg-type]


def test_a_log_is_read_up_to_its_limit_and_only_where_it_is_a_file(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    assert log.epochs() == []
    log.write("epoch", epoch=1, loss=0.5)
    assert [entry["loss"] for entry in log.epochs()] == [0.5]
    with log.path.open("r+b") as file:
        file.truncate(LONGEST + 1)
    with pytest.raises(Refused, match=r"log\.jsonl: cannot be read \(it has 67,108,865 bytes"):
        log.epochs()
    log.path.unlink()
    os.mkfifo(log.path)
    with pytest.raises(Refused, match="it is not a plain file"):
        log.epochs()
