"""Weights of the int8 kernels for ARM, as bytes in the order in which they are read.

Activations are kept less by 128, so that each bias has 128 times the sum of its factors added. Sizes: K values in a
kernel row, C channels of a depthwise layer, N output channels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.kernels.layout import LESS
from depthwise.kernels.packing import by_group, padded
from depthwise.kernels.weights import Cut, Weights

Bytes = NDArray[np.uint8]
Signed = NDArray[np.int8]
Words = list[NDArray[Any]]

# The bits of the float 1.5 x 2^23, DWK_ROUNDER of dwk_vector_i8.h.
ROUNDER_BITS = 0x4B400000
_WINDOW = 27


def products_of_fours(weights: Weights, cut: Cut) -> list[Bytes]:
    """Panels of a product: words, then each four values of a kernel row of all the panel's channels."""
    return _products(weights, cut, _fours)


def products_of_eights(weights: Weights, cut: Cut) -> list[Bytes]:
    """Panels: words, then for each four channels each eight values of a kernel row, channel by channel."""
    return _products(weights, cut, lambda weight, count: _by_channel(weight, 8))


def pointwise_of_sixteens(weights: Weights, cut: Cut) -> list[Bytes]:
    """The same by sixteen values, of which there may be eight at the end."""
    return _products(weights, cut, lambda weight, count: _sixteens(weight))


def pointwise_of_pairs(weights: Weights, cut: Cut) -> list[Bytes]:
    """Panels: words of each pair of channels twice, then each eight values of one channel after the other."""
    pieces = []
    for part, group in by_group(weights, cut.groups):
        twice = [np.repeat(word.reshape(-1, 1, 2), 2, axis=1) for word in _words(part, cut.way)]
        K = part.weight.shape[1]
        eights = part.weight[0].reshape(K // 8, 8, group.count, -1).transpose(2, 0, 3, 1)
        pieces.append(_panels(twice, eights, group.count))
    return pieces


def stem_of_fours(weights: Weights, cut: Cut) -> list[Bytes]:
    """Panels of the first convolution: words, then each four of the 27 values, the last with a 0."""
    return _products(weights, cut, lambda weight, count: _fours(_window(weight), count))


def stem_of_windows(weights: Weights, cut: Cut) -> list[Bytes]:
    """Panels of the first convolution: words, then the 27 factors of each channel and five zeros."""
    return _products(weights, cut, lambda weight, count: padded(_window(weight)[0].T, 32))


def classifier_of_fours(weights: Weights, cut: Cut) -> list[Bytes]:
    """Panels of labels: words with scales, then each four features of all of them; zeros after the last label."""
    return _classifier(weights, cut, _fours)


def classifier_of_sixteens(weights: Weights, cut: Cut) -> list[Bytes]:
    """The same, for each four labels each sixteen features, label by label."""
    return _classifier(weights, cut, lambda weight, count: _sixteens(weight))


def depthwise_of_two_rows(weights: Weights, cut: Cut) -> list[Bytes]:
    """Eights of channels: words, then for each column the fours of both rows of outputs."""
    # (column, row of outputs, channel, row of the image)
    fours = np.stack([_columns(weights, 0), _columns(weights, 1)], axis=1)
    return [_eights(weights, cut, fours.reshape(6, -1, 4))]


def depthwise_of_columns(weights: Weights, cut: Cut) -> list[Bytes]:
    """Eights of channels: words, then for each column a four."""
    return [_eights(weights, cut, _columns(weights, 0))]


def depthwise_of_taps(weights: Weights, cut: Cut) -> list[Bytes]:
    """Eights of channels: words, then the nine factors."""
    return [_eights(weights, cut, weights.weight[..., None])]


def bias(weights: Weights) -> NDArray[np.int32]:
    """(N,) what sums of signed activations begin with."""
    factors = weights.weight.reshape(-1, weights.bias.size).sum(axis=0, dtype=np.int64)
    return _wrapped(weights.bias + LESS * factors)


def _products(weights: Weights, cut: Cut, order: Callable[[Signed, int], Signed]) -> list[Bytes]:
    """Panels with their factors in an order, which is given (rows, K, N) factors and the number of panels."""
    return [
        _panels(_words(part, cut.way), order(part.weight, group.count), group.count)
        for part, group in by_group(weights, cut.groups)
    ]


def _classifier(weights: Weights, cut: Cut, order: Callable[[Signed, int], Signed]) -> list[Bytes]:
    pieces = []
    for part, group in by_group(weights, cut.groups):
        assert part.rounding is not None
        size = group.count * group.channels
        words = [padded(word, size) for word in (bias(part), part.rounding.multiplier, part.rounding.scale)]
        pieces.append(_panels(words, order(padded(part.weight, size), group.count), group.count))
    return pieces


def _eights(weights: Weights, cut: Cut, factors: Signed) -> Bytes:
    """Eights of channels: words, then (steps, C, bytes) of factors step by step."""
    count = weights.bias.size // 8
    steps = factors.reshape(len(factors), count, -1).transpose(1, 0, 2)
    return _panels(_words(weights, cut.way), steps, count)


def _words(weights: Weights, way: str) -> Words:
    """(N,) biases and multipliers for a way to round; in `doubled` the latter are halves of factors."""
    assert weights.rounding is not None
    begin = bias(weights)
    if way == "doubled":
        return [begin, (weights.rounding.even >> 1).astype(np.int32)]
    if way == "added":
        begin = _wrapped(begin.astype(np.int64) + ROUNDER_BITS)
    return [begin, weights.rounding.multiplier]


def _wrapped(values: NDArray[np.int64]) -> NDArray[np.int32]:
    """The lowest 32 bits, which are all that sums have."""
    return (values & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def _fours(weight: Signed, count: int) -> Signed:
    """(rows, K, N) to (panels, rows x K / 4, channels, 4), with zeros where K ends within a four."""
    _, K, N = weight.shape
    whole = np.pad(weight, ((0, 0), (0, -K % 4), (0, 0)))
    return whole.reshape(-1, 4, count, N // count).transpose(2, 0, 3, 1)


def _by_channel(weight: Signed, size: int) -> Signed:
    """(rows, K, N) to (N / 4, rows x K / size, 4, size), with zeros where K ends within that size."""
    _, K, N = weight.shape
    whole = np.pad(weight, ((0, 0), (0, -K % size), (0, 0)))
    return whole.reshape(-1, size, N // 4, 4).transpose(2, 0, 3, 1)


def _sixteens(weight: Signed) -> Signed:
    """(1, K, N) to (N / 4, ...): sixteens of K channel by channel, and where K ends with an eight that."""
    whole = weight.shape[1] // 16 * 16
    groups = weight.shape[2] // 4
    parts = (_by_channel(weight[:, :whole], 16), _by_channel(weight[:, whole:], 8))
    return np.concatenate([part.reshape(groups, -1) for part in parts], axis=1)


def _window(weight: Signed) -> Signed:
    """(3, 9, N) to (1, 27, N)."""
    return weight.reshape(1, _WINDOW, -1)


def _columns(weights: Weights, before: int) -> Signed:
    """(column, C, 4) factors of three rows, with so many zeros before them and the other behind."""
    columns = weights.weight.reshape(3, 3, -1).transpose(1, 2, 0)
    return np.pad(columns, ((0, 0), (0, 0), (before, 1 - before)))


def _panels(words: Words, factors: Signed, count: int) -> Bytes:
    """So many panels one behind the other: of each its part of every array of words, then of the factors."""
    return np.concatenate([_bytes(array).reshape(count, -1) for array in (*words, factors)], axis=1).ravel()


def _bytes(values: NDArray[Any]) -> Bytes:
    """The bytes of values in little-endian order."""
    return np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).view(np.uint8).ravel()
