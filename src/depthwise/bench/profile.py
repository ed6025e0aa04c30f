"""Time by kind of layer: the artifact's C once more, with the processor's counter read around every kernel."""

from __future__ import annotations

import ctypes
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from depthwise.bench.peers import Pixels
from depthwise.bench.results import KindTime
from depthwise.bench.subject import Subject
from depthwise.compiler import targets
from depthwise.compiler.choices import Choices
from depthwise.compiler.compile import emit
from depthwise.compiler.outputs import compilers
from depthwise.compiler.outputs.library import library
from depthwise.cost.formulas import macs
from depthwise.errors import Refused
from depthwise.network.layers import KINDS, layers
from depthwise.network.live import live
from depthwise.network.spec import Spec

OTHER = "other"
_ALL = (*KINDS, OTHER)
_SECONDS, _FEWEST_CALLS = 0.5, 10

_FUNCTION = re.compile(r"^static void dwl_(\w+)\([^)]*\)\n\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"^( +)(dwk_\w+\([^;{}]*\));", re.MULTILINE)
# Places for the times of calls, where each has its own.
MOST_CALLS = 512
_COUNTER = """#include <stdint.h>
__attribute__((visibility("default"))) uint64_t dwb_spent[%d];
__attribute__((visibility("default"))) uint64_t dwb_now(void);
uint64_t dwb_now(void) { return __builtin_readcyclecounter(); }
#define DWB_TIMED(kind, ...)                                    \\
    do {                                                        \\
        uint64_t dwb_begun = __builtin_readcyclecounter();      \\
        __VA_ARGS__;                                            \\
        dwb_spent[kind] += __builtin_readcyclecounter() - dwb_begun; \\
    } while (0)
"""


def profile(subject: Subject, pixels: Pixels, folder: Path) -> tuple[KindTime, ...]:
    """Milliseconds by kind in one call of the artifact for this machine; what no kernel takes is "other".

    Empty where its C has no calls of kernels that can be told apart, or no such counter can be read.
    """
    model = subject.model
    row = targets.target("host")
    try:
        compiler = compilers.compiler(row, None)
        found = None if subject.keep_dead else live(model)
        machine = row.machine or compiler.machine()
        choices = Choices(precision=subject.precision)
        emitted = emit(model, target_name=row.name, machine=machine, choices=choices, found=found)
        text, count = timed(emitted.model_c, model.spec)
        if not count:
            return ()
        out = folder / "profile.so"
        library(compiler, text, emitted.packed.words, emitted.plan.precision, out)
    except Refused:
        return ()
    return _shares(_measured(out, model.spec, pixels), model.spec)


def timed(model_c: str, spec: Spec) -> tuple[str, int]:
    """The C with every call of a kernel timed by its kind, and how many there are."""
    count = 0

    def place(step: str, kernel: str) -> int:
        nonlocal count
        count += 1
        return _ALL.index(kind_of(step, kernel, spec))

    return instrumented(model_c, place, len(_ALL)), count


def instrumented(model_c: str, place: Callable[[str, str], int], places: int) -> str:
    """The C with the time of every call of a kernel added up in dwb_spent.

    Args:
        place: where in it, by the name of the step's function and that of the kernel.
        places: that it has.
    """

    def of_function(found: re.Match[str]) -> str:
        step = found[1]

        def of_call(call: re.Match[str]) -> str:
            return f"{call[1]}DWB_TIMED({place(step, call[2].partition('(')[0])}, {call[2]});"

        return found[0].replace(found[2], _CALL.sub(of_call, found[2]))

    return _COUNTER % places + _FUNCTION.sub(of_function, model_c)


def kind_of(step: str, kernel: str, spec: Spec) -> str:
    """The kind of layer that a kernel in a step belongs to."""
    whole = {"conv_stem": "stem", "global_pool": "pool", "classifier": "classifier"}
    if step in whole:
        return whole[step]
    if "depthwise" in kernel:
        return "depthwise"
    if "product" in kernel or "strassen" in kernel:
        return "standard" if spec.convolution == "standard" else "pointwise"
    return OTHER


def _measured(path: Path, spec: Spec, pixels: Pixels) -> dict[str, float]:
    """Milliseconds by kind, each the least of many calls; the call as a whole is under ""."""
    library = ctypes.CDLL(str(path))
    spent = (ctypes.c_uint64 * len(_ALL)).in_dll(library, "dwb_spent")
    library.dw_run.argtypes, library.dw_run.restype = (ctypes.c_void_p,) * 3, ctypes.c_int32
    probabilities = np.zeros(spec.classes, np.float32)
    given = (np.ascontiguousarray(pixels).ctypes.data, probabilities.ctypes.data, None)
    library.dw_run(*given)
    best: dict[str, float] = {}
    library.dwb_now.restype = ctypes.c_uint64
    first_tick, start = library.dwb_now(), time.perf_counter()
    calls, end = 0, start + _SECONDS
    while calls < _FEWEST_CALLS or time.perf_counter() < end:
        ctypes.memset(spent, 0, ctypes.sizeof(spent))
        begun = time.perf_counter()
        library.dw_run(*given)
        took = time.perf_counter() - begun
        calls += 1
        for name, number in zip(_ALL, spent, strict=True):
            best[name] = min(best.get(name, float("inf")), number)
        best[""] = min(best.get("", float("inf")), took * 1e3)
    # The counter's rate is constant, whatever the processor's.
    per_tick = (time.perf_counter() - start) * 1e3 / (library.dwb_now() - first_tick)
    return {name: value if name == "" else value * per_tick for name, value in best.items()}


def _shares(found: dict[str, float], spec: Spec) -> tuple[KindTime, ...]:
    table = layers(spec)
    macs_of: dict[str, int] = dict.fromkeys(_ALL, 0)
    macs_of |= {kind: sum(macs(layer) for layer in table if layer.kind == kind) for kind in KINDS}
    total = found.pop("")
    found[OTHER] = max(0.0, total - sum(ms for kind, ms in found.items() if kind != OTHER))
    return tuple(
        KindTime(kind=kind, ms=ms, share=ms / sum(found.values()), macs_share=macs_of[kind] / sum(macs_of.values()))
        for kind, ms in found.items()
        if ms > 0 or macs_of[kind]
    )
