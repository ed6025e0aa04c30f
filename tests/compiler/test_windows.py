"""Libraries for Windows run: wine loads them into a program of Windows, which asks them what the golden cases ask."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from conftest import make_model
from depthwise.compiler import compile_model
from depthwise.compiler.outputs.compilers import compiler
from depthwise.compiler.targets import target
from depthwise.kernels.headers import INTERFACE
from depthwise.network import reference, reference_int8
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from depthwise.precision import Precision
from tools.caches import lasting
from tools.emitted import STRICT, build

PROGRAM = Path(__file__).parent / "windows.c"
SPEC = Spec(width=0.1, resolution=33, classes=5, shallow=True)
# Levels of each library; one of int8, as each takes its time to compile.
CARRIED: dict[Precision, tuple[str, ...]] = {
    "float32": ("portable", "avx2", "avx512", "avx512_intel"),
    "int8": ("avx2",),
}
# As for libraries of Linux (test_levels.py).
TOLERANCE = {"float32": 1e-5, "int8": 1e-6}


@pytest.mark.parametrize("precision", CARRIED)
def test_a_library_for_windows_gives_the_oracles_answers_at_every_level(precision: Precision, tmp_path: Path) -> None:
    if shutil.which("wine") is None:
        pytest.skip("wine is not installed; no library for Windows is run")
    pixels = np.random.default_rng(4).integers(0, 256, (1, SPEC.resolution, SPEC.resolution, 3), np.uint8)
    model, expected = network(precision, pixels)
    cpu = CARRIED[precision][0] if len(CARRIED[precision]) == 1 else None
    compile_model(model, target="windows-x86_64", out=tmp_path / "model.dll", cpu=cpu)

    said = dict(line.split(maxsplit=1) for line in answers(tmp_path, pixels))

    assert tuple(said) == CARRIED[precision]
    ran = [text.removeprefix("holds ") for text in said.values() if text != "lacking"]
    if not ran:
        pytest.skip(f"this processor lacks what level {cpu} needs; it is not run")
    for text in ran:
        found = np.frombuffer(bytes.fromhex(text), np.float32)
        assert found == pytest.approx(expected, abs=TOLERANCE[precision])


def network(precision: Precision, pixels: np.ndarray) -> tuple[Model | QuantizedModel, np.ndarray]:
    """A model with random weights, and the oracle's probabilities (classes,)."""
    if precision == "int8":
        integers = random_quantized(SPEC, 1)
        return integers, reference_int8.run(integers, pixels).probabilities[0]
    model = make_model(seed=3, width=SPEC.width, resolution=SPEC.resolution, shallow=True, labels=tuple("abcde"))
    return model, reference.run(model, pixels).probabilities[0]


def answers(folder: Path, pixels: np.ndarray) -> list[str]:
    """What the program says of model.dll in a folder, a line for each level."""
    shutil.copy(PROGRAM, folder)
    flags = ("-O1", "-nostdlib", "-Wl,--entry=mainCRTStartup", f"-I{INTERFACE.parent}")
    command = (*compiler(target("windows-x86_64"), None).command, *STRICT, *flags)
    build((*command, "-o", "program.exe", "windows.c", "-lkernel32"), folder)
    environment = os.environ | {
        "WINEPREFIX": str(lasting("wine")),
        "WINEDEBUG": "-all",
        # Wine would offer to install these.
        "WINEDLLOVERRIDES": "mscoree=;mshtml=",
    }
    done = subprocess.run(
        ("wine", "program.exe"), cwd=folder, env=environment, input=pixels.tobytes(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()
