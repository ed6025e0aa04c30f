"""Weights of the int8 kernels for x86, as bytes in the order in which they are read.

The order of channels in vectors is that of kernels/dwk_x86.h. Sizes: K values in a kernel row, C channels of a
depthwise layer, N output channels, V vectors of L sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Weights = NDArray[np.int8]
Words = list[NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """What a vocabulary of kernels/dwk_x86.h takes.

    Attributes:
        lanes: sums in a vector (L).
        pairs: whether a quad of factors lies as two pairs of 16-bit numbers, the even and the odd ones.
    """

    lanes: int
    pairs: bool = False

    @property
    def bytes(self) -> int:
        """Bytes in a vector (B)."""
        return 4 * self.lanes


def product(weight: Weights, words: Words, panel: int, count: int, of: Vectors) -> Bytes:
    """Panels of a product: for each the words, then the factors.

    Args:
        weight: (rows, K, N), N at most count panels of V vectors; what is missing becomes 0.
        words: arrays of (N,) biases, multipliers and so on, of 32 bits.
        panel: vectors of a panel (V).
        count: panels; all but the last hold V x L channels.
    """
    wide = count * panel * of.lanes
    order = lanes_of(panel, of.lanes)
    quads = _quads(_padded(weight, wide))
    parts = []
    for start in range(0, wide, panel * of.lanes):
        channels = start + order
        parts += [_bytes(_padded(word, wide)[channels]) for word in words]
        parts.append(_factors(quads[..., channels, :], of))
    return np.concatenate(parts)


def classifier(weight: Weights, words: Words, panel: int, count: int, of: Vectors) -> Bytes:
    """The same as `product`, with labels in their order."""
    wide = count * panel * of.lanes
    quads = _quads(_padded(weight, wide))
    parts = []
    for start in range(0, wide, panel * of.lanes):
        labels = slice(start, start + panel * of.lanes)
        parts += [_bytes(_padded(word, wide)[labels]) for word in words]
        parts.append(_factors(quads[:, :, labels].reshape(*quads.shape[:2], panel, of.lanes, 4), of))
    return np.concatenate(parts)


def depthwise(weight: Weights, words: Words, rows: int, flat: bool, of: Vectors) -> Bytes:
    """Chunks of B channels: biases, multipliers, and factors of as many rows of outputs as are computed at once.

    Args:
        weight: (9, C).
        words: (C,) biases and multipliers.
        rows: 1 or 2.
        flat: repeat the channels until a chunk begins with the first one again.
    """
    C = weight.shape[1]
    size = of.bytes // gcd(C, of.bytes) * C if flat else -(-C // of.bytes) * of.bytes
    repeated = np.arange(size) % C if flat else np.arange(size)
    order = lanes_of(4, of.lanes)
    # (column, channel, row of the image), for each row of outputs
    columns = _padded(weight, size)[:, repeated].reshape(3, 3, size).transpose(1, 2, 0)
    wide = [np.pad(columns, ((0, 0), (0, 0), (row, 1 - row))) for row in range(rows)]
    parts = []
    for start in range(0, size, of.bytes):
        channels = start + order
        parts += [_bytes(_padded(word, size)[repeated][channels]) for word in words]
        parts += [_factors(factors[:, channels, :], of) for factors in wide]
    return np.concatenate(parts)


def pool(words: Words, of: Vectors) -> Bytes:
    """Chunks of B channels: biases and multipliers."""
    C = words[0].size
    size = -(-C // of.bytes) * of.bytes
    order = lanes_of(4, of.lanes)
    return np.concatenate(
        [_bytes(_padded(word, size)[start + order]) for start in range(0, size, of.bytes) for word in words]
    )


def lanes_of(vectors: int, lanes: int) -> NDArray[np.intp]:
    """(V, L): the channel of a panel that each sum belongs to."""
    j, t = np.meshgrid(np.arange(vectors), np.arange(lanes), indexing="ij")
    return np.asarray(4 * vectors * (t // 4) + 4 * j + t % 4, np.intp)


def _padded(values: NDArray[Any], size: int) -> NDArray[Any]:
    """Zeros at the end of the last axis, up to a size."""
    missing = max(size - values.shape[-1], 0)
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)])


def _quads(weight: Weights) -> Weights:
    """(rows, K, N) to (rows, K / 4, N, 4), with zeros where K ends within a quad."""
    rows, K, N = weight.shape
    whole = np.pad(weight, ((0, 0), (0, -K % 4), (0, 0)))
    return whole.reshape(rows, -1, 4, N).transpose(0, 1, 3, 2)


def _factors(quads: Weights, of: Vectors) -> Bytes:
    """Quads (..., L, 4) as the bytes of factors."""
    if not of.pairs:
        return _bytes(quads)
    pairs = np.stack([quads[..., 0::2], quads[..., 1::2]], axis=-3)
    return _bytes(pairs.astype(np.int16))


def _bytes(values: NDArray[Any]) -> Bytes:
    """The bytes of values in little-endian order."""
    return np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).view(np.uint8).ravel()
