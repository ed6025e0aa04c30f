"""A run that is killed, interrupted or asked to go on otherwise."""

from __future__ import annotations

import json
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from depthwise.cloud import checkpoint
from depthwise.cloud.request import Request
from depthwise.cloud.session import train
from depthwise.data.sharding import Sharding, shard
from depthwise.errors import Refused
from depthwise.network.model import WEIGHTS, Model
from depthwise.progress import Silent
from tools.trainings import script

Ask = Callable[..., Request]
ImageFolder = Callable[..., Path]

DRIVER = Path(__file__).with_name("driver.py")
# All that has a state or grows with time: moving average, momenta, warm-up, small pictures, mixed pictures.
RECIPE: dict[str, Any] = {
    "epochs": 4, "batch": 8, "rate": 0.01, "mixup": 0.2, "cutmix": 1.0, "average": 0.9, "balance": 0.5,
    "precision": "float32", "small": 32, "seed": 5,
}  # fmt: skip
STEPS = 4 * 5


def drive(
    data: Path,
    runs: dict[Path, list[dict[str, Any]]],
    *,
    int8: bool = False,
    distill: str | None = None,
    **recipe: Any,
) -> list[list[dict[str, Any]]]:
    """What each attempt of each run came to."""
    asked = {
        "data": str(data),
        "recipe": {**RECIPE, **recipe},
        "runs": {str(out): attempts for out, attempts in runs.items()},
        "int8": int8,
        # Seldom enough that most kills lose steps, often enough that they fall between two checkpoints of an epoch.
        "checkpoint_seconds": 0.2,
        "distill": distill,
    }
    done = script(DRIVER, json.dumps(asked))
    assert done.returncode == 0, done.stderr
    found: list[list[dict[str, Any]]] = json.loads(done.stdout)
    return found


def epochs_of(out: Path) -> dict[int, dict[str, Any]]:
    """The figures of each epoch, but for the time it took."""
    lines = map(json.loads, (out.parent / f"{out.name}.run" / "log.jsonl").read_text().splitlines())
    return {
        line["epoch"]: {name: value for name, value in line.items() if name not in ("time", "seconds")}
        for line in lines
        if line["event"] == "epoch"
    }


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "adamw"},
        {"optimizer": "sgd", "adversarial": "fast"},
        {"int8": True, "small": 0},
        {"optimizer": "sgd", "shards": True},
    ],
    ids=["adamw", "sgd", "int8", "shards"],
)
def test_resumed_training_equals_uninterrupted_training_bit_for_bit(
    tmp_path: Path, image_folder: ImageFolder, settings: dict[str, Any]
) -> None:
    """Killed twice in the middle of an epoch, interrupted once, killed once more anywhere."""
    data = image_folder(images=25)
    if settings.get("shards"):
        shard(Sharding(data=data, out=tmp_path / "shards", size=20_000), Silent())
        data = tmp_path / "shards"
    recipe = {name: value for name, value in settings.items() if name != "shards"}
    chance = random.Random()
    seed = chance.randrange(10**6)
    chance.seed(seed)
    kill, interrupt = int(signal.SIGKILL), int(signal.SIGINT)
    stops = [
        {"step": chance.choice((2, 3, 4)), "signal": kill},
        {"step": chance.choice((2, 3, 4)), "signal": kill},
        {"step": chance.randint(1, 4), "signal": interrupt},
        {"step": chance.randint(1, 5), "signal": kill},
        {},
    ]

    broken, (whole,) = drive(data, {tmp_path / "broken": stops, tmp_path / "whole": [{}]}, **recipe)

    ends = [attempt["ended"] for attempt in broken]
    assert ends == [-kill, -kill, 130, -kill, 0], f"seed {seed}: {broken}"
    assert (whole["taken"], whole["ended"]) == (STEPS, 0)
    assert sum(attempt["taken"] for attempt in broken) >= STEPS
    first, second = (load_file(tmp_path / name / WEIGHTS) for name in ("whole", "broken"))
    for name in first:
        assert np.array_equal(first[name], second[name]), f"{name} differs, seed {seed}"
    # And not only the epoch that was kept: the whole state at the end.
    first, second = (load_file(tmp_path / f"{name}.run" / checkpoint.NAME) for name in ("whole", "broken"))
    assert any(name.startswith("/optimizer/state/") for name in first)
    for name in first:
        assert np.array_equal(first[name], second[name]), f"{name} differs, seed {seed}"
    assert epochs_of(tmp_path / "whole") == epochs_of(tmp_path / "broken"), f"seed {seed}"


def test_a_run_with_teachers_that_is_killed_while_they_are_asked_and_while_it_trains_ends_the_same(
    tmp_path: Path, image_folder: ImageFolder
) -> None:
    data = image_folder(images=45)
    kill = int(signal.SIGKILL)
    stops: list[dict[str, Any]] = [
        {"stage": "asking", "step": 33, "signal": kill},
        {"stage": "fitting", "step": 2, "signal": kill},
        # Before anything is kept: the next attempt begins anew, with the answers that lie there.
        {"step": 1, "signal": kill, "checkpoint_seconds": 1000},
        {"step": 3, "signal": kill},
        {},
    ]

    runs: dict[Path, list[dict[str, Any]]] = {tmp_path / "broken": stops, tmp_path / "whole": [{}]}
    broken, (whole,) = drive(data, runs, distill="tools.teachers:means,tools.teachers:knows", epochs=1)

    assert [attempt["ended"] for attempt in (*broken, whole)] == [-kill, -kill, -kill, -kill, 0, 0], broken
    first, second = (load_file(tmp_path / name / WEIGHTS) for name in ("whole", "broken"))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    names = [sorted(path.name for path in (tmp_path / f"{name}.run").iterdir()) for name in ("whole", "broken")]
    # And nothing is left of what was on the way.
    assert names[0] == names[1]
    assert not any(name.startswith("numbers-") for name in names[1])


def test_an_interrupt_keeps_the_run_at_that_step_and_says_how_to_go_on(
    tmp_path: Path, image_folder: ImageFolder
) -> None:
    """Here by SIGTERM, as a scheduler asks; above by SIGINT, as Ctrl-C does."""
    out = tmp_path / "model"
    ((stop, rest),) = drive(image_folder(images=25), {out: [{"step": 7, "signal": int(signal.SIGTERM)}, {}]})

    assert stop["ended"] == 130
    last = stop["notices"].splitlines()[-1]
    assert f"and kept in {out}.run; the same command with --resume goes on from here" in last
    # The steps under way until the signal is heard are finished; none is lost and none is taken twice.
    assert 7 <= stop["taken"] <= 10
    assert stop["taken"] + rest["taken"] == STEPS
    assert "going on with epoch 2, step" in rest["notices"]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the run that is done lies, with its images, once the first test has made it."""
    return tmp_path_factory.mktemp("done") / "run"


@pytest.fixture
def begun(ask: Ask, image_folder: ImageFolder, heard: Any, done: Path, tmp_path: Path) -> Callable[..., Request]:
    """A run that is done; the function asks for it again, with other settings."""
    data = tmp_path / "images"
    if done.is_dir():
        shutil.copytree(done, tmp_path, dirs_exist_ok=True)
    else:
        train(ask(image_folder(data.name, images=6)), heard)
        shutil.copytree(tmp_path, done)

    def again(*, extra: dict[str, Any] | None = None, **settings: Any) -> Request:
        return ask(data, extra={"resume": True, **(extra or {})}, **settings)

    return again


def test_a_finished_run_resumes_to_the_same_model(begun: Callable[..., Request], heard: Any) -> None:
    request = begun()
    before = (request.out / "weights.safetensors").read_bytes()

    train(request, heard)

    assert (request.out / "weights.safetensors").read_bytes() == before


def test_resume_without_a_run_begins_one(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    assert train(ask(image_folder(images=6), extra={"resume": True}), heard).provenance["epochs"] == 1


def test_a_measured_precision_is_kept(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    data = image_folder(images=6)
    train(ask(data, precision="bfloat16"), heard)

    model = train(ask(data, precision="auto", extra={"resume": True}), heard)

    assert model.provenance["recipe"]["precision"] == "bfloat16"


def test_a_run_may_be_given_more_epochs_whose_rates_are_those_of_the_longer_run(
    begun: Callable[..., Request], heard: Any, log_of: Callable[[Request], list[dict[str, Any]]], ask: Ask
) -> None:
    longer = begun(epochs=3)
    train(longer, heard)
    from_the_start = ask(longer.data, "other", epochs=3)
    train(from_the_start, heard)

    first, second = (
        {line["epoch"]: line["rate"] for line in log_of(request) if line["event"] == "epoch"}
        for request in (longer, from_the_start)
    )
    assert sorted(first) == [1, 2, 3]
    assert [first[2], first[3]] == pytest.approx([second[2], second[3]])


def test_fewer_epochs_are_refused_with_what_to_do(begun: Callable[..., Request], heard: Any) -> None:
    train(begun(epochs=2), heard)

    with pytest.raises(Refused, match="--epochs was 2 and is 1; a run can be given more epochs, and --finish ends it"):
        train(begun(epochs=1), heard)


def test_the_best_epoch_lies_in_the_folder_while_the_run_goes_on_and_finish_ends_with_it(
    tmp_path: Path, image_folder: ImageFolder, ask: Ask, heard: Any
) -> None:
    data, out = image_folder(images=25), tmp_path / "model"
    # Two epochs of five steps, and then two of the third.
    drive(data, {out: [{"step": 12, "signal": int(signal.SIGTERM)}]}, small=0)
    before = Model.load(out)
    assert before.provenance["epochs"] in (1, 2)
    assert before.accuracy["validation"]["images"] > 0

    finished = train(ask(data, **{**RECIPE, "small": 0}, spec={"shallow": True}, extra={"finish": True}), heard)

    assert heard.notices[-1] == "ending after 2 of 4 epochs"
    assert finished.provenance["epochs"] == before.provenance["epochs"]
    assert Model.load(out).weights.keys() == before.weights.keys()
    assert all(np.array_equal(array, before.weights[name]) for name, array in Model.load(out).weights.items())


def test_there_must_be_something_to_finish(begun: Callable[..., Request], ask: Ask, heard: Any) -> None:
    request = begun(extra={"finish": True})
    path = request.run_folder / checkpoint.NAME
    checkpoint.save(request.run_folder, {**checkpoint.decode(path.read_bytes(), path), "best_weights": {}})

    with pytest.raises(Refused, match="no epoch at full size is finished yet"):
        train(request, heard)
    with pytest.raises(Refused, match="holds no run that could be finished"):
        train(ask(request.data, "other", extra={"finish": True}), heard)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"rate": 0.5}, r"--rate was 0.01 and is 0.5; repeat the same command"),
        ({"small_share": 0.1}, r"--small-share was 0.4 and is 0.1"),
        ({"precision": "bfloat16"}, r"--precision was float32 and is bfloat16"),
        ({"spec": {"width": 0.5}}, "the network is another one"),
    ],
)
def test_other_settings_are_refused_by_name(
    begun: Callable[..., Request], heard: Any, settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Refused, match=f"--resume goes on with the settings of before, but {sentence}"):
        train(begun(**settings), heard)


def test_other_images_are_refused(begun: Callable[..., Request], heard: Any) -> None:
    request = begun()
    (request.data / "cat" / "000.png").rename(request.data / "cat" / "zzz.png")

    with pytest.raises(Refused, match="the folder of images is another one"):
        train(request, heard)


@pytest.mark.parametrize("missing", ["network", "optimizer", "schedule", "best", "epoch", "recipe"])
def test_a_checkpoint_without_all_parts_is_refused(begun: Callable[..., Request], heard: Any, missing: str) -> None:
    request = begun()
    path = request.run_folder / checkpoint.NAME
    state = checkpoint.decode(path.read_bytes(), path)
    del state[missing]
    checkpoint.save(request.run_folder, state)

    with pytest.raises(Refused, match=r"does not fit this network|has no recipe in it"):
        train(request, heard)


def test_a_damaged_checkpoint_is_refused(begun: Callable[..., Request], heard: Any) -> None:
    request = begun()
    path = request.run_folder / checkpoint.NAME
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(Refused, match=r"checkpoint.safetensors: damaged .*; remove it to start the training anew"):
        train(request, heard)
