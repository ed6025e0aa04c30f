"""The ways in which weights lie, by name."""

from __future__ import annotations

from depthwise.compiler.families.packing import Packing
from depthwise.compiler.families.portable import bf16, float32, int8
from depthwise.compiler.families.x86 import bf16 as x86_bf16
from depthwise.compiler.families.x86 import int8 as x86

# What `Kernel.packing` names: the weights of a layer in a step, in the order in which the kernel's header says.
PACKINGS: dict[str, Packing] = {
    "product_f32": float32.product_calls,
    "strassen_f32": float32.strassen_calls,
    "depthwise_f32": float32.depthwise_calls,
    "product_bf16": bf16.product,
    "classifier_bf16": bf16.classifier,
    "depthwise_bf16": bf16.depthwise,
    "depthwise_bf16_x86": x86_bf16.depthwise_x86,
    "product_i8": int8.product,
    "depthwise_i8": int8.depthwise,
    "pool_i8": int8.pool,
    "classifier_i8": int8.classifier,
    "product_x86": x86.product,
    "stem_x86": x86.stem,
    "stem_abreast_x86": x86.stem_abreast,
    "depthwise_x86": x86.depthwise,
    "depthwise3x3s2_avx512vnni": x86.alternating,
    "pool_x86": x86.pool,
    "classifier_x86": x86.classifier,
}
