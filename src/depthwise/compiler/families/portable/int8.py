"""Weights of the portable int8 kernels, as bytes in the order in which they are read.

Every panel or vector of channels begins with its words (biases, multipliers, a classifier's scales), its int8 factors
follow. Sizes: K values under the kernel, C channels of a depthwise layer, N output channels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.compiler.lower.lower import Operation
from depthwise.compiler.step import Step

Bytes = NDArray[np.uint8]


def product(operation: Operation, step: Step) -> Bytes:
    """For each panel biases, multipliers, then for each value under the kernel the panel's factors."""
    return _panels(operation, step, _words(operation)[:2])


def classifier(operation: Operation, step: Step) -> Bytes:
    """The same with scales after the multipliers; zeros after the last label."""
    return _panels(operation, step, _words(operation))


def depthwise(operation: Operation, step: Step) -> Bytes:
    """For each vector of channels biases, multipliers, then the nine factors."""
    return _vectors([*_words(operation)[:2], *operation.weight], step.lanes)


def pool(operation: Operation, step: Step) -> Bytes:
    """For each vector of channels biases and multipliers."""
    return _vectors(_words(operation)[:2], step.lanes)


def _words(operation: Operation) -> list[NDArray[Any]]:
    """(N,) biases, multipliers and scales."""
    assert operation.rounding is not None
    return [operation.bias, operation.rounding.multiplier, operation.rounding.scale]


def _panels(operation: Operation, step: Step, words: list[NDArray[Any]]) -> Bytes:
    assert step.tiling is not None
    N = operation.bias.size
    rows = [*words, *operation.weight.reshape(-1, N)]
    width = sum(group.count * group.channels for group in step.tiling.panels)
    padded = rows if width == N else [np.pad(row, (0, width - N)) for row in rows]
    pieces = []
    start = 0
    for group in step.tiling.panels:
        end = start + group.count * group.channels
        pieces.append(_vectors([row[start:end] for row in padded], group.channels))
        start = end
    return np.concatenate(pieces)


def _vectors(rows: list[NDArray[Any]], channels: int) -> Bytes:
    """Rows of one value a channel, cut into columns of so many channels; column by column, row by row, as bytes."""
    columns = [
        np.ascontiguousarray(row).astype(row.dtype.newbyteorder("<")).view(np.uint8).reshape(row.size // channels, -1)
        for row in rows
    ]
    return np.concatenate(columns, axis=1).ravel()
