"""Square attack: squares of the extreme colours at random places, kept where the right label's margin shrinks.

Source: arXiv:1912.00049 (start by stripes, windows, and how their size falls). Under linf a pixel that was ever changed
lies at the lowest or highest value that it may have, so that two tables of bytes are all the arithmetic there is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.attack.budget import LEVELS, Budget, Images
from depthwise.attack.draws import Draws
from depthwise.attack.frame import Asked
from depthwise.attack.subject import Ints, answers, margins
from depthwise.errors import Refused

# Of 10,000 questions, those from which on the area of a window is half of what it was.
HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)


@dataclass(frozen=True, kw_only=True)
class Square:
    """Asks for scores, one question after the other; an image's next question follows from the answer to the last.

    Attributes:
        queries: the most questions about an image.
        share: of the image's area, that of the first window.
    """

    budget: Budget = field(default_factory=Budget)
    queries: int = 5000
    share: float = 0.8
    name: str = "square"
    asks: bool = True

    def __post_init__(self) -> None:
        if self.budget.norm != "linf":
            raise Refused("square changes pixels to their bounds, which only --norm linf has; use pgd or apgd for l2")
        if self.queries < 1 or not 0 < self.share <= 1:
            raise Refused(f"{self} has no sense; give at least one question, and a share from 0 to 1")

    def __call__(self, model: Asked, images: Images, labels: Ints, draws: Draws) -> Images:
        """The images with the smallest margins that were found."""
        kind = np.uint8 if self.budget.whole else np.float32
        lowest = np.maximum(images - np.float32(self.budget.radius), 0).astype(kind)
        highest = np.minimum(images + np.float32(self.budget.radius), LEVELS).astype(kind)
        count, height, width, channels = images.shape
        stripes = draws.integers("square stripes", (1, width, channels), 2).astype(bool)
        now: NDArray[Any] = np.where(stripes, highest, lowest)
        places = draws.uniform("square places", (self.queries, 2))
        colours = draws.integers("square colours", (self.queries, 1, 1, channels), 2).astype(bool)
        which = np.arange(count)
        scores = model.scores(now, which)
        best = margins(scores, labels)
        standing = np.flatnonzero(answers(scores) == labels)
        rows = np.arange(max(height, width))
        for query in range(1, self.queries):
            if not len(standing):
                break
            side = self.side(query, height, width)
            top = (places[standing, query, 0] * (height - side + 1)).astype(np.int64)
            left = (places[standing, query, 1] * (width - side + 1)).astype(np.int64)
            window = (
                standing[:, None, None],
                top[:, None, None] + rows[None, :side, None],
                left[:, None, None] + rows[None, None, :side],
            )
            before = now[window]
            now[window] = np.where(colours[standing, query], highest[window], lowest[window])
            scores = model.scores(now[standing], standing)
            found = margins(scores, labels[standing])
            fooled = answers(scores) != labels[standing]
            # An equal margin is kept too: on the plains of a staircase that is the only way to get anywhere.
            worse = ~(fooled | (found <= best[standing]))
            now[tuple(part[worse] for part in window)] = before[worse]
            best[standing] = np.where(worse, best[standing], found)
            standing = standing[~fooled]
        return now

    def side(self, query: int, height: int, width: int) -> int:
        """Of the window of a question, in pixels."""
        passed = sum(query * 10_000 / self.queries > bound for bound in HALVINGS)
        area = self.share / 2**passed * height * width
        return int(np.clip(round(area**0.5), 1, min(height, width)))
