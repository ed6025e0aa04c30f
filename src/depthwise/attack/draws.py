"""Random numbers that depend on a seed and an image, and on nothing else.

What an attack draws for an image is the same in whatever batch, process or order the image comes.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Draws:
    """Random numbers for N images.

    Attributes:
        seed: of everything random.
        numbers: of the images; each number has draws of its own.
    """

    seed: int
    numbers: tuple[int, ...]

    def uniform(self, purpose: str, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> NDArray[np.float32]:
        """(N, *shape), from `low` to `high`; two purposes have nothing in common."""
        found = [low + (high - low) * one.random(shape, np.float32) for one in self._each(purpose)]
        return np.stack(found).astype(np.float32) if found else np.empty((0, *shape), np.float32)

    def normal(self, purpose: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """(N, *shape), normal with mean 0 and deviation 1."""
        found = [one.standard_normal(shape, np.float32) for one in self._each(purpose)]
        return np.stack(found) if found else np.empty((0, *shape), np.float32)

    def integers(self, purpose: str, shape: tuple[int, ...], count: int) -> NDArray[np.int64]:
        """(N, *shape) whole numbers, 0 to `count` - 1."""
        found = [one.integers(count, size=shape) for one in self._each(purpose)]
        return np.stack(found) if found else np.empty((0, *shape), np.int64)

    def of(self, which: Sequence[Any] | NDArray[Any]) -> Draws:
        """The draws of some of the images, given by their places."""
        return Draws(self.seed, tuple(self.numbers[int(place)] for place in which))

    def _each(self, purpose: str) -> list[np.random.Generator]:
        kind = zlib.crc32(purpose.encode())
        return [np.random.default_rng((self.seed, kind, number)) for number in self.numbers]
