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
from depthwise.precision import PRECISIONS
from tools.emitted import GUARD, STRICT, build, write_sources

PROGRAM = Path(__file__).with_name("emulated.c")
Bytes = NDArray[np.uint8]


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


def built(emitted: Emitted, images: int, compiler: tuple[str, ...], folder: Path, link: tuple[str, ...] = ()) -> Path:
    """The program that runs the steps of a network, linked for another processor."""
    write_sources(emitted, folder)
    (folder / "test.c").write_text(_program(emitted, images), encoding="utf-8")
    flags = (*STRICT, "-O2", PRECISIONS[emitted.plan.precision].contract, "-static", "-nostdlib")
    build((*compiler, *flags, "-Wno-unused-command-line-argument", "-o", "test", "test.c", "weights.s", *link), folder)
    return folder / "test"


def run(emitted: Emitted, program: Path, emulator: tuple[str, ...], pixels: Bytes) -> Emulated:
    """What the steps of a network leave, of each image."""
    done = subprocess.run((*emulator, str(program)), input=pixels.tobytes(), capture_output=True, check=False)
    assert done.returncode == 0, (emulator, done.returncode, done.stderr)
    return Emulated(emitted, done.stdout, len(pixels))


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
