"""Weights of the int8 kernels for x86, as bytes in the order in which they are read.

The order of channels in vectors is that of kernels/x86/dwk_x86.h. Sizes: K values in a kernel row, C channels of a
depthwise layer, N output channels; V vectors of L sums or B = 4 L bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.kernels.instructions import Instructions
from depthwise.kernels.packing import by_group, padded
from depthwise.kernels.tiling import Panels
from depthwise.kernels.weights import Cut, Weights

Bytes = NDArray[np.uint8]
Signed = NDArray[np.int8]
Words = list[NDArray[Any]]


def product(weights: Weights, cut: Cut) -> list[Bytes]:
    """Panels of a product: for each biases, multipliers, factors."""
    return _panels(weights, cut, words=2)


def stem(weights: Weights, cut: Cut) -> list[Bytes]:
    """The same, of kernel rows of nine values."""
    nine = replace(weights, weight=ninths_last(weights.weight))
    return _panels(nine, cut, words=2)


def stem_abreast(weights: Weights, cut: Cut) -> list[Bytes]:
    """All biases and multipliers, then the quads of a stem, each of all channels."""
    return [spread(_words(weights)[:2], weights.weight)]


def classifier(weights: Weights, cut: Cut) -> list[Bytes]:
    """Panels of the classifier: the same with scales after the multipliers, and labels in their order."""
    return _panels(weights, cut, words=3, in_order=True)


def depthwise(weights: Weights, cut: Cut) -> list[Bytes]:
    """Chunks of B channels: biases, multipliers, and factors of as many rows of outputs as are computed at once."""
    rows = 2 if cut.stride == 1 else 1
    windows = rows_at_once(weights.weight, rows)
    return [depthwise_chunks(windows, _words(weights)[:2], cut.instructions)]


def alternating(weights: Weights, cut: Cut) -> list[Bytes]:
    """The same with the factors of dwk_depthwise3x3s2_i8_avx512vnni.h."""
    quads = quads_of_sides(weights.weight)
    return [depthwise_chunks(quads, _words(weights)[:2], cut.instructions)]


def pool(weights: Weights, cut: Cut) -> list[Bytes]:
    """Chunks of B channels: biases and multipliers."""
    return [np.concatenate(pool_chunks(_words(weights)[:2], cut.instructions))]


def panels(weight: Signed, words: Words, groups: Iterable[Panels], of: Instructions, *, in_order: bool) -> Bytes:
    """Panels one behind the other: for each the words, then the factors.

    Args:
        weight: (rows, K, N); channels after the last become 0.
        words: arrays of (N,) biases, multipliers and so on, of 32 bits.
        in_order: whether a panel's channels stay in their order.
    """
    parts = []
    start = 0
    for group in groups:
        wide = group.vectors * of.lanes
        order = np.arange(wide).reshape(group.vectors, -1) if in_order else _order(group.vectors, of)
        for _ in range(group.count):
            end = start + group.channels
            parts += [_bytes(padded(word[start:end], wide)[order]) for word in words]
            parts.append(_factors(_quads(padded(weight[..., start:end], wide))[..., order, :], of))
            start = end
    return np.concatenate(parts)


def spread(words: Words, weight: Signed) -> Bytes:
    """The words, then for each quad of (3, 9, N) factors those of all channels."""
    return np.concatenate([*map(_bytes, words), _bytes(_quads(ninths_last(weight)))])


def ninths_last(weight: Signed) -> Signed:
    """(3, 9, N) to (1, 27, N): eight values of each kernel row, then the ninth ones."""
    return np.concatenate([*weight[:, :8], weight[:, 8]])[None]


def rows_at_once(weight: Signed, rows: int) -> Signed:
    """(9, C) factors as quads of four rows of the image, (rows x 3, C, 4): for one row of outputs, or for two."""
    columns = weight.reshape(3, 3, -1).transpose(1, 2, 0)
    return np.concatenate([np.pad(columns, ((0, 0), (0, 0), (row, 1 - row))) for row in range(rows)])


def quads_of_sides(weight: Signed) -> Signed:
    """(9, C) factors as the quads (4, C, 4) of stride 2: on the left, on the right, and the middle of two chunks."""
    (a0, b0, c0), (a1, b1, c1), (a2, b2, c2) = weight.reshape(3, 3, -1)
    none = np.zeros_like(a0)
    quads = ((a0, a1, none, a2), (c0, c1, b2, c2), (b0, b1, none, none), (none, none, b0, b1))
    return np.stack([np.stack(quad, axis=-1) for quad in quads])


def depthwise_chunks(quads: Signed, words: Words, of: Instructions) -> Bytes:
    """Chunks of B channels; fewer than B channels repeat until a chunk begins with the first one again.

    Args:
        quads: (number, C, 4) of factors.
        words: (C,) biases and multipliers.
    """
    C = quads.shape[1]
    order = _order(4, of)
    B = order.size
    size = C * B // gcd(C, B) if C < B else -(-C // B) * B
    channels = np.arange(size) % C if C < B else np.arange(size)
    wide = np.pad(quads, ((0, 0), (0, max(size - C, 0)), (0, 0)))[:, channels]
    parts = []
    for start in range(0, size, B):
        parts += [_bytes(padded(word, size)[channels[start + order]]) for word in words]
        parts.append(_factors(wide[:, start + order, :], of))
    return np.concatenate(parts)


def pool_chunks(words: Words, of: Instructions) -> list[Bytes]:
    """For each chunk of B channels its words; channels after the last are 0."""
    order = _order(4, of)
    size = -(-words[0].size // order.size) * order.size
    return [_bytes(padded(word, size)[start + order]) for start in range(0, size, order.size) for word in words]


def _words(weights: Weights) -> Words:
    """(N,) biases, multipliers and scales."""
    assert weights.rounding is not None
    return [weights.bias, weights.rounding.multiplier, weights.rounding.scale]


def _panels(weights: Weights, cut: Cut, *, words: int, in_order: bool = False) -> list[Bytes]:
    """Each group of panels; of a channel's words the first so many."""
    of = cut.instructions
    return [
        panels(part.weight, _words(part)[:words], (group,), of, in_order=in_order)
        for part, group in by_group(weights, cut.groups)
    ]


def _order(vectors: int, of: Instructions) -> NDArray[np.intp]:
    """(V, L): the channel of a panel that each sum belongs to."""
    j, t = np.meshgrid(np.arange(vectors), np.arange(of.lanes), indexing="ij")
    return np.asarray(4 * vectors * (t // 4) + 4 * j + t % 4, np.intp)


def _quads(weight: Signed) -> Signed:
    """(rows, K, N) to (rows, K / 4, N, 4), with zeros where K ends within a quad."""
    rows, K, N = weight.shape
    whole = np.pad(weight, ((0, 0), (0, -K % 4), (0, 0)))
    return whole.reshape(rows, -1, 4, N).transpose(0, 1, 3, 2)


def _factors(quads: Signed, of: Instructions) -> Bytes:
    """Quads (..., L, 4) as the bytes of factors."""
    if not of.pairs:
        return _bytes(quads)
    pairs = np.stack([quads[..., 0::2], quads[..., 1::2]], axis=-3)
    return _bytes(pairs.astype(np.int16))


def _bytes(values: NDArray[Any]) -> Bytes:
    """The bytes of values in little-endian order."""
    return np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).view(np.uint8).ravel()
