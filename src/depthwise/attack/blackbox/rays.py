"""A search along rays that only needs to know the label: which way of up and down leaves the class soonest.

Source: arXiv:2006.12792 (RayS). A direction says of each pixel whether it goes up or down; halves of the image,
quarters and so on are turned round, and what leaves the class sooner is kept. Under l2, where a pixel that stays saves
length, they are also left out, and put back, in turn. Every image asked about is one of whole bytes: between two levels
a part of the pixels, drawn beforehand, is a level further than the rest, or a turn that gains little would not be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from depthwise.attack.budget import LEVELS, Budget, Images, Norm
from depthwise.attack.draws import Draws
from depthwise.attack.frame import Asked
from depthwise.attack.subject import Ints, answers
from depthwise.errors import Refused

# Steps of the way along a ray to a level.
STEPS = 16
END = LEVELS * STEPS

Ways = NDArray[np.int8]
# What becomes of a block of a ray.
Move = Callable[[Ways], Ways]


def _round(ways: Ways) -> Ways:
    return -ways


def _out_or_up(ways: Ways) -> Ways:
    """Nothing of it moves; where nothing moved before, all of it goes up."""
    return np.where(ways.any(axis=1, keepdims=True), 0, 1).astype(np.int8)


def _down(ways: Ways) -> Ways:
    """Where nothing moved before, all of it goes down."""
    return np.where(ways.any(axis=1, keepdims=True), ways, -1).astype(np.int8)


MOVES: dict[Norm, tuple[Move, ...]] = {"linf": (_round,), "l2": (_round, _out_or_up, _down)}


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
        if self.queries < 1:
            raise Refused(f"{self} has no sense; give at least one question")

    def __call__(self, model: Asked, images: Images, labels: Ints, draws: Draws) -> Images:
        """The nearest wrong images that were found; along the last ray, as far as the budget, where there is none."""
        size = int(np.prod(images.shape[1:]))
        order, moves = draws.integers("rays", (size,), STEPS), MOVES[self.budget.norm]
        search = _Search(model, images, labels, order)
        search.shorten(np.arange(len(images)), search.ways.copy())
        for first, last in _blocks(size):
            for move in moves:
                active = np.flatnonzero((model.counts < self.queries) & (search.reach > 1))
                if not len(active):
                    return search.nearest(self.budget)
                search.turn(active, first, last, move)
        raise AssertionError("blocks go on for ever")


def _blocks(size: int) -> Iterator[tuple[int, int]]:
    """All of an image, its halves, quarters and so on to single values; then all that again."""
    while True:
        parts = 1
        while True:
            block = -(-size // parts)
            yield from ((first, min(first + block, size)) for first in range(0, size, block))
            if block == 1:
                break
            parts *= 2


class _Search:
    """The best ray of each of N images, and how far along it the class ends.

    Args:
        order: (N, values) from which step of a level on each value is a level further.
    """

    def __init__(self, model: Asked, images: Images, labels: Ints, order: Ints) -> None:
        self.model, self.labels, self.order = model, labels, order.astype(np.uint8)
        self.shape = images.shape
        self.flat = images.reshape(len(images), -1).astype(np.int16)
        # Which way each value goes: up (1), down (-1), or nowhere.
        self.ways = np.ones(self.flat.shape, np.int8)
        # Steps along the ray. One more than the longest way means that no end is known.
        self.reach = np.full(len(images), END + 1, np.int64)

    def turn(self, which: Ints, first: int, last: int, move: Move) -> None:
        """Turn a block of each, and keep that where the class ends sooner."""
        ways = self.ways[which]
        block = ways[:, first:last]
        turned = move(block)
        fresh = (turned != block).any(axis=1)
        block[:] = turned
        fresh &= ways.any(axis=1)
        self.shorten(which[fresh], ways[fresh])

    def shorten(self, which: Ints, ways: Ways) -> None:
        """Of each image, look whether its class ends sooner along a new ray, and then where."""
        high = self._sooner(which, ways)
        better = (high > 0) & self._is_wrong(which, ways, high)
        which, ways, high = which[better], ways[better], high[better]
        low = np.zeros_like(high)
        while len(which) and (high - low > 1).any():
            open_ = np.flatnonzero(high - low > 1)
            middle = (high[open_] + low[open_]) // 2
            wrong = self._is_wrong(which[open_], ways[open_], middle)
            high[open_] = np.where(wrong, middle, high[open_])
            low[open_] = np.where(wrong, low[open_], middle)
        self.ways[which], self.reach[which] = ways, high

    def _sooner(self, which: Ints, ways: Ways) -> Ints:
        """(M,) steps along new rays that are a little shorter than the best so far: values that stay save length."""
        before, after = (np.count_nonzero(one, axis=1) for one in (self.ways[which], ways))
        longest = self.reach[which] * np.sqrt(before / after)
        return np.asarray(np.minimum(np.ceil(longest - 1e-9).astype(np.int64) - 1, END))

    def _is_wrong(self, which: Ints, ways: Ways, steps: Ints) -> NDArray[np.bool_]:
        if not len(which):
            return np.zeros(0, bool)
        scores = self.model.scores(self._along(which, ways, steps), which)
        return np.asarray(answers(scores) != self.labels[which])

    def _along(self, which: Ints, ways: Ways, steps: Ints) -> NDArray[np.uint8]:
        whole, part = (found[:, None].astype(np.int16) for found in np.divmod(steps, STEPS))
        levels = (self.order[which] >= STEPS - part) + whole
        levels *= ways
        levels += self.flat[which]
        return np.clip(levels, 0, LEVELS).astype(np.uint8).reshape(-1, *self.shape[1:])

    def nearest(self, budget: Budget) -> NDArray[np.uint8]:
        """Images at the end of their class; where that is not known, as far as a budget."""
        allowed = budget.radius if budget.norm == "linf" else budget.radius / self.flat.shape[1] ** 0.5
        steps = np.where(self.reach > END, int(allowed * STEPS), self.reach)
        return self._along(np.arange(len(self.flat)), self.ways, steps)
