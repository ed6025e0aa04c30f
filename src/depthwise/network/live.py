"""Which channels of a trained network can differ from image to image, and which provably cannot.

The range of every channel is propagated from that of the pixels through weights, bias and clamp. A channel that has the
same value in every place of every possible image need not be computed, nor what feeds it alone; docs/network.md says
what is done with it, and shrink.py makes the smaller arrays. Sizes: C input channels, N output channels of a layer.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthwise.network.folding import fold
from depthwise.network.interval import Numbers, Range, per_channel, sizes, squared, sums, terms
from depthwise.network.layers import Layer, layers
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedLayer, QuantizedModel, input_border
from depthwise.network.requantize import requantize
from depthwise.network.spec import ACTIVATIONS

Channels = NDArray[np.intp]

# Rounding of a float32 sum, relative to the sum of its absolute products: each of `terms` additions, the product and
# the rounded weight change it by 2**-24 at most, in whatever order and fused or not. Twice that is taken.
ROUNDING = 2.0**-23
# What a product below the normal floats may lose, where a chip flushes it to zero.
FLUSHED = 2.0**-125
FLOAT32_MOST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, kw_only=True, eq=False)
class LiveLayer:
    """One layer with the channels that have to be computed.

    Attributes:
        layer: the row of the table, with the channels that are kept instead of all.
        inputs, outputs: which channels are kept, in rising order; an input is an output of the layer before.
        sums: (N,) of the whole layer: what its accumulators can be, in int8 within the kept channels' integer forms;
            in float with the margin for rounding.
        values: (N,) of the whole layer: what it puts out, bytes or real numbers after the activation.
    """

    layer: Layer
    inputs: Channels
    outputs: Channels
    sums: Range
    values: Range


@dataclass(frozen=True, kw_only=True, eq=False)
class Live:
    """A network with the channels that have to be computed, layer by layer in the order of the table."""

    layers: tuple[LiveLayer, ...]

    @property
    def table(self) -> tuple[Layer, ...]:
        """The table of layers with the kept channels: what formulas of cost and a compiler walk."""
        return tuple(row.layer for row in self.layers)


class _Row(NamedTuple):
    """A layer before it is decided what is kept: weight (N, M, K, K), and which inputs may be dropped as constants."""

    layer: Layer
    weight: Numbers
    sums: Range
    values: Range
    removable: NDArray[np.bool_]


def live(model: Model | QuantizedModel) -> Live:
    """The channels of a model that have to be computed, and the range of every one.

    In int8 any constant may go, and the network without it gives the same bytes. In float a channel goes only if it is
    exactly 0 in float32 too, so that the sums that read it lose nothing but zeros.
    Raises: Refused, naming the layer, when folding makes a value that is not finite.
    """
    rows = _bytes(model) if isinstance(model, QuantizedModel) else _floats(model)
    kept: list[Channels] = [np.arange(rows[-1].layer.output.channels)]
    for row in reversed(rows[1:]):
        kept.append(_needed(row, kept[-1]))
    kept.append(np.arange(rows[0].layer.input.channels))
    kept.reverse()
    return Live(layers=tuple(map(_live_layer, rows, kept, kept[1:])))


def _bytes(model: QuantizedModel) -> list[_Row]:
    channels = model.spec.channels
    values = Range(np.zeros(channels, np.int64), np.full(channels, 255, np.int64))
    rows = []
    for layer in layers(model.spec):
        numbers = model.layers[layer.name]
        weight, border = numbers.factors.astype(np.int64), np.array(input_border(model, layer), np.int64)
        removable = values.constant & (_unpadded(layer) | (values.low == border))
        found = sums(layer, weight, numbers.bias.astype(np.int64), values, border)
        values = Range(*(_output(numbers, end) for end in found))
        rows.append(_Row(layer, _kernels(layer, weight), found, values, removable))
    return rows


def _output(numbers: QuantizedLayer, acc: NDArray[np.int64]) -> Numbers:
    """R1 to R4, or the unrounded logits of Q8; both never fall when the accumulator rises."""
    if not numbers.rounded:
        return np.asarray(acc.astype(np.float32) * numbers.multiplier)
    found = requantize(acc, numbers.multiplier, numbers.zero_point, low=numbers.low, high=numbers.high)
    return found.astype(np.int64)


def _floats(model: Model) -> list[_Row]:
    folded, most = fold(model), ACTIVATIONS[model.spec.activation]
    mean = np.array(model.preprocessing.mean, np.float64)
    # A mean that is not whole is rounded to float32, and so is its difference from a pixel.
    rounding = np.where(mean == np.rint(mean), 0, 255 * 2.0**-22)
    values = Range(-mean - rounding, 255 - mean + rounding)
    rows = []
    for layer in layers(model.spec):
        weight, bias = folded.get(layer.name, (np.zeros(0), np.zeros(layer.output.channels)))
        # What is removed is exactly 0, and so is the border of every layer.
        removable = (values.low == 0) & (values.high == 0)
        finite = values.largest < FLOAT32_MOST
        found = sums(layer, weight, bias, values, np.zeros(layer.input.channels))
        size = sizes(layer, weight, bias, values)
        margin = np.where(size > 0, (terms(layer) + 4) * (ROUNDING * size + FLUSHED), 0)
        found = Range(found.low - margin, found.high + margin)
        kernels = _kernels(layer, weight)
        if not per_channel(layer):
            # 0 times infinity is not 0: an input that may overflow is used even by a weight of 0.
            kernels = np.where(finite[None, :, None, None], kernels, 1)
        values = found
        if layer.kind == "pool":
            area = layer.input.height * layer.input.width
            values = Range(found.low / area, found.high / area)
        elif layer.norm:
            values = Range(np.clip(found.low, 0, most), np.clip(found.high, 0, most))
        rows.append(_Row(layer, kernels, found, values, removable))
    return rows


def _needed(row: _Row, outputs: Channels) -> Channels:
    """The input channels without which the kept outputs of a layer cannot be computed."""
    if per_channel(row.layer):
        return outputs
    read = (row.weight[outputs] != 0).any(axis=(0, 2, 3))
    # What the classifier reads are the pooled features, which a user may ask for: all that change are kept.
    needed = np.flatnonzero((read | (row.layer.kind == "classifier")) & ~row.removable)
    # Every layer keeps a channel, so that a network whose answer never changes is still a chain.
    return needed if len(needed) else np.arange(1)


def _live_layer(row: _Row, inputs: Channels, outputs: Channels) -> LiveLayer:
    layer = dataclasses.replace(
        row.layer,
        input=dataclasses.replace(row.layer.input, channels=len(inputs)),
        output=dataclasses.replace(row.layer.output, channels=len(outputs)),
    )
    return LiveLayer(layer=layer, inputs=inputs, outputs=outputs, sums=row.sums, values=row.values)


def _kernels(layer: Layer, weight: Numbers) -> Numbers:
    return weight if layer.kind == "pool" else squared(layer, weight)


def _unpadded(layer: Layer) -> bool:
    padding = layer.padding
    return not (padding.top or padding.bottom or padding.left or padding.right)
