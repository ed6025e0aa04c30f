"""The kernels for RISC-V with vectors, those for the longer ones first."""

from __future__ import annotations

from depthwise.kernels.instructions import Instructions
from depthwise.kernels.kernel import Kernel, Operation
from depthwise.kernels.riscv.instructions import V128, V256

_DEPTHWISE: tuple[Operation, ...] = ("depthwise3x3s1", "depthwise3x3s2")


def _int8(of: Instructions) -> tuple[Kernel, ...]:
    """The int8 kernels; each is written once for all lengths of vectors."""
    end = f"__({of.name})"
    return (
        Kernel(
            header="dwk_product_i8_riscv.h",
            name=rf"dwk_product_i8_p(\d+)_c(\d+)x{of.lanes}{end}",
            macros=("PIXELS", "VECTORS", "SET"),
            operation="product",
            precision="int8",
            packing="product_i8",
            instructions=of,
        ),
        *(
            Kernel(
                header=f"dwk_{operation}_i8_riscv.h",
                name=rf"dwk_{operation}_i8_c{4 * of.lanes}{end}",
                macros=("SET",),
                operation=operation,
                precision="int8",
                packing="depthwise_riscv",
                instructions=of,
            )
            for operation in _DEPTHWISE
        ),
        Kernel(
            header="dwk_pool_i8_riscv.h",
            name=rf"dwk_pool_i8_c{4 * of.lanes}{end}",
            macros=("SET",),
            operation="pool",
            precision="int8",
            packing="pool_riscv",
            instructions=of,
        ),
        Kernel(
            header="dwk_classifier_i8_riscv.h",
            name=rf"dwk_classifier_i8_(products|bytes)_c(\d+)x{of.lanes}{end}",
            macros=("LOGITS", "VECTORS", "SET"),
            operation="classifier",
            precision="int8",
            packing="classifier_i8",
            instructions=of,
        ),
    )


KERNELS: tuple[Kernel, ...] = (*_int8(V256), *_int8(V128))
