#!/usr/bin/env python3
"""Measure the table RATES of depthwise/kernels/x86/rates.py: python scripts/measure_rates.py GHZ [PRECISION ...]

GHZ is the clock at which this machine computes. Times every call of a kernel in seven networks, in each precision, at
each processor level that this machine has and with all that it has; fits two numbers a kernel, and prints the rows of
the table. Behind each stand the largest error over layers, and that of their sum.
"""

from __future__ import annotations

import ctypes
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from depthwise.bench.profile import MOST_CALLS, instrumented
from depthwise.bench.subject import random_subject
from depthwise.compiler import targets
from depthwise.compiler.account.expected import rate_key, work
from depthwise.compiler.choices import Choices
from depthwise.compiler.compile import emit
from depthwise.compiler.emit.ctext import identifier
from depthwise.compiler.outputs import compilers
from depthwise.compiler.outputs.library import library
from depthwise.compiler.plan.plan import Plan
from depthwise.compiler.targets import Target
from depthwise.errors import Refused
from depthwise.kernels.machine import Machine
from depthwise.kernels.x86.levels import LEVELS
from depthwise.network.spec import Spec
from depthwise.precision import Precision

NETWORKS = ((1.0, 224), (1.0, 128), (0.75, 160), (0.5, 192), (0.5, 128), (0.25, 224), (0.25, 128))
SECONDS = 1.5
Key = tuple[str, str]
# For each kernel (products, values, nanoseconds) of its calls.
Found = dict[Key, list[tuple[int, int, float]]]


def main(arguments: list[str]) -> int:
    """Print the rows."""
    clock, *precisions = arguments
    for precision in (name for name in get_args(Precision) if name in precisions or not precisions):
        printed: set[Key] = set()
        for target in _targets():
            found: Found = defaultdict(list)
            try:
                with tempfile.TemporaryDirectory() as folder:
                    for width, resolution in NETWORKS:
                        spec = Spec(width=width, resolution=resolution, classes=1000)
                        _measure(spec, precision, target, Path(folder) / f"{width}-{resolution}.so", found)
            except Refused as refusal:
                print(f"# {precision}, {target.about}: {refusal}", flush=True)
                continue
            for key in sorted(found.keys() - printed):
                print(_row(key, found[key], float(clock)), flush=True)
            printed |= found.keys()
    return 0


def _targets() -> list[Target]:
    """The levels of x86, lowest first, and this machine as it is."""
    host = targets.target("host")
    rows = [replace(targets.at_level(host, level.name), about=level.about) for level in LEVELS]
    # What AVX-VNNI adds, AVX-512 with VNNI has too, in another encoding.
    rows = [replace(row, zig=host.zig) if row.level == "avxvnni" else row for row in rows]
    return [*rows, host]


def _measure(spec: Spec, precision: Precision, target: Target, out: Path, found: Found) -> None:
    """Add the least times of the kernels of one network.

    Raises: Refused, where this machine lacks the level or the precision has no kernels there.
    """
    subject = random_subject(spec, precision)
    compiler = compilers.compiler(target, None)
    machine = target.machine or compiler.machine()
    emitted = emit(subject.model, target_name="host", machine=machine, choices=Choices(precision=precision))
    calls: list[tuple[str, str]] = []

    def number(step: str, kernel: str) -> int:
        calls.append((step, kernel))
        if len(calls) > MOST_CALLS:
            raise Refused(f"more than {MOST_CALLS} calls of kernels")
        return len(calls) - 1

    text = instrumented(emitted.model_c, number, MOST_CALLS)
    library(compiler, text, emitted.packed.words, emitted.plan.precision, out)
    times = _least_times(out, spec, len(calls))
    spent: dict[tuple[str, bool], float] = defaultdict(float)
    for (step, kernel), nanoseconds in zip(calls, times, strict=True):
        if "border" not in kernel and "pixels" not in kernel:
            spent[step, "depthwise" in kernel] += nanoseconds
    _assign(emitted.plan, machine, spent, found)


def _assign(plan: Plan, machine: Machine, spent: dict[tuple[str, bool], float], found: Found) -> None:
    for step in plan.steps:
        for layer, kernel in zip(step.layers, step.kernels, strict=True):
            nanoseconds = spent[identifier(step.name), layer.kind == "depthwise"]
            found[rate_key(kernel, machine.lanes)].append((*work(layer), nanoseconds))


def _least_times(path: Path, spec: Spec, count: int) -> NDArray[np.float64]:
    """Nanoseconds of each call, the least of many runs."""
    library = ctypes.CDLL(str(path))
    library.dw_processor.restype = ctypes.c_int32
    if library.dw_processor() != 0:
        raise Refused("this processor lacks it")
    spent = (ctypes.c_uint64 * MOST_CALLS).in_dll(library, "dwb_spent")
    library.dw_run.argtypes, library.dwb_now.restype = (ctypes.c_void_p,) * 3, ctypes.c_uint64
    pixels = np.random.default_rng(0).integers(0, 256, (spec.resolution, spec.resolution, 3), np.uint8)
    probabilities = np.zeros(spec.classes, np.float32)
    least = np.full(count, np.inf)
    first, begun = library.dwb_now(), time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        ctypes.memset(spent, 0, ctypes.sizeof(spent))
        library.dw_run(pixels.ctypes.data, probabilities.ctypes.data, None)
        least = np.minimum(least, spent[:count])
    return np.asarray(least * ((time.perf_counter() - begun) * 1e9 / (library.dwb_now() - first)))


def _row(key: Key, calls: list[tuple[int, int, float]], clock: float) -> str:
    """The line of the table: least squares of relative errors, with no number below 0."""
    numbers = np.array(calls)
    work_done, cycles = numbers[:, :2], numbers[:, 2] * clock
    relative: Any = work_done / cycles[:, None]
    ones = np.ones(len(cycles))
    product, value = np.linalg.lstsq(relative, ones, rcond=None)[0]
    if product <= 0 or value <= 0:
        product, value = np.linalg.lstsq(relative[:, :1], ones, rcond=None)[0][0], 0.0
    error = work_done @ (product, value) / cycles - 1
    total = (work_done @ (product, value)).sum() / cycles.sum() - 1
    name, of = key
    return (
        f'    ("{name}", "{of}"): Rate(products={1 / product:.3g}, value={value:.3g}),'
        f"  # {np.abs(error).max():.0%}, {total:+.0%}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
