"""The kernels in portable C, which say what each operation means."""

from __future__ import annotations

from depthwise.kernels.kernel import BF16_STEP, Kernel, Operation

_DEPTHWISE: tuple[Operation, ...] = ("depthwise3x3s1", "depthwise3x3s2")

KERNELS: tuple[Kernel, ...] = (
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
    Kernel(header="dwk_image_f32.h", name="dwk_pixels_u8f32"),
    Kernel(header="dwk_image_f32.h", name="dwk_border_f32"),
    Kernel(header="dwk_image_u8.h", name="dwk_pixels_u8", precision="int8"),
    Kernel(header="dwk_image_u8.h", name="dwk_border_u8", precision="int8"),
    Kernel(
        header="dwk_product_bf16.h",
        name=r"dwk_product_bf16_p(\d+)(?:r(\d+))?_c(\d+)x(4|8|16)",
        macros=("PIXELS", "REST", "VECTORS", "LANES"),
        operation="product",
        precision="bf16",
        packing="product_bf16",
        tolerance=BF16_STEP,
    ),
    *(
        Kernel(
            header=f"dwk_{operation}_bf16.h",
            name=rf"dwk_{operation}_bf16_c(4|8|16)",
            macros=("LANES",),
            operation=operation,
            precision="bf16",
            packing="depthwise_bf16",
            tolerance=BF16_STEP,
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
