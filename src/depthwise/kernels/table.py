"""The kernels that exist, which of them a machine runs, and the headers that an artifact is built with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).parent
INTERFACE = "depthwise.h"
# Headers that are not a kernel's: vectors, shapes, images of the golden cases, the functions of depthwise.h.
SHARED = ("dwk_vector.h", "dwk_vector_i8.h", "dwk_shapes.h", "dwk_golden.h", "dwk_interface.h")

Precision = Literal["float32", "int8"]
Operation = Literal["product", "depthwise3x3s1", "depthwise3x3s2", "pool", "classifier", ""]


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """One kernel; a header that takes macros has many forms, each with its own name.

    Attributes:
        header: the file, which says what it computes and how its weights lie.
        name: pattern of the functions' names; its groups are the macros of the form, in the order of `macros`.
        macros: macros that make a form, without their prefix DWK_.
        operation: what a step asks for; empty for what is no step's.
        precision: of the networks that use it.
        packing: how its weights lie, by name of a row of `compiler.pack.PACKINGS`; empty where it has none.
        needs: macros that a compiler predefines for the machines that can run it; none for portable C.
        tolerance: largest difference from the oracle, relative to the largest value of the layer.
    """

    header: str
    name: str
    macros: tuple[str, ...] = ()
    operation: Operation = ""
    precision: Precision = "float32"
    packing: str = ""
    needs: frozenset[str] = frozenset()
    tolerance: float = 0.0

    @property
    def base(self) -> str:
        """The names of all its forms begin with this."""
        return self.header.removesuffix(".h")

    def parse(self, function: str) -> dict[str, str] | None:
        """The macros of the form that a function's name says, or None when it is another kernel's."""
        match = re.fullmatch(self.name, function)
        return None if match is None else {m: v or "0" for m, v in zip(self.macros, match.groups(), strict=True)}


# Of the rows for one operation and precision the fastest stands first, and portable C last.
KERNELS = (
    Kernel(
        header="dwk_product_f32.h",
        name=r"dwk_product_f32_(relu6?)_p(\d+)(?:r(\d+))?_c(\d+)x(4|8|16)",
        macros=("ACTIVATION", "PIXELS", "REST", "VECTORS", "LANES"),
        operation="product",
        packing="product_f32",
        tolerance=1e-5,
    ),
    Kernel(
        header="dwk_depthwise3x3s1_f32.h",
        name=r"dwk_depthwise3x3s1_f32_(relu6?)_c(4|8|16)",
        macros=("ACTIVATION", "LANES"),
        operation="depthwise3x3s1",
        packing="depthwise_f32",
        tolerance=1e-5,
    ),
    Kernel(
        header="dwk_depthwise3x3s2_f32.h",
        name=r"dwk_depthwise3x3s2_f32_(relu6?)_c(4|8|16)",
        macros=("ACTIVATION", "LANES"),
        operation="depthwise3x3s2",
        packing="depthwise_f32",
        tolerance=1e-5,
    ),
    Kernel(
        header="dwk_pool_f32.h",
        name=r"dwk_pool_f32_c(4|8|16)",
        macros=("LANES",),
        operation="pool",
        tolerance=1e-5,
    ),
    Kernel(
        header="dwk_classifier_f32.h",
        name=r"dwk_classifier_f32_c(\d+)x(4|8|16)",
        macros=("VECTORS", "LANES"),
        operation="classifier",
        packing="product_f32",
        tolerance=1e-5,
    ),
    Kernel(
        header="dwk_product_i8.h",
        name=r"dwk_product_i8_p(\d+)(?:r(\d+))?_c(\d+)x(4|8|16)",
        macros=("PIXELS", "REST", "VECTORS", "LANES"),
        operation="product",
        precision="int8",
        packing="product_i8",
    ),
    Kernel(
        header="dwk_depthwise3x3s1_i8.h",
        name=r"dwk_depthwise3x3s1_i8_c(4|8|16)",
        macros=("LANES",),
        operation="depthwise3x3s1",
        precision="int8",
        packing="depthwise_i8",
    ),
    Kernel(
        header="dwk_depthwise3x3s2_i8.h",
        name=r"dwk_depthwise3x3s2_i8_c(4|8|16)",
        macros=("LANES",),
        operation="depthwise3x3s2",
        precision="int8",
        packing="depthwise_i8",
    ),
    Kernel(
        header="dwk_pool_i8.h",
        name=r"dwk_pool_i8_c(4|8|16)",
        macros=("LANES",),
        operation="pool",
        precision="int8",
        packing="pool_i8",
    ),
    Kernel(
        header="dwk_classifier_i8.h",
        name=r"dwk_classifier_i8_(products|bytes)_c(\d+)x(4|8|16)",
        macros=("LOGITS", "VECTORS", "LANES"),
        operation="classifier",
        precision="int8",
        packing="classifier_i8",
    ),
    Kernel(header="dwk_softmax_f32.h", name="dwk_softmax_f32", tolerance=1e-6),
    Kernel(header="dwk_image_f32.h", name="dwk_pixels_u8f32"),
    Kernel(header="dwk_image_f32.h", name="dwk_border_f32"),
    Kernel(header="dwk_image_u8.h", name="dwk_pixels_u8", precision="int8"),
    Kernel(header="dwk_image_u8.h", name="dwk_border_u8", precision="int8"),
    Kernel(header="dwk_prepare.h", name="dwk_prepare"),
)

# All that any kernel needs of a machine.
FEATURES = frozenset[str]().union(*(kernel.needs for kernel in KERNELS))


def fastest(operation: Operation, precision: Precision, features: frozenset[str]) -> Kernel:
    """The kernel for an operation on a machine with these features: the first row that it can run."""
    rows = (row for row in KERNELS if (row.operation, row.precision) == (operation, precision))
    return next(row for row in rows if row.needs <= features)


def headers() -> dict[str, bytes]:
    """Every header, by file name."""
    names = {INTERFACE, *SHARED, *(kernel.header for kernel in KERNELS)}
    return {name: (FOLDER / name).read_bytes() for name in sorted(names)}


def included(source: str) -> dict[str, bytes]:
    """The headers that a C text includes, and those that they include, by file name."""
    found: dict[str, bytes] = {}
    texts = [source]
    while texts:
        for name in re.findall(r'^#include "(\w+\.h)"', texts.pop(), re.MULTILINE):
            if name not in found:
                found[name] = (FOLDER / name).read_bytes()
                texts.append(found[name].decode())
    return dict(sorted(found.items()))
