"""Calls kernels one by one, on memory whose ends are watched."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.compiler.step import Form
from depthwise.kernels.kernel import Kernel
from depthwise.kernels.weights import Rounding
from tools.emitted import STRICT, aligned, build, write_headers

GUARD = 256

Array = NDArray[Any]
Call = Callable[..., None]

# What a kernel is given, by its operation: an address is P, a whole number I, WEIGHTS what it has where its weights are
# packed, and a rounding behind them in int8.
P, I, WEIGHTS = "void *", "int32_t ", "weights"  # noqa: E741
PRODUCT = (P, I, I, P, WEIGHTS, P)
DEPTHWISE = (P, I, I, I, I, I, I, WEIGHTS, P, I)
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "product": PRODUCT,
    "stem": PRODUCT,
    "stem_abreast": PRODUCT,
    "product_tiles": PRODUCT,
    "depthwise3x3s1": DEPTHWISE,
    "depthwise3x3s2": DEPTHWISE,
    "pool": (P, I, I, I, I, I, WEIGHTS, P),
    "classifier": (P, I, I, WEIGHTS, P),
}


def included(forms: Iterable[Form]) -> list[str]:
    """Lines of C that make the kernels of these forms, in their vocabularies."""
    forms = list(forms)
    lines = [f'#include "{name}"' for name in dict.fromkeys(form.vocabulary for form in forms) if name]
    for form in forms:
        lines += [f"#define {name} {value}" for name, value in form.macros] + [f'#include "{form.header}"']
    return lines


def arguments(kernel: Kernel) -> Iterator[str]:
    """The kinds of a kernel's parameters."""
    for kind in ARGUMENTS[kernel.operation]:
        if kind != WEIGHTS:
            yield kind
        elif kernel.packing:
            yield P
            yield from [P] * (kernel.precision == "int8")


def wrapper(name: str, kinds: Iterable[str], before: str = "") -> str:
    """C of a function `test_<name>` that calls a kernel whose parameters are of these kinds.

    Args:
        before: C of what comes before the call.
    """
    kinds = list(kinds)
    given = ", ".join(f"{kind}a{i}" for i, kind in enumerate(kinds))
    passed = ", ".join(f"a{i}" for i in range(len(kinds)))
    return f"void test_{name}({given});\nvoid test_{name}({given}) {{ {before}{name}({passed}); }}"


def caller(lines: Iterable[str], folder: Path, command: tuple[str, ...]) -> Call:
    """Calls by name the kernels of which these lines of C make functions `test_<name>`.

    Arrays are passed as addresses, a rounding as a `dwk_rounding`, tuples as structs of whole numbers.
    """
    write_headers(folder)
    (folder / "kernels.c").write_text("\n".join(lines) + "\n")
    build((*command, *STRICT, "-fPIC", "-shared", "-nostdlib", "-o", "kernels.so", "kernels.c"), folder)
    library = ctypes.CDLL(str(folder / "kernels.so"))

    def called(name: str, *arguments: Any) -> None:
        library[f"test_{name}"](*map(_passed, arguments))

    return called


def rounding_words(rounding: Rounding, *, fused: bool = False) -> tuple[int, ...]:
    """The fields of a `dwk_rounding`, as whole numbers."""
    bounds = np.array([rounding.low - rounding.zero_point, rounding.high - rounding.zero_point], np.float32)
    return (*bounds.view(np.int32).tolist(), rounding.zero_point, int(fused))


def _passed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return ctypes.c_void_p(value.ctypes.data)
    if isinstance(value, Rounding):
        value = rounding_words(value)
    if isinstance(value, tuple):
        return (ctypes.c_int32 * len(value))(*value)
    return ctypes.c_int32(value)


class Output:
    """Room for as many values as are asked for between guards; `fill`, whose type the values have, is all over it."""

    def __init__(self, size: int, fill: np.generic) -> None:
        self._fill = fill
        self._memory: Array = aligned(fill.nbytes * (size + 2 * GUARD), 0).view(fill.dtype)
        self._memory[:] = fill
        self.values = self._memory[GUARD : GUARD + size]

    def guards_hold(self) -> bool:
        """Whether nothing was written outside of the room."""
        return bool((self._memory[:GUARD] == self._fill).all() and (self._memory[-GUARD:] == self._fill).all())


def near(values: Array) -> Array:
    """A flat copy that begins at a multiple of 64, as the arena and the weights do."""
    place: Array = aligned(values.nbytes, 0).view(values.dtype)
    place[:] = values.ravel()
    return place


def page_end(values: Array) -> Array:
    """A flat copy whose last byte is the last of a page, behind which memory may not be touched."""
    size = -(-values.nbytes // mmap.PAGESIZE) * mmap.PAGESIZE
    everything = np.frombuffer(mmap.mmap(-1, size + mmap.PAGESIZE), np.uint8)
    libc = ctypes.CDLL(None)
    libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    assert libc.mprotect(everything.ctypes.data + size, mmap.PAGESIZE, 0) == 0
    place: Array = everything[size - values.nbytes : size].view(values.dtype)
    place[:] = values.ravel()
    return place
