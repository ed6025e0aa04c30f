"""A network lowered without the channels that provably never change, and any network with channels by eights.

network/live.py finds those that never change. Kernels take channels by eights, so that a layer with another count is
filled up with channels whose weights are 0 and that nothing reads: the bytes of the others stay as they are. Sizes: C
input channels, N output channels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from depthwise.compiler.lower.lower import Features, Lowered, Operation, float_operation, quantized_operation
from depthwise.kernels.weights import Rounding
from depthwise.network.live import Live
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedLayer, QuantizedModel
from depthwise.network.shrink import fold_without_dead, without_dead

# What every kernel's vectors divide or fill.
MULTIPLE = 8


def lower_live(model: Model | QuantizedModel, found: Live) -> Lowered:
    """The plain operations of a model, of the channels that are kept; `filled` makes eights of them.

    Args:
        found: what `live(model)` gives.
    Raises: Refused, naming the layer, when a folded value does not fit into float32.
    """
    quantized: Mapping[str, QuantizedLayer] = {}
    if isinstance(model, QuantizedModel):
        quantized = model.layers
        numbers = without_dead(model, found)
        operations = [quantized_operation(layer, numbers[layer.name]) for layer in found.table]
        edge = np.array(model.border, np.uint8)
    else:
        folded = fold_without_dead(model, found)
        operations = [float_operation(layer, folded.get(layer.name)) for layer in found.table]
        edge = np.array(model.preprocessing.mean, np.float32)
    return Lowered(
        precision=model.precision,
        operations=tuple(operations),
        edge=edge,
        features=_features(found, quantized),
    )


def _features(found: Live, layers: Mapping[str, QuantizedLayer]) -> Features | None:
    """Where the pooled features are; None where all of them are computed.

    Args:
        layers: those of an int8 network by name, else none.
    """
    pool = next(row for row in found.layers if row.layer.kind == "pool")
    N = len(pool.values.low)
    if len(pool.outputs) == N:
        return None
    places = np.full(N, -1, np.intp)
    places[pool.outputs] = np.arange(len(pool.outputs))
    scale, real = np.ones(N, np.float32), pool.values.low.astype(np.float32)
    if layers:
        numbers = layers[pool.layer.name]
        scale = numbers.scale
        real = (real - np.float32(numbers.zero_point)) * scale  # Q1 of docs/int8.md
    return Features(places=places, values=np.where(places < 0, real, np.float32(0)), scale=scale)


def filled(lowered: Lowered) -> Lowered:
    """The network with every layer's channels filled up to a multiple of 8; labels and the image stay."""
    return dataclasses.replace(lowered, operations=tuple(map(_filled, lowered.operations)))


def _filled(operation: Operation) -> Operation:
    """The operation with input and output channels filled up; the image's channels and the labels stay."""
    layer, weight = operation.layer, operation.weight
    C, N = layer.input.channels, layer.output.channels
    inputs = 0 if layer.kind == "stem" else -C % MULTIPLE
    outputs = 0 if layer.kind == "classifier" else -N % MULTIPLE
    if inputs == outputs == 0:
        return operation
    match layer.kind:
        case "pool":
            pass
        case "depthwise":
            weight = np.pad(weight, ((0, 0), (0, outputs)))
        case _:
            # A kernel row holds the channels of one pixel after the other.
            taps = weight.reshape(len(weight), -1, C, N)
            weight = np.pad(taps, ((0, 0), (0, 0), (0, inputs), (0, outputs))).reshape(len(weight), -1, N + outputs)
    return dataclasses.replace(
        operation,
        layer=dataclasses.replace(
            layer,
            input=dataclasses.replace(layer.input, channels=C + inputs),
            output=dataclasses.replace(layer.output, channels=N + outputs),
        ),
        weight=weight,
        bias=np.pad(operation.bias, (0, outputs if operation.bias.size else 0)),
        rounding=None if operation.rounding is None else _filled_rounding(operation.rounding, outputs),
    )


def _filled_rounding(rounding: Rounding, outputs: int) -> Rounding:
    """Sums of 0 times a multiplier of 1, or a factor of 0: any that is valid would do."""
    multiplier, scale = (
        np.pad(ends, (0, outputs), constant_values=1) for ends in (rounding.multiplier, rounding.scale)
    )
    even = np.pad(rounding.even, (0, outputs if rounding.even.size else 0))
    return dataclasses.replace(rounding, multiplier=multiplier, scale=scale, even=even)
