"""The windows of the Square attack under l2: length moves from one window to a hill and a valley in another.

Source: arXiv:1912.00049, algorithm 3 and equation 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.attack.blackbox.windows import corners, windows
from depthwise.attack.budget import LEVELS, Budget, Floats, Images
from depthwise.attack.draws import Draws
from depthwise.attack.frame import Bools

# Hills along each side of the change that a search begins with.
BEGUN = 5
TINY = 1e-12
# By how much a change is made shorter until its whole levels are no longer than allowed; cut off towards 0 they are.
SHORTER = (1.0, 0.995, 0.98)


class Hills:
    """N images, each with a change of the length that is allowed; `Proposals` of a search of so many queries."""

    def __init__(self, budget: Budget, images: Images, queries: int, draws: Draws) -> None:
        self._budget, self._images = budget, images.astype(np.float32)
        channels = images.shape[3]
        self._places = draws.uniform("square places", (queries, 4))
        self._signs = draws.integers("square signs", (queries, channels), 2).astype(np.float32) * 2 - 1
        self._turned = draws.integers("square turns", (queries,), 2).astype(bool)
        self._change = self._begun(draws)
        self._rows = np.arange(len(images))
        self._before: list[tuple[int, NDArray[Any], NDArray[Any], Floats]] = []
        self.now: NDArray[Any] = self._shown(self._rows)
        self._shown_before = self.now

    def change(self, query: int, side: int) -> None:
        """Take the change out of two windows of each, and give its length to a new change in the first."""
        height, width, channels = self._images.shape[1:]
        side = max(side, min(3, height, width))
        all_, drawn = windows(self._change, side), self._places[self._rows, query]
        taken, given = (corners(drawn[:, part : part + 2], side, height, width) for part in (0, 2))
        self._before = [(side, top, left, all_[self._rows, top, left]) for top, left in (given, taken)]
        old = self._before[1][3].reshape(-1, side, side, channels)
        length = self._squares()
        unused = np.maximum(self._budget.radius**2 - length.sum(axis=1), 0)
        for top, left in (given, taken):
            all_[self._rows, top, left] = 0
        free = length - self._squares() + unused[:, None] / channels
        hill = self._hill(side, query) * self._signs[self._rows, query][:, None, None]
        new = hill + old / np.maximum(_lengths(old), TINY)
        new *= np.sqrt(np.maximum(free, 0))[:, None, None] / np.maximum(_lengths(new), TINY)
        all_[(self._rows, *taken)] = new.reshape(-1, side, side * channels)
        self._shown_before, self.now = self.now, self._shown(self._rows)

    def undo(self, which: Bools) -> None:
        """Put the changes of some back as they were."""
        for side, top, left, before in self._before:
            windows(self._change, side)[self._rows[which], top[which], left[which]] = before[which]
        self.now[which] = self._shown_before[which]

    def keep(self, which: Bools) -> None:
        """Go on with some only."""
        self.now, self._rows = self.now[which], self._rows[which]

    def _begun(self, draws: Draws) -> Floats:
        """(N, H, W, C) changes of full length: hills and valleys side by side."""
        height, width, channels = self._images.shape[1:]
        side = max(min(height, width) // BEGUN, 2)
        signs = draws.integers("square begin", (-(-height // side), -(-width // side), channels), 2) * 2 - 1
        tiles = np.tile(hill_and_valley(side)[:, :, None], (*signs.shape[1:3], 1))
        change = np.repeat(np.repeat(signs, side, axis=1), side, axis=2) * tiles
        change = change[:, :height, :width].astype(np.float32)
        return np.ascontiguousarray(change * (self._budget.radius / np.maximum(_length(change), TINY)))

    def _hill(self, side: int, query: int) -> Floats:
        """(M, side, side, 1) of length 1, every other one on its side."""
        shape = hill_and_valley(side)
        shape /= max(float(np.linalg.norm(shape)), TINY)
        return np.where(self._turned[self._rows, query][:, None, None], shape.T, shape)[..., None]

    def _squares(self) -> Floats:
        """(M, C) squares of the lengths of the changes."""
        change = self._change if len(self._rows) == len(self._change) else self._change[self._rows]
        return np.asarray(np.einsum("nhwc,nhwc->nc", change, change))

    def _shown(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """(M, H, W, C) valid images, of whole levels where they are to be, whose change is not too long."""
        given = self._images[rows]
        change = np.clip(given + self._change[rows], 0, LEVELS) - given
        if not self._budget.whole:
            return np.asarray(given + change * np.minimum(1, self._budget.radius / np.maximum(_length(change), TINY)))
        found = np.trunc(change)
        for shorter in reversed(SHORTER):
            near = np.rint(change * shorter)
            found = np.where(_length(near) <= self._budget.radius, near, found)
        return np.asarray(given + found, np.uint8)


def hill_and_valley(side: int) -> Floats:
    """(side, side): a rectangular hill on the left and a valley of the same form on the right."""
    left = _hill(side, side // 2)
    return np.concatenate([left, -_hill(side, side - side // 2)], axis=1)


def _hill(height: int, width: int) -> Floats:
    """(height, width): steps to the middle, each as high as one over the square of its distance from the middle."""
    middle = height // 2
    rows, columns = np.arange(height)[:, None], np.arange(width)
    # Steps that have begun at each pixel: all in the middle of the longer side, none beyond its last one.
    begun = middle - np.maximum(np.abs(rows - middle), np.abs(columns - width // 2))
    rises = np.cumsum(1.0 / np.square(np.arange(middle + 1, 0, -1.0)))
    return np.where(begun >= 0, rises[np.clip(begun, 0, middle)], 0).astype(np.float32)


def _lengths(change: Floats) -> Floats:
    """(M, 1, 1, C) of each channel."""
    return np.asarray(np.sqrt(np.square(change).sum(axis=(1, 2), keepdims=True)))


def _length(change: Floats) -> Floats:
    """(M, 1, 1, 1) of each image."""
    return np.asarray(np.sqrt(np.square(change, dtype=np.float64).sum(axis=(1, 2, 3), keepdims=True)), np.float32)
