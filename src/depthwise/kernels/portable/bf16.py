"""Weights of the bf16 kernels, as 32-bit words in the order in which they are read.

Factors are numbers of bfloat16 already (lower/bf16.py), biases float32. Sizes: K values in a kernel
row, C channels of a depthwise layer, N output channels.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from depthwise.kernels.bfloat16 import Halves, halves
from depthwise.kernels.packing import by_group, padded
from depthwise.kernels.tiling import Panels
from depthwise.kernels.weights import Bounds, Cut, Floats, Weights

Words = NDArray[np.uint32]


def product(weights: Weights, cut: Cut) -> list[Words]:
    """For each panel the bias, the bounds, then for each pair of values under the kernel the pairs of factors."""
    parts = by_group(weights, cut.groups)
    return [panels(part.weight, part.bias, (group,), part.bounds) for part, group in parts]


def classifier(weights: Weights, cut: Cut) -> list[Words]:
    """The same without bounds."""
    return [panels(part.weight, part.bias, (group,)) for part, group in by_group(weights, cut.groups)]


def depthwise(weights: Weights, cut: Cut) -> list[Words]:
    """For each vector of channels the bias, then the nine factors and the bounds, all as float32."""
    assert weights.bounds is not None
    rows = np.concatenate([weights.bias[None], weights.weight, [weights.bounds.low, weights.bounds.high]])
    return [rows.reshape(12, -1, cut.lanes).transpose(1, 0, 2).ravel().view(np.uint32)]


def panels(weight: Floats, bias: Floats, groups: Iterable[Panels], bounds: Bounds | None = None) -> Words:
    """Panels one behind the other; channels that a panel has room for and the layer has not are 0.

    Args:
        weight: (rows, K, N).
        bias: (N,).
    """
    _, K, N = weight.shape
    whole = np.pad(halves(weight), ((0, 0), (0, K % 2), (0, 0))).reshape(-1, 2, N)
    pairs = pairs_of(whole[:, 0], whole[:, 1])
    parts = []
    start = 0
    for group in groups:
        size = group.vectors * group.lanes
        for _ in range(group.count):
            own = slice(start, start + group.channels)
            parts.append(padded(np.asarray(bias[own], np.float32), size).view(np.uint32))
            if bounds is not None:
                parts += [padded(halves(row[own]), size).view(np.uint32) for row in (bounds.low, bounds.high)]
            parts.append(padded(pairs[:, own], size).ravel())
            start += group.channels
    return np.concatenate(parts)


def pairs_of(first: Halves, second: Halves) -> Words:
    """Words of two, the first in the lower half."""
    return first.astype(np.uint32) | second.astype(np.uint32) << np.uint32(16)
