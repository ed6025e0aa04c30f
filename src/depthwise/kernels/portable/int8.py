"""Weights of the portable int8 kernels, as bytes in the order in which they are read.

Every panel or vector of channels begins with its words (biases, multipliers, a classifier's scales), its int8 factors
follow. Sizes: K values under the kernel, C channels of a depthwise layer, N output channels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.kernels.packing import by_group
from depthwise.kernels.tiling import Panels
from depthwise.kernels.weights import Cut, Weights

Bytes = NDArray[np.uint8]


def product(weights: Weights, cut: Cut) -> list[Bytes]:
    """For each panel biases, multipliers, then for each value under the kernel the panel's factors."""
    return [_panels(part, group, _words(part)[:2]) for part, group in by_group(weights, cut.groups)]


def classifier(weights: Weights, cut: Cut) -> list[Bytes]:
    """The same with scales after the multipliers; zeros after the last label."""
    return [_panels(part, group, _words(part)) for part, group in by_group(weights, cut.groups)]


def depthwise(weights: Weights, cut: Cut) -> list[Bytes]:
    """For each vector of channels biases, multipliers, then the nine factors."""
    return [_vectors([*_words(weights)[:2], *weights.weight], cut.lanes)]


def pool(weights: Weights, cut: Cut) -> list[Bytes]:
    """For each vector of channels biases and multipliers."""
    return [_vectors(_words(weights)[:2], cut.lanes)]


def _words(weights: Weights) -> list[NDArray[Any]]:
    """(N,) biases, multipliers and scales."""
    assert weights.rounding is not None
    return [weights.bias, weights.rounding.multiplier, weights.rounding.scale]


def _panels(weights: Weights, group: Panels, words: list[NDArray[Any]]) -> Bytes:
    """Panels of one size, the last filled up with zeros."""
    missing = group.count * group.channels - weights.bias.size
    rows = [*words, *weights.weight.reshape(-1, weights.bias.size)]
    return _vectors([np.pad(row, (0, missing)) for row in rows] if missing else rows, group.channels)


def _vectors(rows: list[NDArray[Any]], channels: int) -> Bytes:
    """Rows of one value a channel, cut into columns of so many channels; column by column, row by row, as bytes."""
    columns = [
        np.ascontiguousarray(row).astype(row.dtype.newbyteorder("<")).view(np.uint8).reshape(row.size // channels, -1)
        for row in rows
    ]
    return np.concatenate(columns, axis=1).ravel()
