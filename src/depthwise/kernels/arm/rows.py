"""The kernels for ARM, the fastest first."""

from __future__ import annotations

from depthwise.kernels.arm.instructions import DOTPROD, FLOATS, I8MM, NEON
from depthwise.kernels.instructions import Instructions
from depthwise.kernels.kernel import HandsOn, Kernel, Operation
from depthwise.kernels.layout import Layout

SIGNED = Layout(stored="signed")
_WAYS = "(converted|added|doubled)"


def _product(of: Instructions, operation: Operation, *, hands_on: HandsOn = "pixels", rest: bool = False) -> Kernel:
    """A matrix product; `rest` says whether its name says what is left of a row."""
    tile = r"_p(\d+)(?:r(\d+))?" if rest else r"_p(\d+)"
    return Kernel(
        header=f"dwk_{operation}_i8_{of.name}.h",
        name=rf"dwk_{operation}_i8_{_WAYS}{tile}_c(\d+)x4__{of.name}",
        macros=("WAY", "PIXELS", "REST", "VECTORS") if rest else ("WAY", "PIXELS", "VECTORS"),
        operation=operation,
        precision="int8",
        packing=f"{operation}_{of.name}",
        instructions=of,
        layout=SIGNED,
        hands_on=hands_on,
    )


def _classifier(of: Instructions) -> Kernel:
    return Kernel(
        header=f"dwk_classifier_i8_{of.name}.h",
        name=rf"dwk_classifier_i8_(products|bytes)_c(\d+)x4__{of.name}",
        macros=("LOGITS", "VECTORS"),
        operation="classifier",
        precision="int8",
        packing=f"classifier_{of.name}",
        instructions=of,
        layout=SIGNED,
    )


# Of the rows for one operation and precision the fastest stands first.
KERNELS: tuple[Kernel, ...] = (
    Kernel(
        header="dwk_pointwise_f32_neon.h",
        name=r"dwk_pointwise_f32_(relu6?)_p(\d+)_c(\d+)x4__neon",
        macros=("ACTIVATION", "PIXELS", "VECTORS"),
        operation="pointwise",
        packing="product_f32",
        instructions=FLOATS,
        hands_on="pairs",
        tolerance=1e-5,
    ),
    *(
        Kernel(
            header=f"dwk_depthwise3x3s{stride}_f32_neon.h",
            name=rf"dwk_depthwise3x3s{stride}_f32_(relu6?)_c4__neon",
            macros=("ACTIVATION",),
            operation="depthwise3x3s1" if stride == 1 else "depthwise3x3s2",
            packing="depthwise_f32",
            instructions=FLOATS,
            hands_on="pairs",
            tolerance=1e-5,
        )
        for stride in (1, 2)
    ),
    _product(I8MM, "pointwise", hands_on="pairs"),
    _product(DOTPROD, "pointwise", hands_on="pairs"),
    _product(NEON, "pointwise", rest=True),
    *(_product(of, operation) for of in (DOTPROD, NEON) for operation in ("stem", "product")),
    *(
        Kernel(
            header=f"dwk_depthwise3x3s{stride}_i8_dotprod.h",
            name=rf"dwk_depthwise3x3s{stride}_i8_{_WAYS}_c8__dotprod",
            macros=("WAY",),
            operation="depthwise3x3s1" if stride == 1 else "depthwise3x3s2",
            precision="int8",
            packing=f"depthwise3x3s{stride}_dotprod",
            instructions=DOTPROD,
            layout=SIGNED,
            hands_on="pairs",
        )
        for stride in (1, 2)
    ),
    *(
        Kernel(
            header=f"dwk_depthwise3x3s{stride}_i8_neon.h",
            name=rf"dwk_depthwise3x3s{stride}_i8_{_WAYS}_c8__neon",
            macros=("WAY",),
            operation="depthwise3x3s1" if stride == 1 else "depthwise3x3s2",
            precision="int8",
            packing="depthwise_neon",
            instructions=NEON,
            layout=SIGNED,
        )
        for stride in (1, 2)
    ),
    Kernel(
        header="dwk_pool_i8_arm.h",
        name="dwk_pool_i8_c8__neon",
        operation="pool",
        precision="int8",
        packing="pool_i8",
        instructions=NEON,
        layout=SIGNED,
    ),
    _classifier(DOTPROD),
    _classifier(NEON),
)
