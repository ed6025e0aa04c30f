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

from depthwise.compiler.families.packing import by_group
from depthwise.compiler.lower.lower import Operation
from depthwise.compiler.step import Step
from depthwise.kernels.instructions import Instructions
from depthwise.kernels.tiling import Panels

Bytes = NDArray[np.uint8]
Weights = NDArray[np.int8]
Words = list[NDArray[Any]]


def product(operation: Operation, step: Step) -> list[Bytes]:
    """Panels of a product: for each biases, multipliers, factors."""
    return _panels(operation, step, words=2)


def stem(operation: Operation, step: Step) -> list[Bytes]:
    """The same, of kernel rows of nine values."""
    nine = replace(operation, weight=ninths_last(operation.weight))
    return _panels(nine, step, words=2)


def stem_abreast(operation: Operation, step: Step) -> list[Bytes]:
    """All biases and multipliers, then the quads of a stem, each of all channels."""
    return [spread(_words(operation)[:2], operation.weight)]


def classifier(operation: Operation, step: Step) -> list[Bytes]:
    """Panels of the classifier: the same with scales after the multipliers, and labels in their order."""
    return _panels(operation, step, words=3, in_order=True)


def depthwise(operation: Operation, step: Step) -> list[Bytes]:
    """Chunks of B channels: biases, multipliers, and factors of as many rows of outputs as are computed at once."""
    rows = 2 if step.layers[0].stride == 1 else 1
    windows = rows_at_once(operation.weight, rows)
    return [depthwise_chunks(windows, _words(operation)[:2], step.kernels[0].instructions)]


def alternating(operation: Operation, step: Step) -> list[Bytes]:
    """The same with the factors of dwk_depthwise3x3s2_i8_avx512vnni.h."""
    quads = quads_of_sides(operation.weight)
    return [depthwise_chunks(quads, _words(operation)[:2], step.kernels[0].instructions)]


def pool(operation: Operation, step: Step) -> list[Bytes]:
    """Chunks of B channels: biases and multipliers."""
    return [np.concatenate(pool_chunks(_words(operation)[:2], step.kernels[0].instructions))]


def panels(weight: Weights, words: Words, groups: Iterable[Panels], of: Instructions, *, in_order: bool) -> Bytes:
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
            parts += [_bytes(_padded(word[start:end], wide)[order]) for word in words]
            parts.append(_factors(_quads(_padded(weight[..., start:end], wide))[..., order, :], of))
            start = end
    return np.concatenate(parts)


def spread(words: Words, weight: Weights) -> Bytes:
    """The words, then for each quad of (3, 9, N) factors those of all channels."""
    return np.concatenate([*map(_bytes, words), _bytes(_quads(ninths_last(weight)))])


def ninths_last(weight: Weights) -> Weights:
    """(3, 9, N) to (1, 27, N): eight values of each kernel row, then the ninth ones."""
    return np.concatenate([*weight[:, :8], weight[:, 8]])[None]


def rows_at_once(weight: Weights, rows: int) -> Weights:
    """(9, C) factors as quads of four rows of the image, (rows x 3, C, 4): for one row of outputs, or for two."""
    columns = weight.reshape(3, 3, -1).transpose(1, 2, 0)
    return np.concatenate([np.pad(columns, ((0, 0), (0, 0), (row, 1 - row))) for row in range(rows)])


def quads_of_sides(weight: Weights) -> Weights:
    """(9, C) factors as the quads (4, C, 4) of stride 2: on the left, on the right, and the middle of two chunks."""
    (a0, b0, c0), (a1, b1, c1), (a2, b2, c2) = weight.reshape(3, 3, -1)
    none = np.zeros_like(a0)
    quads = ((a0, a1, none, a2), (c0, c1, b2, c2), (b0, b1, none, none), (none, none, b0, b1))
    return np.stack([np.stack(quad, axis=-1) for quad in quads])


def depthwise_chunks(quads: Weights, words: Words, of: Instructions) -> Bytes:
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
        parts += [_bytes(_padded(word, size)[channels[start + order]]) for word in words]
        parts.append(_factors(wide[:, start + order, :], of))
    return np.concatenate(parts)


def pool_chunks(words: Words, of: Instructions) -> list[Bytes]:
    """For each chunk of B channels its words; channels after the last are 0."""
    order = _order(4, of)
    size = -(-words[0].size // order.size) * order.size
    return [_bytes(_padded(word, size)[start + order]) for start in range(0, size, order.size) for word in words]


def _words(operation: Operation) -> Words:
    """(N,) biases, multipliers and scales."""
    assert operation.rounding is not None
    return [operation.bias, operation.rounding.multiplier, operation.rounding.scale]


def _panels(operation: Operation, step: Step, *, words: int, in_order: bool = False) -> list[Bytes]:
    """Each group of panels; of a channel's words the first so many."""
    assert step.tiling is not None
    of = step.kernels[-1].instructions
    return [
        panels(part.weight, _words(part)[:words], (group,), of, in_order=in_order)
        for part, group in by_group(operation, step.tiling.panels)
    ]


def _order(vectors: int, of: Instructions) -> NDArray[np.intp]:
    """(V, L): the channel of a panel that each sum belongs to."""
    j, t = np.meshgrid(np.arange(vectors), np.arange(of.lanes), indexing="ij")
    return np.asarray(4 * vectors * (t // 4) + 4 * j + t % 4, np.intp)


def _padded(values: NDArray[Any], size: int) -> NDArray[Any]:
    """Zeros at the end of the last axis, up to a size."""
    missing = size - values.shape[-1]
    return values if missing <= 0 else np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)])


def _quads(weight: Weights) -> Weights:
    """(rows, K, N) to (rows, K / 4, N, 4), with zeros where K ends within a quad."""
    rows, K, N = weight.shape
    whole = np.pad(weight, ((0, 0), (0, -K % 4), (0, 0)))
    return whole.reshape(rows, -1, 4, N).transpose(0, 1, 3, 2)


def _factors(quads: Weights, of: Instructions) -> Bytes:
    """Quads (..., L, 4) as the bytes of factors."""
    if not of.pairs:
        return _bytes(quads)
    pairs = np.stack([quads[..., 0::2], quads[..., 1::2]], axis=-3)
    return _bytes(pairs.astype(np.int16))


def _bytes(values: NDArray[Any]) -> Bytes:
    """The bytes of values in little-endian order."""
    return np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).view(np.uint8).ravel()
