"""Weights of the portable int8 kernels, as bytes in the order in which they are read.

Every panel or vector of channels begins with its words (biases, multipliers, a classifier's scales), its int8 factors
follow. Sizes: K values under the kernel, C channels of a depthwise layer, N output channels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.compiler.families.packing import by_group
from depthwise.compiler.lower.lower import Operation
from depthwise.compiler.step import Step
from depthwise.kernels.tiling import Panels

Bytes = NDArray[np.uint8]


def product(operation: Operation, step: Step) -> list[Bytes]:
    """For each panel biases, multipliers, then for each value under the kernel the panel's factors."""
    assert step.tiling is not None
    return [_panels(part, group, _words(part)[:2]) for part, group in by_group(operation, step.tiling.panels)]


def classifier(operation: Operation, step: Step) -> list[Bytes]:
    """The same with scales after the multipliers; zeros after the last label."""
    assert step.tiling is not None
    return [_panels(part, group, _words(part)) for part, group in by_group(operation, step.tiling.panels)]


def depthwise(operation: Operation, step: Step) -> list[Bytes]:
    """For each vector of channels biases, multipliers, then the nine factors."""
    return [_vectors([*_words(operation)[:2], *operation.weight], step.lanes)]


def pool(operation: Operation, step: Step) -> list[Bytes]:
    """For each vector of channels biases and multipliers."""
    return [_vectors(_words(operation)[:2], step.lanes)]


def _words(operation: Operation) -> list[NDArray[Any]]:
    """(N,) biases, multipliers and scales."""
    assert operation.rounding is not None
    return [operation.bias, operation.rounding.multiplier, operation.rounding.scale]


def _panels(operation: Operation, group: Panels, words: list[NDArray[Any]]) -> Bytes:
    """Panels of one size, the last filled up with zeros."""
    missing = group.count * group.channels - operation.bias.size
    rows = [*words, *operation.weight.reshape(-1, operation.bias.size)]
    return _vectors([np.pad(row, (0, missing)) for row in rows] if missing else rows, group.channels)


def _vectors(rows: list[NDArray[Any]], channels: int) -> Bytes:
    """Rows of one value a channel, cut into columns of so many channels; column by column, row by row, as bytes."""
    columns = [
        np.ascontiguousarray(row).astype(row.dtype.newbyteorder("<")).view(np.uint8).reshape(row.size // channels, -1)
        for row in rows
    ]
    return np.concatenate(columns, axis=1).ravel()
