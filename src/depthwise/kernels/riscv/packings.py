"""How weights lie for the kernels of RISC-V, by the name in a kernel's row."""

from __future__ import annotations

from depthwise.kernels.packing import Packing
from depthwise.kernels.portable import packings as portable
from depthwise.kernels.riscv import chunks

# In the order that the kernel's header says; panels lie as in portable C.
PACKINGS: dict[str, Packing] = {
    "product_f32": portable.PACKINGS["product_f32"],
    "product_i8": portable.PACKINGS["product_i8"],
    "depthwise_i8": portable.PACKINGS["depthwise_i8"],
    "classifier_i8": portable.PACKINGS["classifier_i8"],
    "depthwise_f32_riscv": chunks.depthwise_f32,
    "depthwise_i8_riscv": chunks.depthwise_i8,
    "pool_i8_riscv": chunks.pool_i8,
}
