"""What the packings of all families share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from depthwise.compiler.lower.lower import Bounds, Operation, Rounding
from depthwise.compiler.step import Step
from depthwise.kernels.tiling import Panels

# The weights of a layer, for each call of a step that reads them an array of its own, in the order of the calls.
Packing = Callable[[Operation, Step], list[NDArray[Any]]]


def by_group(operation: Operation, groups: Iterable[Panels]) -> Iterator[tuple[Operation, Panels]]:
    """The output channels of each group of panels, as an operation of them alone; of the last there may be fewer."""
    start = 0
    for group in groups:
        end = start + group.count * group.channels
        yield _some(operation, slice(start, end)), group
        start = end


def _some(operation: Operation, channels: slice) -> Operation:
    rounding, bounds = operation.rounding, operation.bounds
    return replace(
        operation,
        weight=operation.weight[..., channels],
        bias=operation.bias[channels],
        rounding=None if rounding is None else _some_rounding(rounding, channels),
        bounds=None if bounds is None else Bounds(low=bounds.low[channels], high=bounds.high[channels]),
    )


def _some_rounding(rounding: Rounding, channels: slice) -> Rounding:
    return replace(rounding, multiplier=rounding.multiplier[channels], scale=rounding.scale[channels])
