"""Several processes that train as one, on the CPU: started by torchrun, as users do, or forked with its variables."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from depthwise.cloud.processes import World, world
from depthwise.cloud.session import furthest
from depthwise.errors import Refused
from depthwise.network.model import Model
from tools.trainings import TESTS, together

ImageFolder = Callable[..., Path]
SETTINGS = {
    "--width": 0.25, "--resolution": 32, "--unit-strides": 0, "--epochs": 1, "--batch": 8, "--precision": "float32",
    "--average": 0, "--optimizer": "sgd", "--rate": 0.002, "--warmup": 0, "--mixup": 0.3,
    "--distill": "tools.teachers:means",
}  # fmt: skip


def command(data: Path, out: Path) -> list[str]:
    """`train ...` with all settings."""
    settings = [str(part) for pair in SETTINGS.items() for part in pair]
    return ["train", str(data), "--out", str(out), *settings]


def losses(out: Path) -> list[tuple[float, float]]:
    lines = map(json.loads, (out.parent / f"{out.name}.run" / "log.jsonl").read_text().splitlines())
    return [(line["loss"], line["validation_loss"]) for line in lines if line["event"] == "epoch"]


@pytest.mark.usefixtures("undrawn")
def test_two_processes_give_the_result_of_one_with_the_same_global_batch(
    tmp_path: Path, image_folder: ImageFolder
) -> None:
    data = image_folder(classes=("cat", "dog", "owl"), images=11)
    two = together(2, *command(data, tmp_path / "two"))
    (one,) = together(1, *command(data, tmp_path / "one"))

    assert [end.returncode for end in (one, *two)] == [0, 0, 0], "".join(end.stderr for end in (one, *two))
    # One process reports.
    assert [end.stdout.replace(str(tmp_path / "two"), str(tmp_path / "one")) for end in two] == [one.stdout, ""]
    # The losses of the later epochs are near 0, where the rounding of float32 is a larger share of them.
    np.testing.assert_allclose(losses(tmp_path / "one"), losses(tmp_path / "two"), rtol=1e-3, atol=1e-4)
    # Each was asked about a part of the images, and what the teacher says is the same, row for row.
    (first,), (second,) = (list((tmp_path / f"{name}.run").glob("lessons-*")) for name in ("one", "two"))
    assert (first.name, first.read_bytes()) == (second.name, second.read_bytes())
    # Small networks blow rounding up from step to step; that weights agree is shown in float64 below.
    assert Model.load(tmp_path / "two").provenance["processes"] == 2


@pytest.fixture(scope="module")
def rehearsed() -> dict[str, Any]:
    """What two processes of rehearse.py found."""
    first, second = together(2, path=Path(__file__).with_name("rehearse.py"))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    found: dict[str, Any] = json.loads(first.stdout)
    return found


def test_in_float64_two_processes_take_the_steps_of_one(rehearsed: dict[str, Any]) -> None:
    """What is left of the difference above is the rounding of float32, and no mistake in a gradient."""
    assert rehearsed["weights"] < 1e-7
    assert rehearsed["statistics"] < 1e-12
    assert rehearsed["tracked"]


def test_our_operators_under_torchs_ddp_have_the_gradients_of_one_process(rehearsed: dict[str, Any]) -> None:
    assert rehearsed["operators"] < 1e-9


def test_all_processes_end_together_when_the_first_refuses(tmp_path: Path, image_folder: ImageFolder) -> None:
    """Here by torchrun itself."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "thesis.tex").write_text("x")
    start = time.monotonic()

    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "depthwise"]
    done = subprocess.run(
        [*launcher, *command(image_folder(), tmp_path / "model")],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=TESTS,
    )

    assert done.returncode != 0
    assert done.stderr.count("error: ") == 1
    assert "exists and is not a model folder" in done.stderr
    # torchrun's own traceback may follow; none of it is ours.
    assert "depthwise/cloud/" not in done.stderr
    # Not the half hour after which torch gives up waiting for a process.
    assert time.monotonic() - start < 200


class Pair(World):
    """A process whose neighbour is played: it always answers with what the test says."""

    neighbour: object = None

    def gather(self, value: object) -> list[object]:  # type: ignore[override]
        return [value, Pair.neighbour] if self.rank == 0 else [Pair.neighbour, value]


def test_a_refusal_in_any_process_is_one_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Pair(rank=0, size=2, device=torch.device("cpu"))
    monkeypatch.setattr(Pair, "neighbour", None)
    assert first.together(lambda: 7) == 7

    monkeypatch.setattr(Pair, "neighbour", "the disk is full")
    with pytest.raises(Refused, match=r"^process 2 of 2: the disk is full$"):
        first.together(lambda: 7)
    with pytest.raises(Refused, match=r"^the disk is full$"):
        Pair(rank=1, size=2, device=torch.device("cpu")).together(lambda: 7)


@pytest.mark.parametrize(
    ("own", "other", "sender"),
    [((1, 3), (1, 7), 1), ((2, 0), (1, 7), 0), ((1, 7), (1, 7), 0), (None, (0, 1), 1), (None, None, 0)],
)
def test_the_furthest_checkpoint_counts_on_whichever_machine_it_lies(
    monkeypatch: pytest.MonkeyPatch, own: tuple[int, int] | None, other: tuple[int, int] | None, sender: int
) -> None:
    asked = []
    monkeypatch.setattr(Pair, "neighbour", other or (-1, -1))
    monkeypatch.setattr(Pair, "agree", lambda self, value, rank=0: asked.append(rank))

    furthest(own and {"epoch": own[0], "step": own[1]}, Pair(rank=0, size=2, device=torch.device("cpu")))
    assert asked == [sender]


@pytest.mark.parametrize(("name", "value"), [("RANK", ""), ("LOCAL_RANK", "x"), ("WORLD_SIZE", "-1")])
def test_half_of_the_variables_of_torchrun_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    for variable, given in {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0", name: value}.items():
        monkeypatch.setenv(variable, given)

    with (
        pytest.raises(Refused, match=f"the variable {name} is '{value}'; start several processes by torchrun"),
        world(),
    ):
        pass


def test_one_process_is_a_world_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with world() as here:
        assert (here.rank, here.size, here.first) == (0, 1, True)
        assert here.agree("x") == "x"
        assert here.gather("x") == ["x"]
        values = torch.ones(2)
        assert here.total(values).tolist() == [1, 1]
