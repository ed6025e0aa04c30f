"""Closed formulas of one layer: multiply-adds, parameters, bytes. Every count is an exact integer.

Letters, as in arXiv:1704.04861 section 3: `D_K` the side of a kernel, `M` channels in, `N` channels out,
`D_F` the side of the output. Multiply-adds are those of convolutions and of the classifier; bias, batch
normalisation, activation and the additions of the pool are not counted (the paper's convention).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from depthwise.errors import Refused
from depthwise.network.layers import Layer, multiply_adds
from depthwise.precision import PRECISIONS as COMPILED
from depthwise.precision import Row


@dataclass(frozen=True, kw_only=True)
class Precision:
    """Bytes of the numbers of a compiled network, after batch normalisation is folded into weights and bias.

    Attributes:
        weight: bytes of one weight.
        channel: bytes that each output channel carries beside its weights: the bias, and in int8 its multiplier.
        activation: bytes of one value between layers.
    """

    weight: int
    channel: int
    activation: int


def _compiled(row: Row) -> Precision:
    return Precision(weight=row.weight, channel=row.channel, activation=row.value)


PRECISIONS = {
    "float32": _compiled(COMPILED["float32"]),
    # As other runtimes have it. Target cuda keeps biases, and the few weights of depthwise layers, in float32.
    "float16": Precision(weight=2, channel=2, activation=2),
    "bf16": _compiled(COMPILED["bf16"]),
    "int8": _compiled(COMPILED["int8"]),
}


# As the other formulas are called.
macs = multiply_adds


def precision(name: str) -> Precision:
    """The sizes of a precision by name.

    Raises: Refused, for a name that is not one of `PRECISIONS`.
    """
    if name not in PRECISIONS:
        raise Refused(f"precision is {name!r}; it must be one of {', '.join(map(repr, PRECISIONS))}")
    return PRECISIONS[name]


def weights(layer: Layer) -> int:
    """Weights of one layer, without bias and batch normalisation: what the paper's Table 2 calls parameters."""
    match layer.kind:
        case "stem" | "standard" | "pointwise" | "classifier":
            return layer.kernel**2 * layer.input.channels * layer.output.channels
        case "depthwise":
            return layer.kernel**2 * layer.output.channels
        case "pool":
            return 0
        case kind:
            raise Refused(f"layer {layer.name}: there is no formula for the weights of a {kind}")


def parameters(layer: Layer) -> int:
    """All that training changes: weights, with scale and shift of the batch normalisation, or the classifier's bias."""
    if layer.kind == "classifier":
        return weights(layer) + layer.output.channels
    return weights(layer) + (2 * layer.output.channels if layer.norm else 0)


def statistics(layer: Layer) -> int:
    """Mean and variance of the batch normalisation: numbers that are stored but not trained."""
    return 2 * layer.output.channels if layer.norm else 0


def weight_bytes(layer: Layer, sizes: Precision) -> int:
    """Bytes of a layer's constants in a compiled network, batch normalisation folded; no padding, no code."""
    if layer.kind == "pool":
        return 0
    return weights(layer) * sizes.weight + layer.output.channels * sizes.channel


def activation_bytes(layer: Layer, sizes: Precision) -> int:
    """Bytes of what the layer puts out for one image."""
    return layer.output.size * sizes.activation


def working_bytes(layer: Layer, sizes: Precision) -> int:
    """Bytes that must be there while the layer runs by itself: its whole input and its whole output."""
    return (layer.input.size + layer.output.size) * sizes.activation


def separable_ratio(outputs: int, kernel: int) -> Fraction:
    """Multiply-adds of a separable block over those of the standard convolution: 1/N + 1/D_K^2.

    Weights, without batch normalisation, have the same ratio.
    Source: arXiv:1704.04861 section 3.1.
    """
    return Fraction(1, outputs) + Fraction(1, kernel**2)


def im2col_shape(layer: Layer) -> tuple[int, int]:
    """Rows and columns of the matrix that makes a convolution a matrix product.

    One row a pixel of the output, holding the D_K D_K M values under the kernel. For a 1x1 kernel of stride 1
    the matrix is the input itself, in the order in which it lies in memory; a depthwise layer has one such
    matrix, of D_K D_K columns, for every channel.
    Raises: Refused, for a layer that is no convolution.
    """
    if layer.kind not in ("stem", "standard", "pointwise", "depthwise"):
        raise Refused(f"layer {layer.name}: a {layer.kind} is no convolution, so it has no im2col matrix")
    columns = layer.kernel**2 * (1 if layer.kind == "depthwise" else layer.input.channels)
    return layer.output.height * layer.output.width, columns


def im2col_values(layer: Layer) -> int:
    """Values that im2col would have to write: 0 for a 1x1 kernel, whose input is the matrix already."""
    rows, columns = im2col_shape(layer)
    if layer.kernel == 1:
        return 0
    return rows * columns * (layer.input.channels if layer.kind == "depthwise" else 1)
