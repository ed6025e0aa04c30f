"""What may be reached from where, seen in fresh interpreters.

import-linter reads the imports of each room; only an interpreter shows that `depthwise/__init__.py`, which every room
runs first, reaches nothing either.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import depthwise
from depthwise.cli.main import COMMANDS

WITHOUT_TORCH = ("network", "cost", "data", "kernels", "compiler", "edge", "evaluate", "interop", "shipped")
WITH_TORCH = ("attack", "cli", "cloud", "quantize", "bench", "jobs")
ROOMS = tuple(path.parent.name for path in sorted(Path(depthwise.__file__).parent.glob("*/__init__.py")))
# Heavy to import, or not installed on a device.
TRAINING = {"torch", "torchvision", "timm", "matplotlib", "tensorboard"}


@functools.cache
def modules_after(code: str) -> set[str]:
    """Names of the modules that an interpreter holds after running some code: the first part, two of our own."""
    asked = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    names = [name.split(".") for name in json.loads(ended.stdout.splitlines()[-1])]
    return {name[0] for name in names} | {".".join(name[:2]) for name in names if name[0] == "depthwise"}


def every_module_of(room: str) -> str:
    """Code that imports all files of a room."""
    folder = Path(depthwise.__file__).parent / room
    files = [path.relative_to(folder.parent.parent).with_suffix("") for path in sorted(folder.rglob("*.py"))]
    return "\n".join(f"import {'.'.join(path.parts).removesuffix('.__init__')}" for path in files)


def test_importing_depthwise_reaches_neither_torch_nor_pillow_nor_numpy() -> None:
    assert not modules_after("import depthwise") & (TRAINING | {"PIL", "numpy", "click", "rich"})


@pytest.mark.parametrize("room", [room for room in WITHOUT_TORCH if room in ROOMS])
def test_no_file_of_a_room_without_torch_reaches_it(room: str) -> None:
    assert not modules_after(every_module_of(room)) & TRAINING


@pytest.mark.parametrize("room", ["network", "cost", "kernels"])
def test_what_reads_no_image_does_not_reach_pillow(room: str) -> None:
    assert "PIL" not in modules_after(every_module_of(room))


def test_edge_reaches_no_other_room() -> None:
    assert not modules_after(every_module_of("edge")) & {f"depthwise.{room}" for room in ROOMS if room != "edge"}


@pytest.mark.parametrize("module", ["depthwise.cli.main", "depthwise.__main__"])
def test_the_command_line_starts_without_torch_pillow_and_numpy(module: str) -> None:
    assert not modules_after(f"import {module}") & (TRAINING | {"PIL", "numpy", "rich"})


def after_the_command(*arguments: str) -> tuple[subprocess.CompletedProcess[str], set[str]]:
    """The command as a user starts it, and the modules that Python says it imported."""
    command = [sys.executable, "-X", "importtime", "-m", "depthwise", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    times = [line for line in ended.stderr.splitlines() if line.startswith("import time:")]
    return ended, {line.rsplit("|", 1)[1].strip().split(".")[0] for line in times}


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    ended, modules = after_the_command("--help")

    assert ended.returncode == 0
    assert "click" in modules
    assert not modules & (TRAINING | {"PIL", "numpy", "rich", "ziglang"})
    assert all(f"\n  {name} " in ended.stdout for name in COMMANDS)


def test_cost_reaches_neither_torch_nor_pillow() -> None:
    ended, modules = after_the_command("cost", "--json")

    assert json.loads(ended.stdout)["schema"] == 1
    assert not modules & (TRAINING | {"PIL"})


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_works_and_imports_nothing_heavy(name: str) -> None:
    ended, modules = after_the_command(name, "--help")

    assert ended.returncode == 0, ended.stderr[-2000:]
    assert ended.stdout.startswith(f"Usage: python -m depthwise {name} ")
    assert not modules & (TRAINING | {"PIL", "numpy", "rich", "ziglang"})


def test_train_without_torch_names_the_command_that_installs_it(tmp_path: Path) -> None:
    """A module of the name that fails as a missing one does stands in the way of torch, installed or not."""
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "depthwise", "train", str(tmp_path), "--out", str(tmp_path / "model")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    expected = "error: 'train' needs PyTorch, which is not installed; run: pip install 'depthwise[cloud]'\n"
    assert (expected, "", 2) == (ended.stderr, ended.stdout, ended.returncode)


def test_every_room_has_chosen_its_side() -> None:
    assert set(ROOMS) <= {*WITHOUT_TORCH, *WITH_TORCH}
