"""The kernels that exist, and which of them a machine runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from depthwise.kernels.instructions import (
    AVX2,
    AVX512BF16,
    AVX512BF16VL,
    AVX512VBMI,
    AVX512VNNI,
    AVXVNNI,
    PORTABLE,
    Instructions,
)

Precision = Literal["float32", "bf16", "int8"]
Operation = Literal[
    "product", "strassen", "stem", "stem8", "depthwise3x3s1", "depthwise3x3s2", "pool", "classifier", ""
]


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
        instructions: what it is written for.
        tolerance: largest difference from the oracle, relative to the largest value of the layer.
    """

    header: str
    name: str
    macros: tuple[str, ...] = ()
    operation: Operation = ""
    precision: Precision = "float32"
    packing: str = ""
    instructions: Instructions = PORTABLE
    tolerance: float = 0.0

    @property
    def base(self) -> str:
        """The names of all its forms begin with this."""
        end = f"_{self.instructions.name}.h" if self.instructions.name else ".h"
        return self.header.removesuffix(end).removesuffix("_x86.h")

    def parse(self, function: str) -> dict[str, str] | None:
        """The macros of the form that a function's name says, or None when it is another kernel's."""
        match = re.fullmatch(self.name, function)
        return None if match is None else {m: v or "0" for m, v in zip(self.macros, match.groups(), strict=True)}


def _x86(of: Instructions) -> tuple[Kernel, ...]:
    """The int8 kernels that are written once for all instructions of x86."""
    end = f"__({of.name})"
    size = 4 * of.lanes
    return (
        *(
            Kernel(
                header=f"dwk_{operation}_i8_x86.h",
                name=rf"dwk_{operation}_i8_p(\d+)(?:r(\d+))?_c(\d+)x{of.lanes}(?:n(\d+))?{end}",
                macros=("PIXELS", "REST", "VECTORS", "SOME", "SET"),
                operation=operation,
                precision="int8",
                packing=f"{operation}_x86",
                instructions=of,
            )
            for operation in ("product", "stem")
        ),
        *(
            Kernel(
                header=f"dwk_{operation}_i8_x86.h",
                name=rf"dwk_{operation}_i8_c{size}{end}",
                macros=("SET",),
                operation=operation,
                precision="int8",
                packing="pool_x86" if operation == "pool" else "depthwise_x86",
                instructions=of,
            )
            for operation in ("depthwise3x3s1", "depthwise3x3s2", "pool")
        ),
        Kernel(
            header="dwk_classifier_i8_x86.h",
            name=rf"dwk_classifier_i8_(products|bytes)_c(\d+)x{of.lanes}{end}",
            macros=("LOGITS", "VECTORS", "SET"),
            operation="classifier",
            precision="int8",
            packing="classifier_x86",
            instructions=of,
        ),
    )


_DEPTHWISE: tuple[Operation, ...] = ("depthwise3x3s1", "depthwise3x3s2")
# Rounding a sum to bfloat16, and where two orders of summation fall on different sides of a half, the step to the next.
_BF16 = 2.0**-7

_BFLOAT16 = (
    *(
        Kernel(
            header="dwk_product_bf16_x86.h",
            name=rf"dwk_product_bf16_(relu6?)_p(\d+)(?:r(\d+))?_c(\d+)x{of.lanes}(?:n(\d+))?__({of.name})",
            macros=("ACTIVATION", "PIXELS", "REST", "VECTORS", "SOME", "SET"),
            operation="product",
            precision="bf16",
            packing="product_bf16",
            instructions=of,
            tolerance=_BF16,
        )
        for of in (AVX512BF16, AVX512BF16VL)
    ),
    *(
        Kernel(
            header=f"dwk_{operation}_bf16_x86.h",
            name=rf"dwk_{operation}_bf16_(relu6?)_c32__(avx512bf16)",
            macros=("ACTIVATION", "SET"),
            operation=operation,
            precision="bf16",
            packing="depthwise_bf16_x86",
            instructions=AVX512BF16,
            tolerance=_BF16,
        )
        for operation in _DEPTHWISE
    ),
    Kernel(
        header="dwk_product_bf16.h",
        name=r"dwk_product_bf16_(relu6?)_p(\d+)(?:r(\d+))?_c(\d+)x(4|8|16)",
        macros=("ACTIVATION", "PIXELS", "REST", "VECTORS", "LANES"),
        operation="product",
        precision="bf16",
        packing="product_bf16",
        tolerance=_BF16,
    ),
    *(
        Kernel(
            header=f"dwk_{operation}_bf16.h",
            name=rf"dwk_{operation}_bf16_(relu6?)_c(4|8|16)",
            macros=("ACTIVATION", "LANES"),
            operation=operation,
            precision="bf16",
            packing="depthwise_bf16",
            tolerance=_BF16,
        )
        for operation in _DEPTHWISE
    ),
    Kernel(
        header="dwk_pool_bf16f32.h",
        name=r"dwk_pool_bf16f32_c(4|8|16)",
        macros=("LANES",),
        operation="pool",
        precision="bf16",
        tolerance=1e-5,
    ),
    Kernel(
        header="dwk_classifier_bf16.h",
        name=r"dwk_classifier_bf16_c(\d+)x(4|8|16)",
        macros=("VECTORS", "LANES"),
        operation="classifier",
        precision="bf16",
        packing="product_bf16",
        tolerance=1e-5,
    ),
    Kernel(header="dwk_image_bf16.h", name="dwk_pixels_u8bf16", precision="bf16"),
    Kernel(header="dwk_image_bf16.h", name="dwk_border_bf16", precision="bf16"),
)

# Of the rows for one operation and precision the fastest stands first, and portable C last.
KERNELS: tuple[Kernel, ...] = (
    Kernel(
        header="dwk_stem8_i8_avx512vbmi.h",
        name=r"dwk_stem8_i8_p16(?:r(\d+))?_c1x8__avx512vbmi",
        macros=("REST",),
        operation="stem8",
        precision="int8",
        packing="stem8_x86",
        instructions=AVX512VBMI,
    ),
    *_x86(AVX512VNNI),
    *_x86(AVXVNNI),
    *_x86(AVX2),
    Kernel(
        header="dwk_product_f32.h",
        name=r"dwk_product_f32_(relu6?)_p(\d+)(?:r(\d+))?_c(\d+)x(4|8|16)",
        macros=("ACTIVATION", "PIXELS", "REST", "VECTORS", "LANES"),
        operation="product",
        packing="product_f32",
        tolerance=1e-5,
    ),
    Kernel(
        header="dwk_strassen_f32.h",
        name=r"dwk_strassen_f32_(relu6?)_p(\d+)(?:r(\d+))?_c(\d+)x(4|8|16)",
        macros=("ACTIVATION", "PIXELS", "REST", "VECTORS", "LANES"),
        operation="strassen",
        packing="strassen_f32",
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
    *_BFLOAT16,
    Kernel(header="dwk_softmax_f32.h", name="dwk_softmax_f32", tolerance=1e-6),
    Kernel(header="dwk_image_f32.h", name="dwk_pixels_u8f32"),
    Kernel(header="dwk_image_f32.h", name="dwk_border_f32"),
    Kernel(header="dwk_image_u8.h", name="dwk_pixels_u8", precision="int8"),
    Kernel(header="dwk_image_u8.h", name="dwk_border_u8", precision="int8"),
    Kernel(header="dwk_prepare.h", name="dwk_prepare"),
)

# What an operation is a case of, where a machine has no kernel for it.
_GENERAL: dict[Operation, Operation] = {"stem8": "stem", "stem": "product"}
# All that any kernel needs of a machine.
FEATURES = frozenset[str]().union(*(kernel.instructions.needs for kernel in KERNELS))


def fastest(operation: Operation, precision: Precision, features: frozenset[str]) -> Kernel:
    """The kernel for an operation on a machine with these features: the first row that it can run.

    An operation for which there is none is one of the more general operation.
    """
    rows = [row for row in KERNELS if row.precision == precision and row.instructions.needs <= features]
    found = next((row for row in rows if row.operation == operation), None)
    return found or fastest(_GENERAL[operation], precision, features)


def half(kernel: Kernel) -> Kernel:
    """The same operation in vectors of half the width where the machine has them too, else the kernel itself."""
    narrow = {AVX512VNNI: AVXVNNI, AVX512BF16: AVX512BF16VL}.get(kernel.instructions)
    if narrow is None:
        return kernel
    wanted = (kernel.operation, kernel.precision, narrow)
    return next(row for row in KERNELS if (row.operation, row.precision, row.instructions) == wanted)
