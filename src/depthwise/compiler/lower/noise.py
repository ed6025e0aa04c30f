"""Noise that C and Python make alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def noise(count: int) -> NDArray[np.uint8]:
    """The high bytes of `state = state * 1664525 + 1013904223` modulo 2**32, beginning with state 1."""
    # State n is a**n + c * (a**(n-1) + ... + 1); both grow by doubling, with wrap-around, instead of a loop.
    factor, sums = np.array([1664525], np.uint32), np.array([1013904223], np.uint32)
    while factor.size < count:
        last_factor, last_sum = factor[-1], sums[-1]
        sums = np.concatenate([sums, factor * last_sum + sums])
        factor = np.concatenate([factor, factor * last_factor])
    states = factor[:count] + sums[:count]
    return (states >> np.uint32(24)).astype(np.uint8)
