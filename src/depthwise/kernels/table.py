"""The kernels that exist, and which of them a machine runs."""

from __future__ import annotations

from depthwise.kernels.instructions import (
    AVX2,
    AVX512BF16,
    AVX512BF16VL,
    AVX512VBMI,
    AVX512VNNI,
    AVXVNNI,
    Instructions,
)
from depthwise.kernels.kernel import Kernel, Operation, Precision
from depthwise.kernels.table_bf16 import BF16

__all__ = ["FEATURES", "KERNELS", "Kernel", "Operation", "Precision", "fastest", "half"]


_CHUNKS: tuple[Operation, ...] = ("depthwise3x3s1", "depthwise3x3s2", "pool")
# Those that AVX512-VNNI has of its own, and how their weights lie.
_AVX512VNNI: tuple[tuple[Operation, str], ...] = (
    ("depthwise3x3s1", "depthwise_x86"),
    ("depthwise3x3s2", "depthwise3x3s2_avx512vnni"),
)


def _x86(of: Instructions, chunks: tuple[Operation, ...] = _CHUNKS) -> tuple[Kernel, ...]:
    """The int8 kernels that are written once for all instructions of x86.

    Args:
        chunks: those that take as many channels at a time as a vector has bytes.
    """
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
            for operation in chunks
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


# Of the rows for one operation and precision the fastest stands first, and portable C last.
KERNELS: tuple[Kernel, ...] = (
    Kernel(
        header="dwk_stem_abreast_i8_avx512vbmi.h",
        name=r"dwk_stem_abreast_i8_p16(?:r(\d+))?_c1x(\d+)__avx512vbmi",
        macros=("REST", "LANES"),
        operation="stem_abreast",
        precision="int8",
        packing="stem_abreast_x86",
        instructions=AVX512VBMI,
    ),
    *(
        Kernel(
            header=f"dwk_{operation}_i8_avx512vnni.h",
            name=rf"dwk_{operation}_i8_c64__avx512vnni",
            operation=operation,
            precision="int8",
            packing=packing,
            instructions=AVX512VNNI,
        )
        for operation, packing in _AVX512VNNI
    ),
    *_x86(AVX512VNNI, ("pool",)),
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
    *BF16,
    Kernel(header="dwk_softmax_f32.h", name="dwk_softmax_f32", tolerance=1e-6),
    Kernel(header="dwk_image_f32.h", name="dwk_pixels_u8f32"),
    Kernel(header="dwk_image_f32.h", name="dwk_border_f32"),
    Kernel(header="dwk_image_u8.h", name="dwk_pixels_u8", precision="int8"),
    Kernel(header="dwk_image_u8.h", name="dwk_border_u8", precision="int8"),
    Kernel(header="dwk_prepare.h", name="dwk_prepare"),
)

# What an operation is a case of, where a machine has no kernel for it.
_GENERAL: dict[Operation, Operation] = {"stem_abreast": "stem", "stem": "product"}
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
