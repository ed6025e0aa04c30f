"""What a kernel reads of a layer, before it is laid out for it; and how the layer is cut for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.kernels.instructions import PORTABLE, Instructions
from depthwise.kernels.tiling import Panels

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Rounding:
    """What an int8 layer does with its sums: rules R1 to R4 and Q8 of docs/int8.md.

    Attributes:
        multiplier: (N,), of R2.
        scale: (N,), what a step of the output's byte is worth.
        zero_point, low, high: of R4.
        rounded: False for logits that stay products.
        even: (N,), the even factor of each channel's integer form without a shift, below 0 where none is proven; empty
            where nobody looked for them.
    """

    multiplier: Floats
    scale: Floats
    zero_point: int
    low: int
    high: int
    rounded: bool
    even: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True, kw_only=True, eq=False)
class Bounds:
    """What the sums of a bf16 layer are clamped to, numbers of bfloat16: outputs are kept less a constant a channel.

    Attributes:
        low: (N,), what an output of 0 is kept as; -0 or less.
        high: (N,), 0 or more.
    """

    low: Floats
    high: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Weights:
    """The numbers of a layer.

    Attributes:
        weight: float32, int8, or int16 where weights have a zero point; (rows, K, N) for stem, standard, pointwise
            and classifier, where a kernel row's K values lie as pixels do (column, then channel); (9, C) for
            depthwise; empty for a pool.
        bias: (N,) float32 or int32; empty for a float32 pool.
        rounding: of an int8 layer.
        bounds: of a bf16 layer with an activation.
    """

    weight: NDArray[Any]
    bias: NDArray[Any]
    rounding: Rounding | None = None
    bounds: Bounds | None = None


def reach(weights: Weights) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(N,) lowest and highest sum of each channel of an int8 layer, whatever the bytes of its input are."""
    factors = weights.weight.reshape(-1, weights.bias.size).astype(np.int64)
    bias = weights.bias.astype(np.int64)
    return bias + 255 * np.minimum(factors, 0).sum(axis=0), bias + 255 * np.maximum(factors, 0).sum(axis=0)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """How a layer is cut for a kernel.

    Attributes:
        instructions: that the kernel is written in.
        groups: panels of a product or classifier, of all channels that `strassen` leaves.
        strassen: panels of the first channels of a product, where they are computed by Strassen's way.
        lanes: of a depthwise layer's or a pool's vectors, else 0.
        stride: of the layer.
        way: how its sums are rounded, where the kernel knows several ways; else empty.
    """

    instructions: Instructions = PORTABLE
    groups: tuple[Panels, ...] = ()
    strassen: tuple[Panels, ...] = ()
    lanes: int = 0
    stride: int = 1
    way: str = ""
