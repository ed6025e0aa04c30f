"""The windows of the Square attack under linf: each takes the lowest or the highest colour that it may have.

Source: arXiv:1912.00049, algorithm 2, begun with stripes. A pixel that was ever changed lies at the lowest or highest
value that it may have, so that two tables of bytes are all the arithmetic there is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.attack.blackbox.windows import corners, windows
from depthwise.attack.budget import LEVELS, Budget, Images
from depthwise.attack.draws import Draws
from depthwise.attack.frame import Bools


class Corners:
    """N images, each pixel at a corner of what it may be; `Proposals` of a search of so many queries."""

    def __init__(self, budget: Budget, images: Images, queries: int, draws: Draws) -> None:
        kind = np.uint8 if budget.whole else np.float32
        self._lowest = np.maximum(images - np.float32(budget.radius), 0).astype(kind)
        self._highest = np.minimum(images + np.float32(budget.radius), LEVELS).astype(kind)
        width, channels = images.shape[2:]
        stripes = draws.integers("square stripes", (1, width, channels), 2).astype(bool)
        self.now: NDArray[Any] = np.where(stripes, self._highest, self._lowest)
        self._places = draws.uniform("square places", (queries, 2))
        self._colours = draws.integers("square colours", (queries, channels), 2).astype(bool)
        self._rows = np.arange(len(images))
        self._side = 0
        self._window = (self._rows, self._rows, self._rows)
        self._before = self.now

    def change(self, query: int, side: int) -> None:
        """Give each a window of one colour."""
        top, left = corners(self._places[self._rows, query], side, *self.now.shape[1:3])
        colours = np.tile(self._colours[self._rows, query], side)[:, None]
        now, own = windows(self.now, side), (self._rows, top, left)
        self._side, self._window = side, (np.arange(len(self.now)), top, left)
        self._before = now[self._window]
        now[self._window] = np.where(colours, windows(self._highest, side)[own], windows(self._lowest, side)[own])

    def undo(self, which: Bools) -> None:
        """Put the windows of some back as they were."""
        if which.any():
            place = tuple(part[which] for part in self._window)
            windows(self.now, self._side)[place] = self._before[which]

    def keep(self, which: Bools) -> None:
        """Go on with some only."""
        self.now, self._rows = self.now[which], self._rows[which]
