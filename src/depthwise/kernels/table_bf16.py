"""The rows of the table for bf16, the fastest first and portable C last."""

from __future__ import annotations

from depthwise.kernels.instructions import AVX512BF16, AVX512BF16VL
from depthwise.kernels.kernel import Kernel, Operation

_DEPTHWISE: tuple[Operation, ...] = ("depthwise3x3s1", "depthwise3x3s2")
# Rounding a sum to bfloat16, and where two orders of summation fall on different sides of a half, the step to the next.
_BF16 = 2.0**-7

BF16: tuple[Kernel, ...] = (
    *(
        Kernel(
            header="dwk_product_bf16_x86.h",
            name=rf"dwk_product_bf16_p(\d+)(?:r(\d+))?_c(\d+)x{of.lanes}(?:n(\d+))?__({of.name})",
            macros=("PIXELS", "REST", "VECTORS", "SOME", "SET"),
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
            name=rf"dwk_{operation}_bf16_c32__(avx512bf16)",
            macros=("SET",),
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
        name=r"dwk_product_bf16_p(\d+)(?:r(\d+))?_c(\d+)x(4|8|16)",
        macros=("PIXELS", "REST", "VECTORS", "LANES"),
        operation="product",
        precision="bf16",
        packing="product_bf16",
        tolerance=_BF16,
    ),
    *(
        Kernel(
            header=f"dwk_{operation}_bf16.h",
            name=rf"dwk_{operation}_bf16_c(4|8|16)",
            macros=("LANES",),
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
        packing="classifier_bf16",
        tolerance=1e-5,
    ),
    Kernel(header="dwk_image_bf16.h", name="dwk_pixels_u8bf16", precision="bf16"),
    Kernel(header="dwk_image_bf16.h", name="dwk_border_bf16", precision="bf16"),
)
