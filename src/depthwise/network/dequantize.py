"""Real weights of an int8 network: the float network that it comes nearest to."""

from __future__ import annotations

import numpy as np

from depthwise.network.folding import Folded
from depthwise.network.layers import Layer, layers
from depthwise.network.quantized import QuantizedLayer, QuantizedModel


def dequantize(model: QuantizedModel) -> dict[str, Folded]:
    """Weight and bias of every layer with weights in real numbers, as `folding.fold` gives them.

    The first layer's input is `pixel - mean`. Activation scales are in the weights, so that the outputs of each layer
    are the real numbers that its bytes stand for (docs/int8.md Q1).
    """
    found = {}
    scale = np.ones(model.spec.channels)
    zero = np.array(model.preprocessing.mean, np.float64)
    for layer in layers(model.spec):
        numbers = model.layers[layer.name]
        if layer.kind != "pool":
            found[layer.name] = _real(layer, numbers, scale, zero)
        scale = numbers.scale.astype(np.float64)
        zero = np.full(len(scale), float(numbers.zero_point))
    return found


def _real(layer: Layer, numbers: QuantizedLayer, scale: np.ndarray, zero: np.ndarray) -> Folded:
    """A layer whose input bytes stand for `(byte - zero) * scale`, both by input channel."""
    weight = numbers.factors.astype(np.float64)
    step = numbers.multiplier.astype(np.float64)
    if numbers.rounded:
        step = step * numbers.scale
    by_input = (slice(None), *[None] * (weight.ndim - 1)) if layer.kind == "depthwise" else _second(weight.ndim)
    zeros = (weight * zero[by_input]).reshape(len(step), -1).sum(axis=1)
    by_output = (slice(None), *[None] * (weight.ndim - 1))
    return Folded(weight * step[by_output] / scale[by_input], (numbers.bias + zeros) * step)


def _second(ndim: int) -> tuple[slice | None, ...]:
    """Places a vector along the second of so many axes."""
    return (None, slice(None), *[None] * (ndim - 2))
