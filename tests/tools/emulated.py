"""Runs emitted C step by step on an emulated processor, with guard words around the arena."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from depthwise.compiler.compile import Emitted
from depthwise.compiler.emit.step import function_name
from depthwise.compiler.step import Step
from depthwise.network import reference, reference_int8
from depthwise.network.quantized import QuantizedModel
from depthwise.network.spec import Spec
from depthwise.precision import PRECISIONS
from tools.emitted import GUARD, PLAIN, STRICT, bordered, build, write_sources

PROGRAM = Path(__file__).with_name("emulated.c")
Bytes = NDArray[np.uint8]
# What is taken off bytes that are kept as signed ones.
LESS = 128


class Emulated:
    """A network that was run on an emulated processor; its regions after each step of each image."""

    def __init__(self, emitted: Emitted, written: bytes, images: int) -> None:
        """Take what the program wrote: the arena between its guards after each step of each image."""
        self.emitted = emitted
        shape = (images, len(emitted.plan.steps), emitted.plan.arena_bytes + 2 * GUARD)
        self._memory = np.frombuffer(written, np.uint8).reshape(shape)

    def bytes(self, image: int, step: int, name: str) -> Bytes:
        """What lies in a region of the arena after a step."""
        region = self.emitted.plan.regions[name]
        start = GUARD + region.offset
        return self._memory[image, step, start : start + region.bytes]

    def guards_hold(self) -> bool:
        """Whether no step wrote outside of the arena."""
        return bool((self._memory[..., :GUARD] == 0xA5).all() and (self._memory[..., -GUARD:] == 0xA5).all())


def needs(*programs: str) -> None:
    """Skip the test where a program is not installed."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed; nothing is run on such a processor")


def built(
    emitted: Emitted,
    images: int,
    compiler: tuple[str, ...],
    folder: Path,
    link: tuple[str, ...] = (),
    *,
    optimised: bool = False,
) -> Path:
    """The program that runs the steps of a network, linked for another processor.

    To optimise it takes two or three times as long.
    """
    write_sources(emitted, folder)
    (folder / "test.c").write_text(_program(emitted, images), encoding="utf-8")
    level = ("-O2",) if optimised else PLAIN
    flags = (*STRICT, *level, PRECISIONS[emitted.plan.precision].contract, "-static", "-nostdlib")
    build((*compiler, *flags, "-Wno-unused-command-line-argument", "-o", "test", "test.c", "weights.s", *link), folder)
    return folder / "test"


def run(emitted: Emitted, program: Path, emulator: tuple[str, ...], pixels: Bytes) -> Emulated:
    """What the steps of a network leave, of each image."""
    done = subprocess.run((*emulator, str(program)), input=pixels.tobytes(), capture_output=True, check=False)
    assert done.returncode == 0, (emulator, done.returncode, done.stderr)
    return Emulated(emitted, done.stdout, len(pixels))


def images(spec: Spec) -> Bytes:
    """All 0, all 255, and noise: (3, R, R, C) bytes."""
    shape = (spec.resolution, spec.resolution, spec.channels)
    noise = np.random.default_rng(5).integers(0, 256, shape, np.uint8)
    return np.stack([np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8), noise])


def assert_bytes(model: QuantizedModel, oracle: reference_int8.Result, found: Emulated) -> None:
    """Fail at the first layer of the first image that is not the oracle's to the last byte, and where a guard fell."""
    assert found.guards_hold()
    steps = found.emitted.plan.steps
    for number, step in enumerate(steps[:-1]):
        layer = step.layers[-1]
        for image, expected in enumerate(oracle.activations[layer.name]):
            values, border = bordered(step.output, _plain(found.bytes(image, number, step.name), step))
            assert (border == model.layers[layer.name].zero_point).all(), layer.name
            differ = np.argwhere(values[..., : expected.shape[-1]] != expected)
            assert not len(differ), f"{layer.name}: {len(differ)} values differ, first y, x, channel {differ[0]}"
    for image, expected in enumerate(oracle.logits):
        logits = found.bytes(image, len(steps) - 1, steps[-1].name).view(np.float32)
        assert (logits[: expected.size] == expected).all()
        assert not logits[expected.size :].any()


def assert_floats(oracle: reference.Result, found: Emulated) -> None:
    """Fail at the first layer that is not the oracle's within a hundred thousandth of its largest value."""
    assert found.guards_hold()
    steps = found.emitted.plan.steps
    for number, step in enumerate(steps[:-1]):
        for image, expected in enumerate(oracle.activations[step.layers[-1].name]):
            values, border = bordered(step.output, found.bytes(image, number, step.name).view(np.float32))
            assert not border.any()
            close = 1e-5 * max(np.abs(expected).max(), 1)
            assert values[..., : expected.shape[-1]] == pytest.approx(expected, abs=close), step.name
    for image, expected in enumerate(oracle.logits):
        logits = found.bytes(image, len(steps) - 1, steps[-1].name).view(np.float32)[: expected.size]
        assert logits == pytest.approx(expected, abs=1e-5 * max(np.abs(expected).max(), 1))


def _plain(values: Bytes, step: Step) -> Bytes:
    """Bytes of docs/int8.md of those that lie in memory."""
    return values ^ np.uint8(LESS) if step.output.layout.stored == "signed" else values


def _program(emitted: Emitted, images: int) -> str:
    steps = emitted.plan.steps
    cases = "".join(_lines(emitted))
    return (
        f'#include "model.c"\n#define STEPS {len(steps)}\n#define IMAGES {images}\n'
        "static void test_one(int number, const uint8_t *pixels, uint8_t *arena)\n"
        f'{{\n    switch (number) {{\n{cases}    default: break;\n    }}\n}}\n#include "{PROGRAM}"\n'
    )


def _lines(emitted: Emitted) -> Iterator[str]:
    for number, step in enumerate(emitted.plan.steps):
        pixels = "pixels, " if number == 0 else ""
        yield f"    case {number}: {function_name(step)}({pixels}arena); break;\n"
