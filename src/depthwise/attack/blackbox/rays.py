"""A search along rays that only needs to know the label: which way of up and down leaves the class soonest.

Source: arXiv:2006.12792 (RayS). A direction says of each pixel whether it goes up or down; halves of the image,
quarters and so on are turned round, and what leaves the class sooner is kept. Every image asked about is one of whole
bytes: between two levels a part of the pixels, drawn beforehand, is a level further than the rest, or a turn that gains
little would not be seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from depthwise.attack.budget import LEVELS, Budget, Floats, Images
from depthwise.attack.draws import Draws
from depthwise.attack.frame import Asked
from depthwise.attack.subject import Ints, answers
from depthwise.errors import Refused

# Steps of the way along a ray to a level.
STEPS = 16
END = LEVELS * STEPS


@dataclass(frozen=True, kw_only=True)
class RayS:
    """Asks for labels only; finds the smallest change it can, whatever the budget.

    Attributes:
        queries: the most questions about an image.
    """

    budget: Budget = field(default_factory=Budget)
    queries: int = 2000
    name: str = "rays"
    asks: bool = True

    def __post_init__(self) -> None:
        if self.budget.norm != "linf":
            raise Refused("rays goes by whole levels of all pixels, which only --norm linf has")
        if self.queries < 1:
            raise Refused(f"{self} has no sense; give at least one question")

    def __call__(self, model: Asked, images: Images, labels: Ints, draws: Draws) -> Floats:
        """The nearest wrong images that were found; along the last ray, as far as the budget, where there is none."""
        search = _Search(model, images, labels, draws.integers("rays", (int(np.prod(images.shape[1:])),), STEPS))
        search.measure(np.arange(len(images)))
        size = int(np.prod(images.shape[1:]))
        block, parts, place = size, 1, 0
        while True:
            active = np.flatnonzero((model.counts < self.queries) & (search.reach > 1))
            if not len(active) or block < 1:
                break
            search.turn(active, place * block, min((place + 1) * block, size))
            place += 1
            if place * block >= size:
                parts, place = parts * 2, 0
                if block == 1:
                    # All of it once more, now that single pixels are known.
                    parts = 1
                block = -(-size // parts)
        return search.nearest(self.budget.radius)


class _Search:
    """The best ray of each of N images, and how many steps along it lie before the class ends.

    Args:
        order: (N, pixels) from which step of a level on each pixel is a level further.
    """

    def __init__(self, model: Asked, images: Images, labels: Ints, order: Ints) -> None:
        self.model, self.labels, self.order = model, labels, order
        self.shape = images.shape
        self.flat = images.reshape(len(images), -1).astype(np.float32)
        self.up = np.ones(self.flat.shape, bool)
        # One more than the longest way means that no end is known.
        self.reach = np.full(len(images), END + 1, np.int64)

    def measure(self, which: Ints) -> None:
        """See where the class ends along the first ray."""
        self._shorten(which, self.up[which], self.reach[which])

    def turn(self, which: Ints, first: int, last: int) -> None:
        """Turn a block round, and keep that where the class ends sooner."""
        turned = self.up[which]
        turned[:, first:last] ^= True
        self._shorten(which, turned, self.reach[which])

    def _shorten(self, which: Ints, ways: NDArray[np.bool_], reach: Ints) -> None:
        """Of each image, look whether its class ends one step sooner along a new ray, and then where."""
        high = reach - 1
        better = self._is_wrong(which, ways, high)
        which, ways, high = which[better], ways[better], high[better]
        low = np.zeros_like(high)
        while len(which) and (high - low > 1).any():
            open_ = np.flatnonzero(high - low > 1)
            middle = (high[open_] + low[open_]) // 2
            wrong = self._is_wrong(which[open_], ways[open_], middle)
            high[open_] = np.where(wrong, middle, high[open_])
            low[open_] = np.where(wrong, low[open_], middle)
        self.up[which] = ways
        self.reach[which] = high

    def _is_wrong(self, which: Ints, ways: NDArray[np.bool_], steps: Ints) -> NDArray[np.bool_]:
        if not len(which):
            return np.zeros(0, bool)
        scores = self.model.scores(self._along(which, ways, steps).astype(np.uint8), which)
        return np.asarray(answers(scores) != self.labels[which])

    def _along(self, which: Ints, ways: NDArray[np.bool_], steps: Ints) -> Floats:
        levels = (steps[:, None] + self.order[which]) // STEPS
        moved = np.where(ways, levels, -levels)
        changed = np.clip(self.flat[which] + moved, 0, LEVELS)
        return np.asarray(changed.reshape(-1, *self.shape[1:]), np.float32)

    def nearest(self, radius: float) -> Floats:
        """Images at the end of their class; where that is not known, as far as a radius."""
        steps = np.where(self.reach > END, int(radius * STEPS), self.reach)
        return self._along(np.arange(len(self.flat)), self.up, steps)
