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
from depthwise.jobs.sweep.recipes import SPACE, Search, search
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


def test_a_machine_that_has_the_figures_and_not_the_weights_makes_those_that_it_starts_from(tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna", reason="Optuna is not installed; its storage is not checked")
    storage = f"sqlite:///{tmp_path}/sweep.db"
    # The first machine is killed once it has the lower resolution, after it wrote its figures and before it kept them.
    with pytest.raises(KeyboardInterrupt):
        sweep(asked(tmp_path / "one"), Worker(stop="0.25-64"), Lazy(storage, "sweep"), Silent())
    with pytest.raises(KeyboardInterrupt):
        sweep(asked(tmp_path / "one"), Worker(stop="0.25-64"), OptunaStore(storage, "sweep"), Silent())
    kept = optuna.load_study(study_name="sweep", storage=storage).trials
    assert [(trial.params["width"], trial.params["resolution"]) for trial in kept] == [(0.25, 32)]

    second = Worker()
    sweep(asked(tmp_path / "two"), second, OptunaStore(storage, "sweep"), Silent())
    assert second.seen == [("0.25-32", ""), ("0.25-64", "0.25-32"), ("0.5-32", ""), ("0.5-64", "0.5-32")]
    # And each point is one trial, whoever did it how often.
    assert len(optuna.load_study(study_name="sweep", storage=storage).trials) == 4


class Lazy(OptunaStore):
    """Keeps nothing, as where a process is killed before it does."""

    def put(self, point: Point, row: Mapping[str, Any]) -> None:
        pass


def test_a_storage_that_others_are_at_is_tried_again_and_no_point_is_kept_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    optuna = pytest.importorskip("optuna", reason="Optuna is not installed; its storage is not checked")
    storage = f"sqlite:///{tmp_path}/sweep.db"
    pauses: list[float] = []
    monkeypatch.setattr("depthwise.jobs.sweep.store.time.sleep", pauses.append)
    made, added = optuna.create_study, optuna.Study.add_trial
    left = {"made": 2, "added": 1}

    def busy(name: str, work: Callable[..., Any], *, late: bool) -> Callable[..., Any]:
        def tried(*rest: Any, **named: Any) -> Any:
            found = work(*rest, **named) if late or not left[name] else None
            if left[name]:
                left[name] -= 1
                raise OSError("database is locked")
            return found

        return tried

    monkeypatch.setattr(optuna, "create_study", busy("made", made, late=False))
    # Here the answer was lost, and not what was written.
    monkeypatch.setattr(optuna.Study, "add_trial", busy("added", added, late=True))
    store = OptunaStore(storage, "sweep")
    store.put(Point(width=1, resolution=32), {"int8_top1": 0.5, "macs": 3})

    assert len(pauses) == 3
    assert len(optuna.load_study(study_name="sweep", storage=storage).trials) == 1
    left["made"] = 100
    with pytest.raises(Refused, match=r"^--storage sqlite:.*: cannot be used \(database is locked\)$"):
        OptunaStore(storage, "sweep")


class Scorer:
    """Stands for trainings: best where the decay is 0.05; stops in the trial that it is told to."""

    def __init__(self, stop: int | None = None) -> None:
        self.stop = stop
        self.seen: list[tuple[str, dict[str, float]]] = []

    def __call__(self, settings: Mapping[str, float], place: Path) -> float:
        self.seen.append((place.name, dict(settings)))
        if place.name == f"recipe-{self.stop}":
            raise KeyboardInterrupt
        return 1 - abs(settings["decay"] - 0.05)


def test_a_search_for_a_recipe_begins_with_the_usual_one_and_goes_on_with_the_trial_that_was_killed(
    tmp_path: Path,
) -> None:
    optuna = pytest.importorskip("optuna", reason="Optuna is not installed; no recipe is searched for")
    address = f"sqlite:///{tmp_path}/sweep.db"

    def wanted(out: str, name: str = "recipe") -> Search:
        return Search(address=address, name=name, count=6, seed=3, out=tmp_path / out)

    broken, rest, whole, other = Scorer(stop=2), Scorer(), Scorer(), Scorer()
    with pytest.raises(KeyboardInterrupt):
        search(wanted("one"), broken, Silent())
    found = search(wanted("one"), rest, Silent())
    undisturbed = search(wanted("two", "undisturbed"), whole, Silent())

    assert whole.seen[0][1] == {name: usual for name, (_, _, _, usual) in SPACE.items()}
    assert [name for name, _ in broken.seen] == ["recipe-0", "recipe-1", "recipe-2"]
    # The third goes on with its settings, and those after it are what they would have been.
    assert broken.seen[:2] + rest.seen == whole.seen
    assert len(set(map(str, [settings for _, settings in whole.seen]))) == 6
    assert found == undisturbed
    best = max(whole.seen, key=lambda one: 1 - abs(one[1]["decay"] - 0.05))
    assert found["chosen"]["settings"] == best[1]
    # Another machine takes what was chosen, and a trial that died elsewhere holds nobody up.
    optuna.load_study(study_name="recipe", storage=address).ask()
    assert search(wanted("three"), other, Silent()) == found
    assert other.seen == []


def test_settings_of_which_a_kill_left_half_are_not_trained(tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna", reason="Optuna is not installed; no recipe is searched for")
    address = f"sqlite:///{tmp_path}/sweep.db"
    wanted = Search(address=address, name="recipe", count=1, seed=0, out=tmp_path)
    optuna.create_study(study_name="recipe", storage=address, direction="maximize").ask().suggest_float(
        "decay", 0.002, 0.2, log=True
    )
    (tmp_path / "recipe-0.work").mkdir()

    scorer = Scorer()
    found = search(wanted, scorer, Silent())
    assert [name for name, _ in scorer.seen] == ["recipe-1"]
    assert found["chosen"]["trial"] == 1


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
