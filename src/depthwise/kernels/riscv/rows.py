"""The kernels for RISC-V: with vectors, the longer ones first, each written once for all lengths; then without."""

from __future__ import annotations

from depthwise.kernels.instructions import Instructions
from depthwise.kernels.kernel import Kernel, Operation
from depthwise.kernels.riscv.instructions import RV64, V128, V256

_DEPTHWISE: tuple[Operation, ...] = ("depthwise3x3s1", "depthwise3x3s2")


def _int8(of: Instructions) -> tuple[Kernel, ...]:
    panel, chunk = rf"c(\d+)x{of.lanes}__({of.name})", rf"c{4 * of.lanes}__({of.name})"
    return (
        Kernel(
            header="dwk_product_i8_riscv.h",
            name=rf"dwk_product_i8_p(\d+)_{panel}",
            macros=("PIXELS", "VECTORS", "SET"),
            operation="product",
            precision="int8",
            packing="product_i8",
            instructions=of,
        ),
        *(
            Kernel(
                header=f"dwk_{operation}_i8_riscv.h",
                name=f"dwk_{operation}_i8_{chunk}",
                macros=("SET",),
                operation=operation,
                precision="int8",
                packing="depthwise_i8_riscv",
                instructions=of,
            )
            for operation in _DEPTHWISE
        ),
        Kernel(
            header="dwk_pool_i8_riscv.h",
            name=f"dwk_pool_i8_{chunk}",
            macros=("SET",),
            operation="pool",
            precision="int8",
            packing="pool_i8_riscv",
            instructions=of,
        ),
        Kernel(
            header="dwk_classifier_i8_riscv.h",
            name=rf"dwk_classifier_i8_(products|bytes)_{panel}",
            macros=("LOGITS", "VECTORS", "SET"),
            operation="classifier",
            precision="int8",
            packing="classifier_i8",
            instructions=of,
        ),
    )


def _float32(of: Instructions) -> tuple[Kernel, ...]:
    panel, chunk = rf"c(\d+)x{of.lanes}__({of.name})", rf"c{4 * of.lanes}__({of.name})"
    return (
        Kernel(
            header="dwk_product_f32_riscv.h",
            name=rf"dwk_product_f32_(relu6?)_p(\d+)_{panel}",
            macros=("ACTIVATION", "PIXELS", "VECTORS", "SET"),
            operation="product",
            packing="product_f32",
            instructions=of,
            tolerance=1e-5,
        ),
        *(
            Kernel(
                header=f"dwk_{operation}_f32_riscv.h",
                name=f"dwk_{operation}_f32_(relu6?)_{chunk}",
                macros=("ACTIVATION", "SET"),
                operation=operation,
                packing="depthwise_f32_riscv",
                instructions=of,
                tolerance=1e-5,
            )
            for operation in _DEPTHWISE
        ),
        Kernel(
            header="dwk_pool_f32_riscv.h",
            name=f"dwk_pool_f32_{chunk}",
            macros=("SET",),
            operation="pool",
            instructions=of,
            tolerance=1e-5,
        ),
        Kernel(
            header="dwk_classifier_f32_riscv.h",
            name=rf"dwk_classifier_f32_{panel}",
            macros=("VECTORS", "SET"),
            operation="classifier",
            packing="product_f32",
            instructions=of,
            tolerance=1e-5,
        ),
    )


# Without vectors; what is not here is portable C there.
_RV64 = (
    Kernel(
        header="dwk_product_i8_rv64.h",
        name=r"dwk_product_i8_p(\d+)_c1x4__rv64",
        macros=("PIXELS",),
        operation="product",
        precision="int8",
        packing="product_i8",
        instructions=RV64,
    ),
    *(
        Kernel(
            header=f"dwk_{operation}_i8_rv64.h",
            name=f"dwk_{operation}_i8_c8__rv64",
            operation=operation,
            precision="int8",
            packing="depthwise_i8",
            instructions=RV64,
        )
        for operation in _DEPTHWISE
    ),
    Kernel(
        header="dwk_product_f32_rv64.h",
        name=r"dwk_product_f32_(relu6?)_p(\d+)_c1x8__rv64",
        macros=("ACTIVATION", "PIXELS"),
        operation="product",
        packing="product_f32",
        instructions=RV64,
        tolerance=1e-5,
    ),
)
KERNELS: tuple[Kernel, ...] = (*_int8(V256), *_int8(V128), *_float32(V256), *_float32(V128), *_RV64)
