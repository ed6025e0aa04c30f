"""Weights of the depthwise layers and pools for RISC-V, as bytes in the order in which they are read.

Sizes: C channels of a layer, B of a chunk, of which the last may have fewer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.kernels.weights import Cut, Weights

Bytes = NDArray[np.uint8]
Rows = list[NDArray[Any]]


def depthwise_f32(weights: Weights, cut: Cut) -> list[Bytes]:
    """Chunks of B channels: the bias, then the nine factors."""
    return [chunks(repeated([weights.bias, *weights.weight], cut), cut.lanes)]


def depthwise_i8(weights: Weights, cut: Cut) -> list[Bytes]:
    """Chunks of B channels: biases, multipliers, then the nine factors."""
    return [chunks(repeated([*_words(weights), *weights.weight], cut), cut.lanes)]


def pool_i8(weights: Weights, cut: Cut) -> list[Bytes]:
    """Chunks of B channels: biases and multipliers."""
    return [chunks(_words(weights), cut.lanes)]


def repeated(rows: Rows, cut: Cut) -> Rows:
    """Rows of one value a channel, of fewer than B channels as often as pixels fit into a chunk. That is done where the
    pixels of an output are made of pixels that lie side by side."""
    pixels = cut.lanes // rows[0].size if cut.stride == 1 else 1
    return [np.tile(row, max(pixels, 1)) for row in rows]


def chunks(rows: Rows, size: int) -> Bytes:
    """Rows of one value a channel, cut into chunks of so many channels, the last of fewer; chunk by chunk."""
    parts = [row[start : start + size] for start in range(0, rows[0].size, size) for row in rows]
    return np.concatenate([np.ascontiguousarray(p).astype(p.dtype.newbyteorder("<")).view(np.uint8) for p in parts])


def _words(weights: Weights) -> Rows:
    """(C,) biases and multipliers."""
    assert weights.rounding is not None
    return [weights.bias, weights.rounding.multiplier]
