"""RISC-V on emulated processors: every byte of every layer is the oracle's, and a library picks the right level."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from conftest import make_model
from depthwise.compiler.compile import emit, emit_for
from depthwise.compiler.emit.emit import file_of_level
from depthwise.compiler.lower.compilation import compilation
from depthwise.compiler.outputs.compilers import compiler
from depthwise.compiler.targets import at_level, levels, target
from depthwise.kernels.machine import Machine
from depthwise.kernels.riscv.levels import LEVELS
from depthwise.network import reference, reference_int8
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.reference_int8 import Result
from depthwise.network.spec import Spec
from depthwise.precision import PRECISIONS
from tools.emitted import bordered, build, write_sources
from tools.emulated import Emulated, built, needs, run

# A processor that has a level and none above it.
PROCESSORS = {"portable": "rv64,v=false", "v128": "rv64,v=true,vlen=128", "v256": "rv64,v=true,vlen=256"}
LONGER = "rv64,v=true,vlen=512"
LEVEL_NAMES = [level.name for level in LEVELS]
REPORT = Path(__file__).parents[1] / "tools" / "levels.c"
# Odd maps and channels that fill no vector; the standard twin of a grey network; maps of one pixel, and other strides.
NETWORKS: dict[str, dict[str, Any]] = {
    "odd": {"width": 0.2, "resolution": 73, "padding": "same", "shallow": True},
    "grey twin": {"width": 0.25, "resolution": 49, "channels": 1, "convolution": "standard"},
    "tiny": {"width": 0.6, "resolution": 32, "unit_strides": (2,), "padding": "keras"},
}


@cache
def network(name: str, kind: str) -> QuantizedModel:
    """A network as this project quantises them, or with zero points and clamps as imported ones have."""
    imported = kind == "imported"
    return random_quantized(Spec(classes=11, **NETWORKS[name]), 7, hidden_zero_points=imported, rounded=imported)


def images(spec: Spec) -> NDArray[np.uint8]:
    """All 0, all 255, and noise."""
    shape = (spec.resolution, spec.resolution, spec.channels)
    noise = np.random.default_rng(5).integers(0, 256, shape, np.uint8)
    return np.stack([np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8), noise])


def machine_of(level: str) -> Machine:
    return next(row.machine for row in LEVELS if row.name == level)


def on_each(model: Model | QuantizedModel, level: str, pixels: NDArray[np.uint8], folder: Path) -> Iterator[Emulated]:
    """A network that was compiled for a level, run on processors that have that level, the next one, or more."""
    emitted = emit(model, target_name="test", machine=machine_of(level))
    program = built(emitted, len(pixels), compiler(at_level(target("linux-riscv64"), level), None).command, folder)
    for cpu in [*(PROCESSORS[name] for name in LEVEL_NAMES[LEVEL_NAMES.index(level) :]), LONGER]:
        yield run(emitted, program, ("qemu-riscv64", "-cpu", cpu), pixels)


def compare(model: QuantizedModel, oracle: Result, found: Emulated) -> None:
    """Fail at the first layer of the first image that is not the oracle's to the last byte."""
    assert found.guards_hold()
    steps = found.emitted.plan.steps
    for number, step in enumerate(steps[:-1]):
        layer = step.layers[-1]
        for image, expected in enumerate(oracle.activations[layer.name]):
            values, border = bordered(step.output, found.bytes(image, number, step.name))
            assert (border == model.layers[layer.name].zero_point).all(), layer.name
            differ = np.argwhere(values[..., : expected.shape[-1]] != expected)
            assert not len(differ), f"{layer.name}: {len(differ)} values differ, first y, x, channel {differ[0]}"
    for image, expected in enumerate(oracle.logits):
        logits = found.bytes(image, len(steps) - 1, steps[-1].name).view(np.float32)
        assert (logits[: expected.size] == expected).all()


@pytest.mark.parametrize(
    ("name", "kind", "level"),
    [
        ("odd", "imported", "portable"),
        ("odd", "imported", "v128"),
        ("odd", "imported", "v256"),
        ("grey twin", "imported", "v128"),
        ("tiny", "own", "v256"),
    ],
)
def test_every_byte_of_every_layer_is_the_oracles(name: str, kind: str, level: str, tmp_path: Path) -> None:
    needs("qemu-riscv64")
    model = network(name, kind)
    pixels = images(model.spec)
    oracle = reference_int8.run(model, pixels, keep=True)
    for found in on_each(model, level, pixels, tmp_path):
        compare(model, oracle, found)


@pytest.mark.parametrize("level", ["portable", "v256"])
def test_floats_are_the_oracles_but_for_a_hundred_thousandth(level: str, tmp_path: Path) -> None:
    needs("qemu-riscv64")
    model = make_model(seed=3, width=0.2, resolution=49, padding="same", shallow=True, labels=tuple("abcdefghijk"))
    pixels = images(model.spec)
    oracle = reference.run(model, pixels, keep=True)

    for found in on_each(model, level, pixels, tmp_path):
        assert found.guards_hold()
        steps = found.emitted.plan.steps
        for number, step in enumerate(steps[:-1]):
            for image, expected in enumerate(oracle.activations[step.layers[-1].name]):
                values, border = bordered(step.output, found.bytes(image, number, step.name).view(np.float32))
                assert not border.any()
                assert values == pytest.approx(expected, abs=1e-5 * max(np.abs(expected).max(), 1)), step.name
        for image, expected in enumerate(oracle.logits):
            logits = found.bytes(image, len(steps) - 1, steps[-1].name).view(np.float32)[: expected.size]
            assert logits == pytest.approx(expected, abs=1e-5 * max(np.abs(expected).max(), 1))


# AT_HWCAP of RV64GC: of a kernel that knows no vectors, or lets no process use them.
WITHOUT_V = "0x112D"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All levels of a network in one program that reports what it finds; and one for which the kernel grants no V."""
    needs("qemu-riscv64")
    folder = tmp_path_factory.mktemp("levels")
    rows = {row.level: row for row in levels(target("linux-riscv64"), "int8")}
    job = compilation(network("tiny", "own"), target="test", precision="int8")
    emitted = emit_for(job, {name: machine_of(name) for name in rows})
    write_sources(emitted, folder)
    flags = ("-std=c11", "-O1", PRECISIONS["int8"].contract, "-I.", "-Wno-unused-command-line-argument")
    for name, text in emitted.levels.items():
        (folder / file_of_level(name)).write_text(text, encoding="utf-8")
        build((*compiler(rows[name], None).command, *flags, "-c", file_of_level(name)), folder)
    objects = [str(Path(file_of_level(name)).with_suffix(".o")) for name in rows]
    sources = (str(REPORT), "model.c", "weights.s", *objects)
    command = (*compiler(rows["portable"], None).command, *flags, "-static", "-nostdlib", *sources)
    build((*command, "-o", "program"), folder)
    build((*command, f"-DHWCAP={WITHOUT_V}", "-o", "without"), folder)
    return folder / "program"


def said(program: Path, cpu: str) -> list[str]:
    done = subprocess.run(("qemu-riscv64", "-cpu", cpu, str(program)), capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("highest", LEVEL_NAMES)
def test_a_library_uses_the_highest_level_that_the_processor_has(highest: str, library: Path) -> None:
    has = LEVEL_NAMES[: LEVEL_NAMES.index(highest) + 1]

    assert said(library, PROCESSORS[highest]) == [
        f"in use {highest}",
        *(f"{name} {'holds' if name in has else 'lacking'}" for name in LEVEL_NAMES),
    ]


def test_vectors_that_the_kernel_does_not_grant_are_not_used(library: Path) -> None:
    assert said(library.with_name("without"), PROCESSORS["v256"]) == [
        "in use portable",
        "portable holds",
        "v128 lacking",
        "v256 lacking",
    ]
