"""Each of several processes decodes a part of the pictures, and all of them learn what they would have learned."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

from depthwise.cloud import augment
from depthwise.cloud.recipe import Recipe
from depthwise.data.folder import Dataset, read_folder
from depthwise.data.sharding import Sharding, shard
from depthwise.errors import Refused
from depthwise.network.model import WEIGHTS
from depthwise.progress import Silent
from tools.trainings import together

ImageFolder = Callable[..., Path]
RECIPE: dict[str, Any] = {"epochs": 2, "batch": 8, "rate": 0.01, "average": 0.0, "precision": "float32"}


def run(data: Path, out: Path, recipe: dict[str, Any], **settings: Any) -> list[CompletedProcess[str]]:
    """How each of two processes ends."""
    asked = {"data": str(data), "out": str(out), "recipe": {**RECIPE, **recipe}, "all": False, "dies": None}
    asked |= {"loses": False, **settings}
    return together(2, json.dumps(asked), path=Path(__file__).with_name("counting.py"))


def trained(
    data: Path, out: Path, *, everything: bool = False, dies: int | None = None, **recipe: Any
) -> list[tuple[list[str], list[str]]]:
    """What each of two processes decoded, and what it looked at; nothing where they die."""
    ends = run(data, out, recipe, all=everything, dies=dies)
    wanted = 0 if dies is None else -signal.SIGKILL
    assert [end.returncode for end in ends] == [wanted] * 2, "".join(end.stderr for end in ends)
    return [json.loads(end.stdout) for end in ends if dies is None]


def names(data: Path, dataset: Dataset, split: str) -> list[str]:
    return [item.path.relative_to(data).as_posix() for item in dataset.splits[split]]


def of_steps(rank: int, train: list[str], recipe: Recipe) -> set[str]:
    """The pictures of a process's rows of every step, and those that are mixed into them: the formula of loader.py."""
    found: set[str] = set()
    for epoch in range(recipe.epochs):
        order = augment.order(recipe.seed, epoch, len(train))
        for step in range(len(train) // recipe.batch):
            rows = order[step * recipe.batch : (step + 1) * recipe.batch]
            found |= {train[row] for row in rows[rank::2]}
            changes = augment.draw(recipe, epoch, step, recipe.batch, 32)
            if changes.share < 1:
                found |= {train[rows[partner]] for partner in changes.partner[rank::2]}
    return found


@pytest.mark.parametrize(("kind", "mixed"), [("folder", 0.0), ("shards", 0.3)])
def test_each_process_decodes_its_share_once_and_then_those_of_its_steps_to_the_same_weights(
    tmp_path: Path, image_folder: ImageFolder, kind: str, mixed: float
) -> None:
    data = image_folder(images=28)
    broken = data / "cat" / "cut.png"
    broken.write_bytes((data / "cat" / "000.png").read_bytes()[:90])
    if kind == "shards":
        shard(Sharding(data=data, out=tmp_path / "shards", size=20_000), Silent())
        data = tmp_path / "shards"
    dataset = read_folder(data)
    first = names(data, dataset, "training")
    usable = [name for name in first if name != "cat/cut.png"]
    assert "cat/cut.png" in first, "the seed no longer draws it for training"
    every = set(first) | set(names(data, dataset, "validation"))

    found = trained(data, tmp_path / "parts", cutmix=mixed)
    whole = trained(data, tmp_path / "whole", cutmix=mixed, everything=True)

    recipe = Recipe(**RECIPE, cutmix=mixed)
    for rank, (decoded, looked) in enumerate(found):
        assert len(decoded) == len(set(decoded)), "a picture was decoded twice"
        shares = set(first[rank::2]) | set(names(data, dataset, "validation")[rank::2])
        # Measuring shares out those that can be used, of which none here is at another place than among all.
        assert set(decoded) == shares | of_steps(rank, usable, recipe)
        assert set(looked) < every
    assert set(found[0][1]) & set(found[1][1]) == set()
    assert set(found[0][1]) | set(found[1][1]) == every
    assert all(set(decoded) == set(looked) == every for decoded, looked in whole)
    parts, alone = ((tmp_path / name / WEIGHTS).read_bytes() for name in ("parts", "whole"))
    assert parts == alone


def test_two_processes_on_shards_killed_in_the_middle_of_an_epoch_end_in_the_weights_of_an_undisturbed_run(
    tmp_path: Path, image_folder: ImageFolder
) -> None:
    shards = tmp_path / "shards"
    shard(Sharding(data=image_folder(images=28), out=shards, size=20_000), Silent())

    trained(shards, tmp_path / "broken", dies=3)
    log = (tmp_path / "broken.run" / "log.jsonl").read_text()
    # Once more in the second epoch, whose images the first has in part decoded, and a new process has not.
    trained(shards, tmp_path / "broken", dies=5)
    trained(shards, tmp_path / "broken")
    trained(shards, tmp_path / "whole")

    assert '"event": "epoch"' not in log, "the first epoch was over before the kill"
    found = [json.loads(line) for line in (tmp_path / "broken.run" / "log.jsonl").read_text().splitlines()]
    begun = [(line["event"], line["epoch"], line["step"]) for line in found if line["event"] in ("start", "resume")]
    assert begun == [("start", 1, 0), ("resume", 1, 2), ("resume", 2, 1)]
    broken, whole = ((tmp_path / name / WEIGHTS).read_bytes() for name in ("broken", "whole"))
    assert broken == whole


def test_a_picture_that_one_process_alone_can_no_longer_have_ends_all_of_them_and_is_named(
    tmp_path: Path, image_folder: ImageFolder
) -> None:
    first, second = run(image_folder(images=28), tmp_path / "model", {}, loses=True)

    assert first.returncode != 0
    assert second.returncode != 0
    assert "Lost: " in second.stderr
    assert ".png: is gone; another process could read it" in second.stderr


def test_machines_with_other_files_are_refused_together(tmp_path: Path, image_folder: ImageFolder) -> None:
    data = image_folder()

    class Other:
        """A process whose neighbour lists other files."""

        rank, size = 0, 2

        def together(self, work: Callable[[], Any]) -> Any:
            return work()

        def gather(self, value: Any) -> list[Any]:
            return [value, "other"]

    with pytest.raises(Refused, match=r"does not hold the same images on all machines; copy it again$"):
        read_folder(data, crew=Other())


def test_a_copy_that_is_another_picture_is_refused_where_it_is_asked_for(
    tmp_path: Path, image_folder: ImageFolder
) -> None:
    from depthwise.data.store import training_store

    items = read_folder(image_folder(images=6)).train

    class First:
        """The first of two, of which the second found all pictures to be of 9 x 9 pixels."""

        rank, size = 0, 2

        def together(self, work: Callable[[], Any]) -> Any:
            return work()

        def gather(self, value: Any) -> list[Any]:
            return [value, [(9, 9, 3)] * (len(items) // 2)]

    store = training_store(items, channels=3, side=32, tick=lambda: None, crew=First())

    alone = training_store(items, channels=3, side=32, tick=lambda: None)
    assert np.array_equal(store[0], alone[0])
    with pytest.raises(Refused, match=r"is not the same image on all machines; copy it again$"):
        store[1]


def test_what_the_disk_has_no_room_for_is_decoded_anew(tmp_path: Path, image_folder: ImageFolder) -> None:
    from depthwise.data.store import training_store

    items = read_folder(image_folder(images=6)).train
    alone = training_store(items, channels=3, side=32, tick=lambda: None)

    class First:
        """The first of two, of which the second tells what is so."""

        rank, size = 0, 2

        def together(self, work: Callable[[], Any]) -> Any:
            return work()

        def gather(self, value: Any) -> list[Any]:
            return [value, [alone.shape(place) for place in range(1, len(items), 2)]]

    class Full:
        """A file on a disk that is full."""

        def seek(self, place: int) -> None:
            pass

        def write(self, content: object) -> int:
            raise OSError(28, "No space left on device")

    store = training_store(items, channels=3, side=32, tick=lambda: None, crew=First())
    kept, store._file = store._file, Full()  # type: ignore[assignment]
    assert all(np.array_equal(store[1], alone[1]) for _ in range(2))
    assert not store._there[1]
    with pytest.raises(Refused, match="has no room for the pixels of all images"):
        _ = store.packed

    store._file = kept
    assert all(np.array_equal(store[place], alone[place]) for place in range(len(items)))
    assert store._there.all()
    # And again, from the file.
    assert all(np.array_equal(store[place], alone[place]) for place in range(len(items)))
    wanted = sorted(map(bytes, (alone[place].tobytes() for place in range(len(items)))))
    found = [store.packed[start : start + alone[place].nbytes].tobytes() for place, start in enumerate(store.starts)]
    assert sorted(found) == wanted
