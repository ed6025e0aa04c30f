"""The headers that an artifact is built with."""

from __future__ import annotations

import re
from pathlib import Path

from depthwise.kernels.table import KERNELS

FOLDER = Path(__file__).parent
INTERFACE = "depthwise.h"
# Headers that are not a kernel's: vectors, shapes, images of the golden cases, the levels and the functions of
# depthwise.h, and the vocabularies in which kernels for x86 are written.
SHARED = (
    "dwk_intrinsics.h",
    "dwk_vector.h",
    "dwk_vector_i8.h",
    "dwk_vector_bf16.h",
    "dwk_shapes.h",
    "dwk_golden.h",
    "dwk_interface.h",
    "dwk_level.h",
    "dwk_as_level.h",
    "dwk_processor.h",
    "dwk_team.h",
    "dwk_threads.h",
    "dwk_x86.h",
    "dwk_256_x86.h",
    "dwk_window_x86.h",
    "dwk_window_avx512vnni.h",
    "dwk_panel_x86.h",
    "dwk_store_i8_x86.h",
    "dwk_avx2.h",
    "dwk_avxvnni.h",
    "dwk_avx512vnni.h",
    "dwk_avx512bf16.h",
    "dwk_avx512bf16vl.h",
    "dwk_window_bf16_x86.h",
)


def headers() -> dict[str, bytes]:
    """Every header, by file name."""
    names = {INTERFACE, *SHARED, *(kernel.header for kernel in KERNELS)}
    return {name: _read(name) for name in sorted(names)}


def included(source: str) -> dict[str, bytes]:
    """The headers that a C text includes, and those that they include, by file name."""
    found: dict[str, bytes] = {}
    texts = [source]
    while texts:
        for name in re.findall(r'^#include "(\w+\.h)"', texts.pop(), re.MULTILINE):
            if name not in found:
                found[name] = _read(name)
                texts.append(found[name].decode())
    return dict(sorted(found.items()))


def _read(name: str) -> bytes:
    return next(folder / name for folder in (FOLDER, FOLDER / "x86") if (folder / name).is_file()).read_bytes()
