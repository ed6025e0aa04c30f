"""Weights of the bf16 kernels for x86, as 32-bit words in the order in which they are read."""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import NDArray

from depthwise.kernels.bfloat16 import halves
from depthwise.kernels.packing import padded
from depthwise.kernels.portable.bf16 import Words, pairs_of
from depthwise.kernels.weights import Bounds, Cut, Floats, Weights

# Channels of a chunk.
_SIZE = 32


def depthwise_x86(weights: Weights, cut: Cut) -> list[Words]:
    """Chunks of 32 channels: biases, bounds, and factors of as many rows of outputs as are computed at once."""
    stride = cut.stride
    assert weights.bounds is not None
    rows = 2 if stride == 1 else 1
    return [chunks(weights.weight, weights.bias, weights.bounds, rows=rows, repeat=stride == 1)]


def depthwise_avx512(weights: Weights, cut: Cut) -> list[Words]:
    """Chunks of 32 channels of dwk_window_bf16_avx512.h, of the even channels and of the odd ones."""
    assert weights.bounds is not None
    # (what, chunk, 32 channels)
    order = _channels(len(weights.bias), repeat=cut.stride == 1).reshape(-1, _SIZE)
    missing = order >= len(weights.bias)
    at = np.where(missing, 0, order)
    bias, factors = (np.where(missing, np.float32(0), row[..., at]) for row in (weights.bias, weights.weight))
    low, high = (np.where(missing, np.float32(0), row[at]) for row in (weights.bounds.low, weights.bounds.high))
    parts = []
    for chunk in range(len(order)):
        parts += [bias[chunk, half::2].astype(np.float32).view(np.uint32) for half in (0, 1)]
        parts += [halves(row[chunk]).view(np.uint32) for row in (low, high)]
        parts += [row[chunk, half::2].astype(np.float32).view(np.uint32) for row in factors for half in (0, 1)]
    return [np.concatenate(parts)]


def chunks(weight: Floats, bias: Floats, bounds: Bounds, *, rows: int, repeat: bool) -> Words:
    """Chunks of 32 channels of dwk_window_bf16_x86.h.

    Args:
        weight: (9, C).
        bias: (C,).
        rows: of outputs that are computed at once, 1 or 2.
        repeat: whether fewer than 32 channels repeat until a chunk begins with the first one again.
    """
    B = _SIZE
    channels = _channels(len(bias), repeat=repeat)
    size = len(channels)
    # (column, row of the image, channel), with a row of zeros above or below for each row of outputs
    columns = padded(halves(weight), size)[:, channels].reshape(3, 3, size).transpose(1, 0, 2)
    wide = [np.pad(columns, ((0, 0), (row, 1 - row), (0, 0))) for row in range(rows)]
    parts = []
    for start in range(0, size, B):
        order = start + _order()
        parts.append(padded(bias, size)[channels[order]].astype(np.float32).view(np.uint32).ravel())
        own = channels[start : start + B]
        parts += [padded(halves(row), size)[own].view(np.uint32) for row in (bounds.low, bounds.high)]
        parts += [pairs_of(four[:, 0::2, order], four[:, 1::2, order]).ravel() for four in wide]
    return np.concatenate(parts)


def _channels(count: int, *, repeat: bool) -> NDArray[np.intp]:
    """The channel of each place in the chunks; at the end of the last one there may be none of that number.

    Args:
        repeat: whether fewer than 32 channels repeat until a chunk begins with the first one again.
    """
    again = repeat and count < _SIZE
    size = count * _SIZE // gcd(count, _SIZE) if again else -(-count // _SIZE) * _SIZE
    return np.arange(size) % count if again else np.arange(size)


def _order() -> NDArray[np.intp]:
    """(2, 16): the value of a vector that each sum belongs to, as unpacking spreads them."""
    j, t = np.meshgrid(np.arange(2), np.arange(16), indexing="ij")
    return np.asarray(8 * (t // 4) + 4 * j + t % 4, np.intp)
