"""Weights of the int8 kernels for RISC-V, as bytes in the order in which they are read.

Sizes: C channels of a depthwise layer or a pool, B of a chunk.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.kernels.weights import Cut, Weights

Bytes = NDArray[np.uint8]
Rows = list[NDArray[Any]]


def depthwise(weights: Weights, cut: Cut) -> list[Bytes]:
    """Chunks of B channels: biases, multipliers, then the nine factors. Fewer channels are repeated, for as many pixels
    as fit, where their bytes lie side by side."""
    rows = [*_words(weights), *weights.weight]
    pixels = max(cut.lanes // weights.bias.size, 1) if cut.stride == 1 else 1
    return [chunks([np.tile(row, pixels) for row in rows], cut.lanes)]


def pool(weights: Weights, cut: Cut) -> list[Bytes]:
    """Chunks of B channels: biases and multipliers."""
    return [chunks(_words(weights), cut.lanes)]


def chunks(rows: Rows, size: int) -> Bytes:
    """Rows of one value a channel, cut into chunks of so many channels, the last of fewer; chunk by chunk, row by row."""
    parts = [row[start : start + size] for start in range(0, rows[0].size, size) for row in rows]
    return np.concatenate([np.ascontiguousarray(p).astype(p.dtype.newbyteorder("<")).view(np.uint8) for p in parts])


def _words(weights: Weights) -> Rows:
    """(C,) biases and multipliers."""
    assert weights.rounding is not None
    return [weights.bias, weights.rounding.multiplier]
