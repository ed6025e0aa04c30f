"""Which way to round is proven for a layer, of those in which the kernels for ARM are written (dwk_arm.h).

All ways start from the same sums. A sum lies between what it is with all positive factors at 255 and all others at 0,
and the opposite (docs/int8.md Q5); what is said of these two ends holds for all between them.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from depthwise.kernels.weights import Weights, reach

Way = Literal["converted", "added", "doubled"]

# A float 1.5 x 2^23 + sum has the sum in its lowest bits, without rounding it, for sums nearer to 0 than this.
_MOST_ADDED = 1 << 22
# What is narrowed to 16 bits by leaving the upper ones away, and what the zero point adds to it, stay below this.
_MOST_NARROWED = (1 << 15) - 256


def way(weights: Weights | None) -> Way:
    """The cheapest way to round that gives the bytes of R1 to R4 for all sums that a layer can have."""
    if weights is None:
        return "converted"
    rounding = weights.rounding
    assert rounding is not None
    lowest, highest = reach(weights)
    largest = np.maximum(np.abs(lowest), np.abs(highest))
    narrows = (largest * rounding.multiplier.astype(np.float64)).max(initial=0) < _MOST_NARROWED
    if not narrows or (rounding.low, rounding.high) != (0, 255):
        return "converted"
    if rounding.even.size and (rounding.even >= 0).all():
        return "doubled"
    if rounding.zero_point % 2 == 0 and largest.max(initial=0) < _MOST_ADDED:
        return "added"
    return "converted"
