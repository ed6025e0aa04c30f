"""What Pillow's antialiased bilinear resize multiplies pixels by, for many boxes at once.

They are those of docs/preprocessing.md P2 and P3, for parts of pictures that need not begin at a whole pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Bits behind the point of a weight.
BITS = 22


@dataclass(frozen=True, eq=False)
class Weights:
    """One side of B resizes to S pixels.

    Attributes:
        first: (B, S) int32, the first pixel that goes into each.
        weights: (B, S, K) int32, of it and of those behind it, times 2^22; 0 where there are fewer than K.
    """

    first: NDArray[np.int32]
    weights: NDArray[np.int32]


def weights(start: NDArray[np.float64], end: NDArray[np.float64], size: NDArray[np.int64], side: int) -> Weights:
    """Of parts from `start` to `end` (B,) of rows of `size` pixels (B,)."""
    # Pillow takes a box as float32 and goes on in double.
    begin, until = start.astype(np.float32), end.astype(np.float32)
    scale = ((until - begin).astype(np.float64) / side)[:, None]
    reach = np.maximum(scale, 1.0)
    centre = begin.astype(np.float64)[:, None] + (np.arange(side) + 0.5) * scale
    first = np.maximum((centre - reach + 0.5).astype(np.int64), 0)
    count = np.minimum((centre + reach + 0.5).astype(np.int64), size[:, None]) - first
    found = np.zeros((*first.shape, int(count.max())))
    for place in range(found.shape[2]):
        distance = np.abs((place + first - centre + 0.5) * (1.0 / reach))
        found[:, :, place] = np.where((place < count) & (distance < 1.0), 1.0 - distance, 0.0)
    total = np.zeros(first.shape)
    for place in range(found.shape[2]):  # one after the other, as Pillow adds
        total += found[:, :, place]
    found /= np.where(total == 0, 1.0, total)[:, :, None]
    return Weights(first.astype(np.int32), (found * (1 << BITS) + 0.5).astype(np.int32))
