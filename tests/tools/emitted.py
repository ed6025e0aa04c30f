"""Builds emitted C into libraries whose single steps can be called, with guard words around the arena."""

from __future__ import annotations

import ctypes
import os
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from depthwise.compiler.choices import Choices
from depthwise.compiler.compile import Emitted, emit
from depthwise.compiler.emit.step import function_name
from depthwise.compiler.outputs.constants import emit_assembly
from depthwise.compiler.step import Map
from depthwise.kernels.headers import headers
from depthwise.kernels.instructions import Instructions
from depthwise.kernels.machine import Machine
from depthwise.kernels.x86.instructions import AVX512VNNI
from depthwise.network.live import Live
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.precision import Precision
from tools.caches import lasting

SSE = Machine(lanes=4, registers=16, family="x86")
NEON = Machine(lanes=4, registers=32)
AVX = Machine(lanes=8, registers=16, family="x86")
AVX512 = Machine(lanes=16, registers=32, family="x86")


def machine_with(of: Instructions) -> Machine:
    """A processor that has these instructions and no more."""
    return Machine(lanes=of.lanes, registers=of.registers, features=of.needs, family=of.family)


# What a processor without AVX-512 includes to run it.
AVX512_IN_LOOPS = Path(__file__).with_name("avx512.h")
STRICT = ("-std=c11", "-Wall", "-Wextra", "-Werror")
# Not optimised, which takes a third of the time; zig would add a sanitizer whose library is not linked.
PLAIN = ("-O0", "-fno-sanitize=undefined")
GUARD = 4096
# Every float of it is not a number, so whatever is read before it is written spoils the answer.
POISON = 0xFF


def named(value: object) -> str:
    """A parameter of a test in its name, the same in every process; a set would be in another order in each."""
    if isinstance(value, Machine):
        return f"{value.lanes}x{value.registers}" + ("+" if value.features else "")
    return value.name if isinstance(value, Instructions) else str(value)


def build(command: tuple[str, ...], folder: Path) -> None:
    """Run a compiler inside a folder; whatever it says is a failure."""
    cache = str(lasting("zig"))
    environment = os.environ | {"ZIG_LOCAL_CACHE_DIR": cache, "ZIG_GLOBAL_CACHE_DIR": cache}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def needs_machine(of: Instructions, compiler: tuple[str, ...]) -> None:
    """Skip the test where this machine does not run kernels in these instructions."""
    needs_features(of.needs, compiler)


def needs_features(features: frozenset[str], compiler: tuple[str, ...]) -> None:
    """Skip the test where this machine has not what these macros stand for.

    Kernels for AVX-VNNI run with AVX512-VNNI too, whose instructions at 256 bits are the same but for their encoding.
    """
    missing = features - predefined(compiler)
    if missing == {"__AVXVNNI__"} and AVX512VNNI.needs <= predefined(compiler):
        return
    if missing:
        pytest.skip(f"this machine lacks {', '.join(sorted(missing))}; kernels that need it are not run")


@cache
def predefined(compiler: tuple[str, ...]) -> frozenset[str]:
    """The macros that a compiler predefines for its target."""
    command = (*compiler, "-dM", "-E", "-x", "c", os.devnull)
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return frozenset(line.split()[1] for line in text.splitlines())


def tiles_permitted() -> bool:
    """Whether the system lets this process use the tiles of AMX, asked as dwk_processor_x86.h does."""
    return int(ctypes.CDLL(None).syscall(158, 0x1023, 18)) == 0


def write_headers(folder: Path) -> None:
    """The kernels' headers and depthwise.h."""
    for name, content in headers().items():
        (folder / name).write_bytes(content)


def write_sources(emitted: Emitted, folder: Path) -> None:
    """model.c, its headers, and the constants in the form that compiles fastest."""
    write_headers(folder)
    (folder / "model.c").write_text(emitted.model_c, encoding="utf-8")
    (folder / "weights.bin").write_bytes(emitted.packed.words.tobytes())
    (folder / "weights.s").write_text(emit_assembly(emitted.packed.words.size), encoding="utf-8")


def aligned(size: int, fill: int) -> NDArray[np.uint8]:
    """Bytes that begin at a multiple of 64."""
    whole = np.full(size + 64, fill, np.uint8)
    start = -whole.ctypes.data % 64
    return whole[start : start + size]


@dataclass(eq=False)
class Stepper:
    """A network whose steps are called one by one, in an arena with guard words on both sides."""

    emitted: Emitted
    library: ctypes.CDLL
    memory: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        self.memory = aligned(self.emitted.plan.arena_bytes + 2 * GUARD, 0xA5)
        self.arena[:] = POISON

    @property
    def arena(self) -> NDArray[np.uint8]:
        """The arena without its guards."""
        return self.memory[GUARD:-GUARD]

    def step(self, number: int, pixels: NDArray[np.uint8]) -> None:
        """Run one step; pixels matter to the first alone."""
        self.library.test_step(number, pixels.ctypes.data, self.arena.ctypes.data)

    def bytes(self, name: str) -> NDArray[np.uint8]:
        """What lies in a region of the arena."""
        region = self.emitted.plan.regions[name]
        return self.arena[region.offset : region.offset + region.bytes]

    def floats(self, name: str) -> NDArray[np.float32]:
        """The same as floats."""
        return self.bytes(name).view(np.float32)

    def guards_hold(self) -> bool:
        """Whether nothing was written outside of the arena."""
        return bool((self.memory[:GUARD] == 0xA5).all() and (self.memory[-GUARD:] == 0xA5).all())


def bordered(place: Map, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """(H, W, C) of an activation whose pixels lie one behind the other, and all of its border and between rows."""
    shape, border = place.shape, place.border
    rows = values.reshape(border.top + shape.height + border.bottom, place.row)
    inside = np.zeros(rows.shape, bool)
    start = border.left * shape.channels
    inside[border.top : border.top + shape.height, start : start + shape.width * shape.channels] = True
    return rows[inside].reshape(shape.height, shape.width, shape.channels), rows[~inside]


def stepper(
    model: Model | QuantizedModel,
    machine: Machine,
    folder: Path,
    compiler: tuple[str, ...],
    *,
    whole_maps: bool = False,
    found: Live | None = None,
    precision: Precision | None = None,
    threads: int = 1,
) -> Stepper:
    """A network as C for a machine, compiled, with a function that runs one step.

    `found` as in `emit`, the others as in `Choices`. With several threads a step runs on as many as `dw_set_threads`
    was told.
    """
    emitted = emit(
        model,
        target_name="test",
        machine=machine,
        choices=Choices(precision=precision, whole_maps=whole_maps, threads=threads),
        found=found,
    )
    write_sources(emitted, folder)
    (folder / "test.c").write_text(_one_step(emitted, threads), encoding="utf-8")
    # What compilers make of kernels is held by tests of kernels, and by those of whole artifacts.
    flags = (*STRICT, *PLAIN, "-fPIC", "-shared", "-nostdlib", "-o", "test.so")
    build((*compiler, *flags, "test.c", "weights.s"), folder)
    library = ctypes.CDLL(str(folder / "test.so"))
    library.test_step.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    library.test_step.restype = None
    return Stepper(emitted=emitted, library=library)


def _one_step(emitted: Emitted, threads: int) -> str:
    """C around model.c: test_step runs one step, with the team where there is one."""
    worker = ", worker" if threads > 1 else ""
    cases = "".join(
        f"    case {i}: {function_name(step)}({'pixels, ' if i == 0 else ''}arena{worker}); break;\n"
        for i, step in enumerate(emitted.plan.steps)
    )
    arguments = "const uint8_t *pixels, uint8_t *arena"
    body = f"{{\n    switch (test_number) {{\n{cases}    default: break;\n    }}\n"
    if threads > 1:
        step = f"static void test_one({arguments}, dwk_worker *worker)\n{body}}}\n"
        # Shared every time, also after calls in which threads were of no use.
        call = "dwk_team.alone = 0;\n    dwk_together(test_one, pixels, arena);"
    else:
        step = f"static void test_one({arguments})\n{body}}}\n"
        call = "test_one(pixels, arena);"
    return (
        f'#include "model.c"\nstatic int test_number;\n{step}void test_step(int number, {arguments});\n'
        f"void test_step(int number, {arguments})\n{{\n    test_number = number;\n    {call}\n}}\n"
    )
