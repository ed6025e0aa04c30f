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

from depthwise.compiler.lower import Floats, Operation
from depthwise.compiler.lower_bf16 import Halves, halves
from depthwise.compiler.step import Step
from depthwise.compiler.tiles import Panels

Words = NDArray[np.uint32]


def product(operation: Operation, step: Step) -> Words:
    """For each panel the bias, then for each pair of values under the kernel the panel's pairs of factors."""
    assert step.tiling is not None
    return panels(operation.weight, operation.bias, step.tiling.panels)


def depthwise(operation: Operation, step: Step) -> Words:
    """For each vector of channels the bias, then the nine factors, all as float32."""
    rows = np.concatenate([operation.bias[None], operation.weight])
    return rows.reshape(10, -1, step.lanes).transpose(1, 0, 2).ravel().view(np.uint32)


def depthwise_x86(operation: Operation, step: Step) -> Words:
    """Chunks of 32 channels: biases, and factors of as many rows of outputs as are computed at once."""
    stride = step.layers[0].stride
    return chunks(operation.weight, operation.bias, rows=2 if stride == 1 else 1, repeat=stride == 1)


def panels(weight: Floats, bias: Floats, groups: Iterable[Panels]) -> Words:
    """Panels one behind the other; channels that a panel has room for and the layer has not are 0.

    Args:
        weight: (rows, K, N).
        bias: (N,).
    """
    _, K, N = weight.shape
    whole = np.pad(halves(weight), ((0, 0), (0, K % 2), (0, 0))).reshape(-1, 2, N)
    pairs = _pairs(whole[:, 0], whole[:, 1])
    table = np.concatenate([np.ascontiguousarray(bias, np.float32).view(np.uint32)[None], pairs])
    parts = []
    start = 0
    for group in groups:
        for _ in range(group.count):
            part = table[:, start : start + group.channels]
            parts.append(np.pad(part, ((0, 0), (0, group.vectors * group.lanes - part.shape[1]))).ravel())
            start += group.channels
    return np.concatenate(parts)


def chunks(weight: Floats, bias: Floats, *, rows: int, repeat: bool) -> Words:
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
    missing = max(size - values.shape[-1], 0)
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)])
