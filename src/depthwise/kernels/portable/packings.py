"""How weights lie for portable C, by the name in a kernel's row."""

from __future__ import annotations

from depthwise.kernels.packing import Packing
from depthwise.kernels.portable import bf16, float32, int8

# In the order that the kernel's header says.
PACKINGS: dict[str, Packing] = {
    "product_f32": float32.product_calls,
    "strassen_f32": float32.strassen_calls,
    "depthwise_f32": float32.depthwise_calls,
    "product_bf16": bf16.product,
    "classifier_bf16": bf16.classifier,
    "depthwise_bf16": bf16.depthwise,
    "product_i8": int8.product,
    "depthwise_i8": int8.depthwise,
    "pool_i8": int8.pool,
    "classifier_i8": int8.classifier,
}
