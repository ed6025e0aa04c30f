"""The precisions that a network is compiled in: one row each, which every stage asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Precision = Literal["float32", "bf16", "int8", "float16"]
# Where none is named.
USUAL: Precision = "float32"
# Bytes of a float32.
FLOAT = 4


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is to be known of a precision.

    Attributes:
        name: what `--precision` takes.
        model: the precision of the models that it is compiled from.
        suffix: of its kernels' names.
        weight: bytes of a weight.
        channel: bytes that an output channel carries beside its weights.
        value: bytes of a value of an activation.
        feature: bytes of a pooled feature.
        contract: what compilers are told of sums of products. Fused multiply-adds are asked for by name, as compilers
            leave them out in ISO mode; in int8 a product is rounded for itself (docs/int8.md R2).
        macro: what is defined as 1 in the emitted C, or empty.
        together: values that lie in one word and are multiplied one by one.
        grain: rows that one thread computes together, as kernels may sum two rows in different orders.
        strassen: whether products may be sums of other products, which rounds otherwise.
        widened: whether portable C makes float32 of its values first, so that it is slower than float32.
        gpu: whether kernels for GPUs are all that there is for it.
    """

    name: Precision
    model: Precision
    suffix: str
    weight: int
    channel: int
    value: int
    feature: int
    contract: str
    macro: str = ""
    together: int = 1
    grain: int = 1
    strassen: bool = False
    widened: bool = False
    gpu: bool = False


ROWS = (
    Row(
        name="float32",
        model="float32",
        suffix="f32",
        weight=4,
        channel=4,
        value=FLOAT,
        feature=FLOAT,
        contract="-ffp-contract=fast",
        strassen=True,
    ),
    Row(
        name="bf16",
        model="float32",
        suffix="bf16",
        weight=2,
        # Biases stay float32, and two bounds are bfloat16 (which a classifier has not).
        channel=4 + 2 * 2,
        value=2,
        feature=FLOAT,
        contract="-ffp-contract=fast",
        macro="DWL_BF16",
        together=2,
        grain=2,
        widened=True,
    ),
    Row(
        name="int8",
        model="int8",
        suffix="i8",
        # s8 weights and u8 activations; a channel has an s32 bias and a float32 multiplier (docs/int8.md).
        weight=1,
        channel=4 + 4,
        value=1,
        feature=1,
        contract="-ffp-contract=off",
        macro="DWL_INT8",
    ),
    Row(
        name="float16",
        model="float32",
        suffix="f16",
        # Of depthwise layers and the stem, which have few, weights stay float32, and so do biases.
        weight=2,
        channel=4,
        value=2,
        feature=FLOAT,
        contract="-ffp-contract=fast",
        macro="DWL_FLOAT16",
        gpu=True,
    ),
)
PRECISIONS: dict[Precision, Row] = {row.name: row for row in ROWS}
# Those that processors have kernels for.
ON_PROCESSORS: tuple[Precision, ...] = tuple(row.name for row in ROWS if not row.gpu)
