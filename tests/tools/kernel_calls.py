"""Calls kernels one by one, on memory whose ends are watched."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.compiler.step import Form
from depthwise.kernels.weights import Rounding
from depthwise.network.requantize import requantize
from tools.emitted import STRICT, aligned, build, write_headers

GUARD = 256
# Of bytes: zero point, low, high
CLAMPS = ((0, 0, 255), (7, 3, 250), (200, 0, 255), (255, 31, 224))

Array = NDArray[Any]
Bytes = NDArray[np.uint8]
Call = Callable[..., None]
# The kinds of a kernel's parameters, by how its name begins.
Signatures = Mapping[str, tuple[str, ...]]


def included(forms: Iterable[Form]) -> list[str]:
    """Lines of C that make the kernels of these forms, in their vocabularies."""
    forms = list(forms)
    lines = [f'#include "{name}"' for name in dict.fromkeys(form.vocabulary for form in forms) if name]
    for form in forms:
        lines += [f"#define {name} {value}" for name, value in form.macros] + [f'#include "{form.header}"']
    return lines


def wrapper(name: str, signatures: Signatures) -> str:
    """C of a function `test_<name>` that calls the kernel."""
    kinds = next(kinds for start, kinds in signatures.items() if name.startswith(start))
    given = ", ".join(f"{kind}a{i}" for i, kind in enumerate(kinds))
    passed = ", ".join(f"a{i}" for i in range(len(kinds)))
    return f"void test_{name}({given});\nvoid test_{name}({given}) {{ {name}({passed}); }}"


def caller(lines: Iterable[str], folder: Path, command: tuple[str, ...]) -> Call:
    """Calls by name the kernels of which these lines of C make functions `test_<name>`.

    Arrays are passed as addresses; a rounding, or its zero point and what is lowest and highest, as a `dwk_rounding`;
    other tuples as structs of whole numbers.
    """
    write_headers(folder)
    (folder / "kernels.c").write_text("\n".join(lines) + "\n")
    build((*command, *STRICT, "-fPIC", "-shared", "-nostdlib", "-o", "kernels.so", "kernels.c"), folder)
    library = ctypes.CDLL(str(folder / "kernels.so"))

    def called(name: str, *arguments: Any) -> None:
        library[f"test_{name}"](*map(_passed, arguments))

    return called


def _passed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return ctypes.c_void_p(value.ctypes.data)
    if isinstance(value, Rounding):
        value = (value.zero_point, value.low, value.high)
    if isinstance(value, tuple):
        if len(value) == 3:
            zero, low, high = value
            value = (*np.array([low - zero, high - zero], np.float32).view(np.int32).tolist(), zero)
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


def words(rng: np.random.Generator, channels: int, products: int) -> list[NDArray[Any]]:
    """Biases and multipliers that put sums of so many products on both sides of every clamp."""
    bias = rng.integers(-20_000, 20_000, channels).astype(np.int32)
    multiplier = rng.uniform(0.5, 1.5, channels) / (128 * np.sqrt(products))
    return [bias, multiplier.astype(np.float32)]


def bytes_of(acc: NDArray[Any], multiplier: NDArray[Any], clamp: tuple[int, int, int]) -> Bytes:
    """Sums of products as bytes, by the formula."""
    zero, low, high = clamp
    return requantize(acc.astype(np.int32), multiplier, zero, low=low, high=high)
