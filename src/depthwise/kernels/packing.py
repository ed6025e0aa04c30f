"""How weights lie for a kernel: each family's folder has its packings, and here is what they share."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.kernels.kernel import Kernel
from depthwise.kernels.tiling import Panels
from depthwise.kernels.weights import Bounds, Cut, Rounding, Weights

# The weights of a layer, for each call that reads them an array of its own, in the order of the calls.
Packing = Callable[[Weights, Cut], list[NDArray[Any]]]


def packing(kernel: Kernel) -> Packing:
    """How weights lie for a kernel: the row of that name in `packings.py` of its family's folder."""
    # Imported when weights are packed: the tables of this room are read for help, which needs no numpy.
    module = importlib.import_module(f"depthwise.kernels.{kernel.instructions.family}.packings")
    found: Packing = module.PACKINGS[kernel.packing]
    return found


def by_group(weights: Weights, groups: Iterable[Panels]) -> Iterator[tuple[Weights, Panels]]:
    """The output channels of each group of panels, as weights of their own; of the last there may be fewer."""
    start = 0
    for group in groups:
        end = start + group.count * group.channels
        yield _some(weights, slice(start, end)), group
        start = end


def _some(weights: Weights, channels: slice) -> Weights:
    rounding, bounds = weights.rounding, weights.bounds
    return replace(
        weights,
        weight=weights.weight[..., channels],
        bias=weights.bias[channels],
        rounding=None if rounding is None else _some_rounding(rounding, channels),
        bounds=None if bounds is None else Bounds(low=bounds.low[channels], high=bounds.high[channels]),
    )


def _some_rounding(rounding: Rounding, channels: slice) -> Rounding:
    return replace(
        rounding,
        multiplier=rounding.multiplier[channels],
        scale=rounding.scale[channels],
        even=rounding.even[channels],
    )


def padded(values: NDArray[Any], size: int) -> NDArray[Any]:
    """Zeros at the end of the last axis, up to a size."""
    missing = size - values.shape[-1]
    return values if missing <= 0 else np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)])
