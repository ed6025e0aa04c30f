"""The lowest and highest sum that a layer can have, from the range of each of its input channels.

In whole numbers (int64) the ranges are exact for intervals; in float64 they come with a margin for what float32 may
round. Sizes: C input channels, N output channels, M channels under one kernel (1 in a depthwise layer), K its side.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthwise.network.layers import Layer

Numbers = NDArray[Any]


class Range(NamedTuple):
    """(N,) lowest and highest value of each channel, both included."""

    low: Numbers
    high: Numbers

    @property
    def constant(self) -> NDArray[np.bool_]:
        """(N,) whether the channel has one value, whatever the image."""
        return np.asarray(self.low == self.high)

    @property
    def largest(self) -> Numbers:
        """(N,) the largest absolute value."""
        return np.asarray(np.maximum(np.abs(self.low), np.abs(self.high)))


def per_channel(layer: Layer) -> bool:
    """Whether each output channel reads the input channel of the same number and no other."""
    return layer.kind in ("depthwise", "pool")


def squared(layer: Layer, weight: Numbers) -> Numbers:
    """(N, M, K, K): the weight of any kind of layer but a pool, shaped as that of a convolution."""
    return weight.reshape(layer.output.channels, -1, layer.kernel, layer.kernel)


def sums(layer: Layer, weight: Numbers, bias: Numbers, inputs: Range, border: Numbers) -> Range:
    """The range of each output channel's sum, over all images and all places of the output.

    Each kind of place is taken by itself: in a corner the kernel meets `border` where it leaves the image, and nothing
    else there, so that this is tighter than to add the border to the range of the input.

    Args:
        weight: as in PyTorch, int64 or float64; ignored for a pool, whose weights are 1.
        bias: (N,), of the same type.
        inputs: (C,) of the same type.
        border: (C,), what stands around the input.
    """
    if layer.kind == "pool":
        area = layer.input.height * layer.input.width
        return Range(bias + area * inputs.low, bias + area * inputs.high)
    kernels = squared(layer, weight)
    positive, negative = np.maximum(kernels, 0), np.minimum(kernels, 0)
    low = _taps(layer, positive, inputs.low) + _taps(layer, negative, inputs.high)
    high = _taps(layer, positive, inputs.high) + _taps(layer, negative, inputs.low)
    outside = _taps(layer, kernels, border)
    found = [
        (np.where(inside, low, outside).sum(axis=(1, 2)), np.where(inside, high, outside).sum(axis=(1, 2)))
        for inside in _places(layer)
    ]
    return Range(bias + np.min([one for one, _ in found], axis=0), bias + np.max([other for _, other in found], axis=0))


def sizes(layer: Layer, weight: Numbers, bias: Numbers, inputs: Range) -> Numbers:
    """(N,) the largest sum of absolute products and bias: what rounding errors are relative to."""
    if layer.kind == "pool":
        return np.asarray(inputs.largest * (layer.input.height * layer.input.width))
    return np.asarray(_taps(layer, np.abs(squared(layer, weight)), inputs.largest).sum(axis=(1, 2)) + np.abs(bias))


def terms(layer: Layer) -> int:
    """Products under one kernel."""
    if layer.kind == "pool":
        return layer.input.height * layer.input.width
    return layer.kernel**2 * (1 if layer.kind == "depthwise" else layer.input.channels)


def _taps(layer: Layer, kernels: Numbers, values: Numbers) -> Numbers:
    """(N, K, K) what each tap of each kernel adds when its input channels have these (C,) values."""
    if per_channel(layer):
        return np.asarray(kernels[:, 0] * values[:, None, None])
    return np.asarray(np.einsum("nmkl,m->nkl", kernels, values))


def _places(layer: Layer) -> list[NDArray[np.bool_]]:
    """(K, K) masks of the taps that meet the image, one for each kind of place of the output."""
    rows = _along(layer.input.height, layer.output.height, layer.kernel, layer.stride, layer.padding.top)
    columns = _along(layer.input.width, layer.output.width, layer.kernel, layer.stride, layer.padding.left)
    return [np.outer(row, column) for row in rows for column in columns]


def _along(inputs: int, outputs: int, kernel: int, stride: int, before: int) -> list[tuple[bool, ...]]:
    """The different ways in which a kernel meets the image along one axis."""
    starts = (place * stride - before for place in range(outputs))
    return sorted({tuple(0 <= start + tap < inputs for tap in range(kernel)) for start in starts})
