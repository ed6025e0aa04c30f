"""A network without the channels that provably never change: smaller arrays for the table that live.py finds."""

from __future__ import annotations

import dataclasses

import numpy as np

from depthwise.network.folding import Folded, fold
from depthwise.network.interval import Numbers, per_channel, squared
from depthwise.network.layers import Layer, layers
from depthwise.network.live import Live, LiveLayer
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedLayer, QuantizedModel


def without_dead(model: QuantizedModel, found: Live) -> dict[str, QuantizedLayer]:
    """The numbers of every layer of `found.table`: smaller arrays, whose bytes are those of the kept channels.

    Constants that are dropped are in the bias of what reads them. No sum can leave int32 for that: a bias with the
    constants in is among the sums that the model was checked for (Q5 of docs/int8.md).

    Args:
        found: what `live(model)` gives.
    """
    result = {}
    before: LiveLayer | None = None
    for row, layer in zip(found.layers, layers(model.spec), strict=True):
        numbers = model.layers[layer.name]
        bias = numbers.bias.astype(np.int64) + _constants(layer, numbers, row, before)
        result[layer.name] = dataclasses.replace(
            numbers,
            weight=numbers.weight if layer.kind == "pool" else _smaller(layer, numbers.weight, row),
            bias=bias[row.outputs].astype(np.int32),
            multiplier=numbers.multiplier[row.outputs],
            scale=numbers.scale[row.outputs],
        )
        before = row
    return result


def fold_without_dead(model: Model, found: Live) -> dict[str, Folded]:
    """`folding.fold` with the kept channels alone: smaller arrays for every layer of `found.table` with weights.

    Args:
        found: what `live(model)` gives.
    Raises: Refused, naming the layer, when a folded value is not finite.
    """
    whole = fold(model)
    result = {}
    for row, layer in zip(found.layers, layers(model.spec), strict=True):
        if layer.kind != "pool":
            weight, bias = whole[layer.name]
            result[layer.name] = Folded(_smaller(layer, weight, row), bias[row.outputs])
    return result


def _constants(layer: Layer, numbers: QuantizedLayer, row: LiveLayer, before: LiveLayer | None) -> Numbers:
    """(N,) what the dropped inputs of a layer add to each kept sum; nothing where each channel is read alone."""
    if before is None or per_channel(layer):
        return np.zeros(layer.output.channels, np.int64)
    dropped = np.ones(layer.input.channels, np.bool_)
    dropped[row.inputs] = False
    # One that is no constant was dropped because no kept output reads it: its weights there are 0, whatever it is.
    value = np.where(dropped, before.values.low, 0)
    return np.asarray(np.einsum("nckl,c->n", squared(layer, numbers.factors.astype(np.int64)), value))


def _smaller(layer: Layer, weight: Numbers, row: LiveLayer) -> Numbers:
    kept = weight[row.outputs]
    return np.ascontiguousarray(kept if per_channel(layer) else kept[:, row.inputs])
