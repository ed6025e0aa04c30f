"""From a model to plain operations.

Of a float32 model, normalisation of pixels and batches is folded into weights and biases, in float64, and rounded to
float32 once; an int8 model has that behind it. Sizes: K values under the kernel, C input channels, N output channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.errors import Refused
from depthwise.kernels.weights import Floats, Rounding, Weights
from depthwise.network.folding import Folded, fold
from depthwise.network.layers import Layer, layers
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedLayer, QuantizedModel, reach
from depthwise.network.requantize import integer_form
from depthwise.precision import Precision


@dataclass(frozen=True, kw_only=True, eq=False)
class Operation(Weights):
    """One layer of the table as the device computes it: a sum of products, plus a bias, then activation or rounding.

    Attributes:
        layer: the row of the table.
    """

    layer: Layer


@dataclass(frozen=True, kw_only=True, eq=False)
class Features:
    """Pooled features of which only those that can change are computed; C of them in all.

    Attributes:
        places: (C,) the channel of the pool's output that each one is; -1 for one that never changes.
        values: (C,) in real numbers, what each that never changes is; 0 for the others.
        scale: (C,) of an int8 network, what a step of each one's byte is worth.
    """

    places: NDArray[np.intp]
    values: Floats
    scale: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Lowered:
    """A network as a chain of plain operations.

    Attributes:
        operations: in the order in which data flows.
        edge: one number a channel. float32: what is taken off the pixels before the first operation, whose padding is
            then 0. int8: the byte that stands around the image.
        features: where some of the pooled ones are left out, else None.
    """

    precision: Precision
    operations: tuple[Operation, ...]
    edge: NDArray[Any]
    features: Features | None = None

    @property
    def rounds(self) -> bool:
        """Whether sums are rounded to bytes."""
        return self.operations[-1].rounding is not None

    @property
    def logits(self) -> str:
        """What becomes of the last sums of an int8 network, "products" or "bytes" (docs/int8.md Q8); else empty."""
        rounding = self.operations[-1].rounding
        return "" if rounding is None else "bytes" if rounding.rounded else "products"

    def operation(self, layer: Layer) -> Operation:
        """Of one layer."""
        return next(operation for operation in self.operations if operation.layer == layer)

    def rounding(self, layer: Layer) -> Rounding:
        """Of one layer of an int8 network."""
        found = next(operation.rounding for operation in self.operations if operation.layer == layer)
        assert found is not None
        return found


def lower(model: Model | QuantizedModel) -> Lowered:
    """The plain operations of a model.

    Raises: Refused, naming the layer, when a folded value does not fit into float32.
    """
    table = layers(model.spec)
    if isinstance(model, QuantizedModel):
        operations = tuple(quantized_operation(layer, model.layers[layer.name]) for layer in table)
        return Lowered(precision=model.precision, operations=operations, edge=np.array(model.border, np.uint8))
    folded = fold(model)
    operations = tuple(float_operation(layer, folded.get(layer.name)) for layer in table)
    return Lowered(
        precision=model.precision, operations=operations, edge=np.array(model.preprocessing.mean, np.float32)
    )


def quantized_operation(layer: Layer, numbers: QuantizedLayer) -> Operation:
    """One layer of an int8 network."""
    form = integer_form(numbers.multiplier, reach(layer, numbers), largest_shift=0, even=True)
    rounding = Rounding(
        multiplier=numbers.multiplier,
        scale=numbers.scale,
        zero_point=numbers.zero_point,
        low=numbers.low,
        high=numbers.high,
        rounded=numbers.rounded,
        even=form.factor,
    )
    weight = numbers.weight if layer.kind == "pool" else _arranged(layer, numbers.factors)
    return Operation(layer=layer, weight=weight, bias=numbers.bias, rounding=rounding)


def float_operation(layer: Layer, folded: Folded | None) -> Operation:
    """One layer of a float32 network; `folded` is None for a pool.

    Raises: Refused, naming the layer, when a value does not fit into float32.
    """
    if folded is None:
        return Operation(layer=layer, weight=np.zeros(0, np.float32), bias=np.zeros(0, np.float32))
    weight, bias = folded
    return Operation(layer=layer, weight=_rounded(layer, _arranged(layer, weight)), bias=_rounded(layer, bias))


def _arranged(layer: Layer, weight: NDArray[Any]) -> NDArray[Any]:
    """A weight as in PyTorch, in the order that `Operation` describes."""
    match layer.kind:
        case "stem" | "standard" | "pointwise":
            # (N, C, row, column) to (row, column * C + channel, N)
            return weight.transpose(2, 3, 1, 0).reshape(layer.kernel, -1, layer.output.channels)
        case "depthwise":
            return weight.reshape(layer.output.channels, -1).T
        case "classifier":
            return weight.T[None]
        case kind:
            raise Refused(f"layer {layer.name}: the compiler has no operation for kind {kind}")


def _rounded(layer: Layer, values: NDArray[np.float64]) -> Floats:
    with np.errstate(over="ignore"):
        rounded = values.astype(np.float32)
    if not np.isfinite(rounded).all():
        raise Refused(
            f"layer {layer.name}: a weight does not fit into float32 once normalisation is folded in; "
            f"the training diverged or the statistics of {layer.norm or layer.name} are damaged"
        )
    return np.ascontiguousarray(rounded)
