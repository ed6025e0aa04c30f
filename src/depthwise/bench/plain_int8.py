"""A float model in int8 without calibration: hidden ranges are ReLU6's own, 0 to 6.

For times, which do not depend on the numbers; `depthwise quantize` is what keeps accuracy.
"""

from __future__ import annotations

import numpy as np

from depthwise.errors import Refused
from depthwise.network.folding import Doubles, Folded, fold
from depthwise.network.layers import Layer, layers
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedLayer, QuantizedModel
from depthwise.network.spec import ACTIVATIONS

_TOP = ACTIVATIONS["relu6"]


def plain_int8(model: Model) -> QuantizedModel:
    """Round a model's weights, one scale a channel (docs/int8.md Q1 to Q8).

    Raises: Refused, when its activation is not ReLU6 or a mean of its pixels is no whole number.
    """
    mean = model.preprocessing.mean
    if model.spec.activation != "relu6" or any(value != int(value) for value in mean):
        raise Refused("ranges are known without images for ReLU6 and whole means only; run `depthwise quantize` first")
    folded, made = fold(model), {}
    scale, zero = 1.0, np.array(mean)
    for layer in layers(model.spec):
        if layer.kind == "pool":
            made[layer.name] = _mean(layer)
            continue
        made[layer.name] = _rounded(layer, folded[layer.name], scale, zero)
        scale, zero = _TOP / 255, np.zeros(layer.output.channels)
    return QuantizedModel(
        spec=model.spec,
        layers=made,
        border=tuple(int(value) for value in mean),
        labels=model.labels,
        preprocessing=model.preprocessing,
        provenance={"quantized_from": dict(model.provenance), "ranges": f"0 to {_TOP:g}, without calibration"},
    )


def _rounded(layer: Layer, real: Folded, scale: float, zero: Doubles) -> QuantizedLayer:
    """A layer whose input bytes stand for `(byte - zero) * scale`; its output's for `byte * 6 / 255`."""
    N = layer.output.channels
    largest = np.abs(real.weight.reshape(N, -1)).max(axis=1)
    step = np.where(largest > 0, largest, 1.0) / 127
    by_output = step.reshape(-1, *[1] * (real.weight.ndim - 1))
    weight = np.rint(real.weight / by_output).astype(np.int8)
    by_input = zero.reshape(1, -1, *[1] * (weight.ndim - 2)) if layer.kind != "depthwise" else np.zeros(1)
    offset = (weight * by_input).reshape(N, -1).sum(axis=1)
    is_last = layer.kind == "classifier"
    multiplier = step * scale / (1.0 if is_last else _TOP / 255)
    return QuantizedLayer(
        weight=weight,
        bias=np.rint(real.bias / (step * scale) - offset).astype(np.int32),
        multiplier=multiplier.astype(np.float32),
        scale=(multiplier if is_last else np.full(N, _TOP / 255)).astype(np.float32),
        rounded=not is_last,
    )


def _mean(layer: Layer) -> QuantizedLayer:
    N, area = layer.output.channels, layer.input.height * layer.input.width
    return QuantizedLayer(
        weight=np.zeros(0, np.int8),
        bias=np.zeros(N, np.int32),
        multiplier=np.full(N, 1 / area, np.float32),
        scale=np.full(N, _TOP / 255, np.float32),
    )
