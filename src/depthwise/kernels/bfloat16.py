"""Numbers of bfloat16: the upper halves of float32."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthwise.kernels.weights import Floats

Halves = NDArray[np.uint16]


def halves(values: Floats) -> Halves:
    """Float32 values that are no NaN as the nearest bfloat16, the upper half of a float32; halves to even."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.uint64)
    return np.asarray((bits + 0x7FFF + (bits >> 16 & 1)) >> 16, np.uint16)


def floats(values: Halves) -> Floats:
    """Bfloat16 values as float32, exactly."""
    return (values.astype(np.uint32) << 16).view(np.float32)
