"""Answers do not depend on how the calling thread rounds, and its settings stay; subnormal numbers are 0."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from conftest import make_model
from depthwise.compiler import compile_model
from depthwise.edge.artifact import Artifact
from depthwise.precision import ON_PROCESSORS, Precision
from tools.all_levels import network, of_all_levels
from tools.emitted import build

PROGRAM = Path(__file__).parents[1] / "tools" / "floats.c"
# What floats.c sets: to nearest, down, up, to 0, the smallest numbers are 0, and a stop at any number that is inexact.
SETTINGS = 6

Libraries = Callable[[Precision], Path]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, gcc: str) -> Path:
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("feenableexcept is glibc's; calls of threads that stop at inexact numbers are not tried")
    folder = tmp_path_factory.mktemp("floats")
    build((gcc, "-O1", "-o", "floats", str(PROGRAM), "-ldl", "-lm"), folder)
    return folder / "floats"


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Libraries:
    """The artifact of a precision, with all levels where they are those of this machine."""

    @cache
    def library(precision: Precision) -> Path:
        if platform.machine() == "x86_64":
            return of_all_levels(precision, tmp_path_factory).path
        out = tmp_path_factory.mktemp("host") / "model.so"
        return compile_model(network(precision), target="host", out=out, precision=precision).path

    return library


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("precision", ON_PROCESSORS)
def test_answers_do_not_depend_on_how_the_caller_rounds_and_its_settings_stay(
    precision: Precision, threads: int, program: Path, libraries: Libraries
) -> None:
    library = libraries(precision)

    done = subprocess.run([program, library, str(threads)], capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]

    assert lines
    assert len(lines) % SETTINGS == 0
    # Each setting gives the bytes of the first; golden cases hold; and it is still there.
    expected = {level: total for level, setting, total, _, _ in lines if setting == "0"}
    assert [line for line in lines if line[2:] != [expected[line[0]], "0", "1"]] == []


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="this processor cannot take them for 0")
def test_numbers_below_the_normal_ones_are_0(tmp_path: Path) -> None:
    model = make_model(seed=3, width=0.35, resolution=37, shallow=True)
    weights = dict(model.weights)
    # The last layer before the pool gives positive numbers of about 1e-41.
    last = max(name.removesuffix(".bn2.weight") for name in weights if name.endswith(".bn2.weight"))
    weights[f"{last}.bn2.weight"] = np.full_like(weights[f"{last}.bn2.weight"], 1e-41)
    for name in ("bias", "running_mean"):
        weights[f"{last}.bn2.{name}"] = np.zeros_like(weights[f"{last}.bn2.{name}"])
    pixels = np.random.default_rng(4).integers(0, 256, (37, 37, 3), np.uint8)
    target = "linux-x86_64" if platform.machine() == "x86_64" else "host"
    library = compile_model(
        model.replace(weights=weights), target=target, out=tmp_path / "model.so", keep_dead=True
    ).path

    for threads in (1, 2):
        with Artifact.open(library, threads=threads) as artifact:
            usable = [level for level in artifact.levels if artifact.use_level(level)]
            found = {level: artifact.features(pixels).any() for level in usable if artifact.use_level(level)}

        assert found
        assert not any(found.values()), (threads, found)
