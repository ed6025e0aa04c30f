"""Helpers for tests of foreign formats: inputs and comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np

from depthwise.network.description import Described
from depthwise.network.model import Model

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def pixels(model: Described, count: int, seed: int = 0) -> Pixels:
    """Random prepared images."""
    spec = model.spec
    shape = (count, spec.resolution, spec.resolution, spec.channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def same_weights(one: Model, other: Model) -> bool:
    """Whether two models have the very same numbers."""
    return set(one.weights) == set(other.weights) and all(
        np.array_equal(array, other.weights[name]) for name, array in one.weights.items()
    )
