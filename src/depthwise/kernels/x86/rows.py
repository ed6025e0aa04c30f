"""The kernels for x86, the fastest first."""

from __future__ import annotations

from depthwise.kernels.instructions import Instructions
from depthwise.kernels.kernel import BF16_STEP, Kernel, Operation
from depthwise.kernels.x86.instructions import (
    AMX,
    AMXBF16,
    AVX2,
    AVX512,
    AVX512BF16,
    AVX512BF16VL,
    AVX512VBMI,
    AVX512VNNI,
    AVXVNNI,
)

_DEPTHWISE: tuple[Operation, ...] = ("depthwise3x3s1", "depthwise3x3s2")
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
                fuses=of == AVX512VNNI and operation == "product",
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


# Of the rows for one operation and precision the fastest stands first.
KERNELS: tuple[Kernel, ...] = (
    Kernel(
        header="dwk_product_tiles_i8_amx.h",
        name=r"dwk_product_tiles_i8_(converted|fused)_p(\d+)k(\d+)_c4x16__amx",
        macros=("WAY", "PIXELS", "BYTES"),
        operation="product_tiles",
        precision="int8",
        packing="product_x86",
        instructions=AMX,
    ),
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
            fuses=True,
        )
        for operation, packing in _AVX512VNNI
    ),
    *_x86(AVX512VNNI, ("pool",)),
    *_x86(AVXVNNI),
    *_x86(AVX2),
    Kernel(
        header="dwk_product_tiles_bf16_amxbf16.h",
        name=r"dwk_product_tiles_bf16_p(\d+)k(\d+)_c([124])x16(?:n(\d+))?__amxbf16",
        macros=("PIXELS", "BYTES", "VECTORS", "SOME"),
        operation="product_tiles",
        precision="bf16",
        packing="product_bf16",
        instructions=AMXBF16,
        tolerance=BF16_STEP,
    ),
    *(
        Kernel(
            header="dwk_product_bf16_x86.h",
            name=rf"dwk_product_bf16_p(\d+)(?:r(\d+))?_c(\d+)x{of.lanes}(?:n(\d+))?__({of.name})",
            macros=("PIXELS", "REST", "VECTORS", "SOME", "SET"),
            operation="product",
            precision="bf16",
            packing="product_bf16",
            instructions=of,
            tolerance=BF16_STEP,
        )
        for of in (AVX512BF16, AVX512BF16VL)
    ),
    *(
        Kernel(
            header=f"dwk_{operation}_bf16_x86.h",
            name=rf"dwk_{operation}_bf16_c32__({of.name})",
            macros=("SET",),
            operation=operation,
            precision="bf16",
            packing=packing,
            instructions=of,
            tolerance=BF16_STEP,
        )
        for of, packing in ((AVX512BF16, "depthwise_bf16_x86"), (AVX512, "depthwise_bf16_avx512"))
        for operation in _DEPTHWISE
    ),
)
