"""A sweep goes on where it was stopped, starts each width from the resolution before, and marks what nothing beats."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from depthwise.beside import lock
from depthwise.errors import Refused
from depthwise.jobs.sweep.grid import Point, front, grid
from depthwise.jobs.sweep.store import OptunaStore
from depthwise.jobs.sweep.sweep import Asked, sweep
from depthwise.jobs.sweep.tables import table
from depthwise.progress import Silent


def test_each_width_starts_from_its_lower_resolution() -> None:
    found = [(point.name, point.start) for point in grid((1, 0.25), (128, 96, 96))]
    assert found == [("0.25-96", ""), ("0.25-128", "0.25-96"), ("1-96", ""), ("1-128", "1-96")]


def test_what_is_on_the_front_is_what_no_other_beats() -> None:
    def row(top1: float, macs: int) -> dict[str, float]:
        return {"int8_top1": top1, "macs": macs}

    rows = [row(0.5, 10), row(0.6, 20), row(0.55, 20), row(0.6, 30), row(0.7, 30), row(0.5, 10)]
    assert front(rows, "macs") == [True, True, False, False, True, True]


class Worker:
    """Stands for hours of training: notes what it was asked, and stops where it is told to."""

    def __init__(self, stop: str = "") -> None:
        self.stop = stop
        self.seen: list[tuple[str, str]] = []

    def __call__(self, point: Point, start: Path | None, out: Path) -> Mapping[str, Any]:
        if point.name == self.stop:
            raise KeyboardInterrupt
        self.seen.append((point.name, "" if start is None else start.name))
        (out / point.name).mkdir()
        (out / point.name / "model.json").write_text("{}")
        macs = int(1e6 * point.width * point.resolution)
        figures = {"macs": macs, "milliseconds": macs / 1e6, "bytes": 1000, "arena_bytes": 10}
        return {"float_top1": 0.6, "int8_top1": 0.5 + point.width * point.resolution / 1000, **figures}


def asked(out: Path, **settings: Any) -> Asked:
    return Asked(data="photos", out=out, widths=(0.25, 0.5), resolutions=(32, 64), settings=settings)


def test_a_sweep_that_was_stopped_does_only_what_is_left(tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    with pytest.raises(KeyboardInterrupt):
        sweep(asked(out), Worker(stop="0.5-32"), None, Silent())
    assert not (out / "sweep.json").exists()

    rest = Worker()
    found = sweep(asked(out), rest, None, Silent())

    assert rest.seen == [("0.5-32", ""), ("0.5-64", "0.5-32")]
    assert found == json.loads((out / "sweep.json").read_text())
    assert [(row["width"], row["resolution"]) for row in found["points"]] == [
        (0.25, 32),
        (0.25, 64),
        (0.5, 32),
        (0.5, 64),
    ]
    # 0.5 at 32 pixels and 0.25 at 64 are equal, so neither beats the other.
    assert [row["front"][:1] for row in found["points"]] == [["macs"]] * 4
    assert [row[4].endswith("*") for row in table(found).rows] == [True] * 4
    with pytest.raises(Refused, match="holds a sweep with other settings"):
        sweep(asked(out, epochs=3), rest, None, Silent())


def test_a_point_that_another_process_is_at_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "sweep"
    (out / "0.25-32.work").mkdir(parents=True)
    held = lock(out / "0.25-32.work")
    held.__enter__()
    monkeypatch.setattr("depthwise.jobs.sweep.sweep.time.sleep", lambda _: held.__exit__(None, None, None))

    worker = Worker()
    sweep(asked(out), worker, None, Silent())
    # What did not start from it was done meanwhile.
    assert [name for name, _ in worker.seen] == ["0.5-32", "0.5-64", "0.25-32", "0.25-64"]


def test_a_storage_of_optuna_tells_another_machine_what_is_done(tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="Optuna is not installed; its storage is not checked")
    storage = f"sqlite:///{tmp_path}/sweep.db"
    first = sweep(asked(tmp_path / "one"), Worker(), OptunaStore(storage, "sweep"), Silent())

    second = Worker()
    assert sweep(asked(tmp_path / "two"), second, OptunaStore(storage, "sweep"), Silent()) == first
    assert second.seen == []


Make = Callable[..., Path]


@pytest.mark.slow
def test_a_small_sweep_trains_quantises_and_measures(tmp_path: Path, image_folder: Make) -> None:
    from depthwise.jobs.sweep.work import Work
    from depthwise.network.spec import Spec

    data = image_folder(images=12)
    changes = {"batch": 8, "precision": "float32"}
    work = Work(data=data, spec=Spec(), epochs=2, fine_epochs=1, changes=changes, reporter=Silent())
    found = sweep(
        Asked(data="photos", out=tmp_path / "sweep", widths=(0.25,), resolutions=(32, 40), settings={}),
        work,
        None,
        Silent(),
    )

    small, large = found["points"]
    assert small["macs"] < large["macs"]
    assert min(row[name] for row in (small, large) for name in ("arena_bytes", "bytes", "milliseconds")) > 0
    assert all((tmp_path / "sweep" / row["artifact"]).exists() for row in (small, large))
    assert large["started_from"] == "0.25-32"
