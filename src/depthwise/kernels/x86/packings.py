"""How weights lie for the kernels of x86, by the name in a kernel's row."""

from __future__ import annotations

from depthwise.kernels.packing import Packing
from depthwise.kernels.portable import packings as portable
from depthwise.kernels.x86 import bf16, int8

# In the order that the kernel's header says; products of bf16 lie as in portable C.
PACKINGS: dict[str, Packing] = {
    "product_bf16": portable.PACKINGS["product_bf16"],
    "depthwise_bf16_x86": bf16.depthwise_x86,
    "depthwise_bf16_avx512": bf16.depthwise_avx512,
    "product_x86": int8.product,
    "stem_x86": int8.stem,
    "stem_abreast_x86": int8.stem_abreast,
    "depthwise_x86": int8.depthwise,
    "depthwise3x3s2_avx512vnni": int8.alternating,
    "pool_x86": int8.pool,
    "classifier_x86": int8.classifier,
}
