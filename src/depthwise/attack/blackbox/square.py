"""Square attack: what lies in a window is changed at random, and stays where the right label's margin shrinks.

Source: arXiv:1912.00049 (the search, and how the windows shrink); what a window becomes under each norm is in
`corners.py` and `hills.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from depthwise.attack.blackbox.corners import Corners
from depthwise.attack.blackbox.hills import Hills
from depthwise.attack.budget import Budget, Images
from depthwise.attack.draws import Draws
from depthwise.attack.frame import Asked, Bools
from depthwise.attack.subject import Ints, answers, margins
from depthwise.errors import Refused

# Of 10,000 questions, those from which on the area of a window is half of what it was.
HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
# Of an image's area, that of the first window (arXiv:1912.00049, appendix A).
SHARES = {"linf": 0.8, "l2": 0.1}


class Proposals(Protocol):
    """The images of a search, which change in place, so that nothing whole is copied between two questions."""

    now: NDArray[Any]
    """(M, H, W, C) of the images that stand, in the order of the places that stand."""

    def change(self, query: int, side: int) -> None:
        """Change each within windows of some side, as its draws for this question say."""

    def undo(self, which: Bools) -> None:
        """Take the last change of some back."""

    def keep(self, which: Bools) -> None:
        """Go on with some only."""


@dataclass(frozen=True, kw_only=True)
class Square:
    """Asks for scores, one question after the other; an image's next question follows from the answer to the last.

    Attributes:
        queries: the most questions about an image.
        share: of the image's area, that of the first window; 0 for the one that the paper has for the norm.
    """

    budget: Budget = field(default_factory=Budget)
    queries: int = 5000
    share: float = 0.0
    name: str = "square"
    asks: bool = True

    def __post_init__(self) -> None:
        if self.queries < 1 or not 0 <= self.share <= 1:
            raise Refused(f"{self} has no sense; give at least one question, and a share from 0 to 1")

    def __call__(self, model: Asked, images: Images, labels: Ints, draws: Draws) -> Images:
        """The images with the smallest margins that were found."""
        search: Proposals = (Corners if self.budget.norm == "linf" else Hills)(self.budget, images, self.queries, draws)
        places, (height, width) = np.arange(len(images)), images.shape[1:3]
        found, best = search.now.copy(), np.full(len(images), np.inf, np.float32)
        for query in range(self.queries):
            if query:
                search.change(query, self.side(query, height, width))
            scores = model.scores(search.now, places)
            reached, fooled = margins(scores, labels[places]), answers(scores) != labels[places]
            # An equal margin is kept too: on the plains of a staircase that is the only way to get anywhere.
            worse = ~fooled & (reached > best)
            search.undo(worse)
            best = np.where(worse, best, reached)
            if fooled.any():
                found[places[fooled]] = search.now[fooled]
                search.keep(~fooled)
                places, best = places[~fooled], best[~fooled]
                if not len(places):
                    break
        found[places] = search.now
        return found

    def side(self, query: int, height: int, width: int) -> int:
        """Of the window of a question, in pixels."""
        passed = sum(query * 10_000 / self.queries > bound for bound in HALVINGS)
        area = (self.share or SHARES[self.budget.norm]) / 2**passed * height * width
        return int(np.clip(round(area**0.5), 1, min(height, width)))
