"""How weights lie for the kernels of RISC-V, by the name in a kernel's row."""

from __future__ import annotations

from depthwise.kernels.packing import Packing
from depthwise.kernels.portable import packings as portable
from depthwise.kernels.riscv import int8

# In the order that the kernel's header says; panels lie as in portable C.
PACKINGS: dict[str, Packing] = {
    "product_i8": portable.PACKINGS["product_i8"],
    "classifier_i8": portable.PACKINGS["classifier_i8"],
    "depthwise_riscv": int8.depthwise,
    "pool_riscv": int8.pool,
}
