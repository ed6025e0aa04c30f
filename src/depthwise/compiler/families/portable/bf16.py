"""Weights of the bf16 kernels, as 32-bit words in the order in which they are read.

Factors are numbers of bfloat16 already (lower/bf16.py), biases float32. Sizes: K values in a kernel
row, C channels of a depthwise layer, N output channels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.compiler.families.packing import by_group
from depthwise.compiler.lower.bf16 import Halves, halves
from depthwise.compiler.lower.lower import Bounds, Floats, Operation
from depthwise.compiler.step import Step
from depthwise.kernels.tiling import Panels

Words = NDArray[np.uint32]


def product(operation: Operation, step: Step) -> list[Words]:
    """For each panel the bias, the bounds, then for each pair of values under the kernel the pairs of factors."""
    assert step.tiling is not None
    parts = by_group(operation, step.tiling.panels)
    return [panels(part.weight, part.bias, (group,), part.bounds) for part, group in parts]


def classifier(operation: Operation, step: Step) -> list[Words]:
    """The same without bounds."""
    assert step.tiling is not None
    return [panels(part.weight, part.bias, (group,)) for part, group in by_group(operation, step.tiling.panels)]


def zeros(operation: Operation) -> Words:
    """What stands for 0 in each channel of the output."""
    assert operation.bounds is not None
    return np.resize(halves(operation.bounds.low), -(-operation.bias.size // 2) * 2).view(np.uint32)


def depthwise(operation: Operation, step: Step) -> list[Words]:
    """For each vector of channels the bias, then the nine factors and the bounds, all as float32."""
    assert operation.bounds is not None
    rows = np.concatenate([operation.bias[None], operation.weight, [operation.bounds.low, operation.bounds.high]])
    return [rows.reshape(12, -1, step.lanes).transpose(1, 0, 2).ravel().view(np.uint32)]


def panels(weight: Floats, bias: Floats, groups: Iterable[Panels], bounds: Bounds | None = None) -> Words:
    """Panels one behind the other; channels that a panel has room for and the layer has not are 0.

    Args:
        weight: (rows, K, N).
        bias: (N,).
    """
    _, K, N = weight.shape
    whole = np.pad(halves(weight), ((0, 0), (0, K % 2), (0, 0))).reshape(-1, 2, N)
    pairs = pairs_of(whole[:, 0], whole[:, 1])
    parts = []
    start = 0
    for group in groups:
        size = group.vectors * group.lanes
        for _ in range(group.count):
            own = slice(start, start + group.channels)
            parts.append(padded(np.asarray(bias[own], np.float32), size).view(np.uint32))
            if bounds is not None:
                parts += [padded(halves(row[own]), size).view(np.uint32) for row in (bounds.low, bounds.high)]
            parts.append(padded(pairs[:, own], size).ravel())
            start += group.channels
    return np.concatenate(parts)


def pairs_of(first: Halves, second: Halves) -> Words:
    """Words of two, the first in the lower half."""
    return first.astype(np.uint32) | second.astype(np.uint32) << np.uint32(16)


def padded(values: NDArray[Any], size: int) -> NDArray[Any]:
    """Zeros at the end of the last axis, up to a size."""
    missing = size - values.shape[-1]
    return values if missing <= 0 else np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)])
