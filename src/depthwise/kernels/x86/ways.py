"""Which way to round is proven for a layer, of those in which the kernel on tiles is written.

`fused` begins a sum at the bits of 2^23 as a float (dwk_product_tiles_i8_amx.h). A sum from 0 to 2^23 - 1 is then the
last bits of 2^23 + sum. One below 0 takes the float below 2^23, and its product is 0 or less, as it should be, which is
byte 0 where that is what real 0 is. One of 2^23 or more gives a float of at least 2^23 + sum, whose product is at least
what it should be: that is 2^8 and more where the multiplier is 2^-15 or more, hence byte 255 either way.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from depthwise.kernels.weights import Weights, reach

Way = Literal["converted", "fused"]

# What a float from 2^23 on has in its last bits, and the least multiplier with which more than that is 255 for sure.
_BITS = 1 << 23
_LEAST = 2.0**-15
# Up to this sum the product stays a number of 32 bits; down to this one the bits stay those of a float above 0.
_MOST, _FEWEST = 1 << 25, -(1 << 30)


def way(weights: Weights | None) -> Way:
    """The cheapest way to round that gives the bytes of R1 to R4 for all sums that a layer can have."""
    if weights is None:
        return "converted"
    rounding = weights.rounding
    assert rounding is not None
    lowest, highest = reach(weights)
    multiplier = rounding.multiplier
    holds = (highest < _BITS) | ((highest < _MOST) & (multiplier >= _LEAST))
    is_proven = holds & (lowest > _FEWEST) & (multiplier >= 0) & (multiplier <= 1)
    return "fused" if rounding.zero_point == 0 and bool(np.all(is_proven)) else "converted"
