"""Weights of the bf16 kernels, as 32-bit words in the order in which they are read.

Factors are numbers of bfloat16 already (lower_bf16.py), biases float32. Sizes: K values in a kernel
row, C channels of a depthwise layer, N output channels.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.compiler.lower import Bounds, Floats, Operation
from depthwise.compiler.lower_bf16 import Halves, halves
from depthwise.compiler.step import Step
from depthwise.compiler.tiles import Panels

Words = NDArray[np.uint32]


def product(operation: Operation, step: Step) -> Words:
    """For each panel the bias, the bounds, then for each pair of values under the kernel the pairs of factors."""
    assert step.tiling is not None
    assert operation.bounds is not None
    return panels(operation.weight, operation.bias, step.tiling.panels, operation.bounds)


def classifier(operation: Operation, step: Step) -> Words:
    """The same without bounds."""
    assert step.tiling is not None
    return panels(operation.weight, operation.bias, step.tiling.panels)


def zeros(operation: Operation) -> Words:
    """What stands for 0 in each channel of the output."""
    assert operation.bounds is not None
    return np.resize(halves(operation.bounds.low), -(-operation.bias.size // 2) * 2).view(np.uint32)


def depthwise(operation: Operation, step: Step) -> Words:
    """For each vector of channels the bias, then the nine factors and the bounds, all as float32."""
    assert operation.bounds is not None
    rows = np.concatenate([operation.bias[None], operation.weight, [operation.bounds.low, operation.bounds.high]])
    return rows.reshape(12, -1, step.lanes).transpose(1, 0, 2).ravel().view(np.uint32)


def depthwise_x86(operation: Operation, step: Step) -> Words:
    """Chunks of 32 channels: biases, bounds, and factors of as many rows of outputs as are computed at once."""
    stride = step.layers[0].stride
    assert operation.bounds is not None
    rows = 2 if stride == 1 else 1
    return chunks(operation.weight, operation.bias, operation.bounds, rows=rows, repeat=stride == 1)


def panels(weight: Floats, bias: Floats, groups: Iterable[Panels], bounds: Bounds | None = None) -> Words:
    """Panels one behind the other; channels that a panel has room for and the layer has not are 0.

    Args:
        weight: (rows, K, N).
        bias: (N,).
    """
    _, K, N = weight.shape
    whole = np.pad(halves(weight), ((0, 0), (0, K % 2), (0, 0))).reshape(-1, 2, N)
    pairs = _pairs(whole[:, 0], whole[:, 1])
    parts = []
    start = 0
    for group in groups:
        size = group.vectors * group.lanes
        for _ in range(group.count):
            own = slice(start, start + group.channels)
            parts.append(_padded(np.asarray(bias[own], np.float32), size).view(np.uint32))
            if bounds is not None:
                parts += [_padded(halves(row[own]), size).view(np.uint32) for row in (bounds.low, bounds.high)]
            parts.append(_padded(pairs[:, own], size).ravel())
            start += group.channels
    return np.concatenate(parts)


def chunks(weight: Floats, bias: Floats, bounds: Bounds, *, rows: int, repeat: bool) -> Words:
    """Chunks of 32 channels of dwk_window_bf16_x86.h.

    Args:
        weight: (9, C).
        bias: (C,).
        rows: of outputs that are computed at once, 1 or 2.
        repeat: whether fewer than 32 channels repeat until a chunk begins with the first one again.
    """
    B, C = 32, len(bias)
    again = repeat and C < B
    size = C * B // gcd(C, B) if again else -(-C // B) * B
    channels = np.arange(size) % C if again else np.arange(size)
    # (column, row of the image, channel), with a row of zeros above or below for each row of outputs
    columns = _padded(halves(weight), size)[:, channels].reshape(3, 3, size).transpose(1, 0, 2)
    wide = [np.pad(columns, ((0, 0), (row, 1 - row), (0, 0))) for row in range(rows)]
    parts = []
    for start in range(0, size, B):
        order = start + _order()
        parts.append(_padded(bias, size)[channels[order]].astype(np.float32).view(np.uint32).ravel())
        own = channels[start : start + B]
        parts += [_padded(halves(row), size)[own].view(np.uint32) for row in (bounds.low, bounds.high)]
        parts += [_pairs(four[:, 0::2, order], four[:, 1::2, order]).ravel() for four in wide]
    return np.concatenate(parts)


def _order() -> NDArray[np.intp]:
    """(2, 16): the value of a vector that each sum belongs to, as unpacking spreads them."""
    j, t = np.meshgrid(np.arange(2), np.arange(16), indexing="ij")
    return np.asarray(8 * (t // 4) + 4 * j + t % 4, np.intp)


def _pairs(first: Halves, second: Halves) -> Words:
    return first.astype(np.uint32) | second.astype(np.uint32) << np.uint32(16)


def _padded(values: NDArray[Any], size: int) -> NDArray[Any]:
    """Zeros at the end of the last axis, up to a size."""
    missing = size - values.shape[-1]
    return values if missing <= 0 else np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)])
