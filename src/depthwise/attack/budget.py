"""How far an attack may change an image, and the one place that clips to it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from depthwise.errors import Refused

Norm = Literal["linf", "l2"]
NORMS: tuple[Norm, ...] = ("linf", "l2")
# A pixel's whole range.
LEVELS = 255
# Of floats whose sum was rounded: what an image may seem to leave its budget by, in levels.
TOLERANCE = 1e-3

# Images are (N, H, W, C) in levels, 0 to 255, of any real number type.
Images = NDArray[np.floating] | NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What may be changed: each pixel by so much (linf), or all of an image together (l2).

    Attributes:
        norm: "linf", the largest change of a pixel, or "l2", the square root of the sum of all squares.
        eps: the bound, as a share of a pixel's whole range: 4/255 is four of 255 levels.
        whole: whether pixels stay whole levels, as a device gets them; else real numbers.

    Raises: Refused, when the norm is not known or `eps` is not from 0 to 1 (l2: to 1000).
    """

    norm: Norm = "linf"
    eps: float = 8 / 255
    whole: bool = True

    def __post_init__(self) -> None:
        if self.norm not in NORMS:
            raise Refused(f"the norm is {self.norm!r}; it must be one of {', '.join(NORMS)}")
        most = 1 if self.norm == "linf" else 1000
        if not 0 <= self.eps <= most:
            raise Refused(f"eps is {self.eps:g}; it must be from 0 to {most}, as a share of a pixel's range (4/255)")

    @property
    def radius(self) -> float:
        """The bound in levels; of whole levels under linf the whole number that is not above it."""
        levels = round(self.eps * LEVELS, 6)
        return float(math.floor(levels)) if self.whole and self.norm == "linf" else levels

    @property
    def text(self) -> str:
        """The bound as people write it, such as 8/255."""
        levels = round(self.eps * LEVELS, 6)
        return f"{levels:g}/255" if self.norm == "linf" else f"{self.eps:g}"

    def at(self, eps: float) -> Budget:
        """The same with another bound."""
        return replace(self, eps=eps)

    def clip(self, originals: Images, changed: Images) -> Floats:
        """Changed images (N, H, W, C) as near to what is given as the budget and valid pixels allow.

        What is not a number is as in the original.
        """
        before = originals.astype(np.float32)
        after = np.where(np.isfinite(changed), changed, before).astype(np.float32)
        change = np.clip(after, 0, LEVELS) - before
        if self.norm == "linf":
            change = np.clip(change, -self.radius, self.radius)
            near = np.rint(before + change) if self.whole else before + change
            return np.asarray(np.clip(near, 0, LEVELS), np.float32)
        if self.whole:
            return before + np.stack([_whole(one, self.radius) for one in change]) if len(change) else before
        size = np.maximum(_length(change), 1e-30)[:, None, None, None]
        return before + change * np.minimum(1, self.radius / size)

    def size(self, originals: Images, changed: Images) -> Doubles:
        """(N,) how far images were changed, in units of `eps`; computed apart from `clip`."""
        difference = changed.astype(np.float64).reshape(len(changed), -1) - originals.reshape(len(originals), -1)
        if self.norm == "linf":
            found = np.abs(difference).max(axis=1, initial=0)
        else:
            found = np.sqrt(np.square(difference).sum(axis=1))
        return np.asarray(found / LEVELS, np.float64)


def parse_eps(text: str) -> float:
    """A bound as people write it: `4/255`, or `0.0157`.

    Raises: Refused, when it is no number, or not from 0 to 1 (for l2, which `Budget` checks, it may be more).
    """
    try:
        above, _, below = text.partition("/")
        found = float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        found = math.nan
    if not 0 <= found < math.inf:
        raise Refused(f"--eps is {text!r}; give a share of a pixel's range from 0 to 1, such as 4/255 or 0.0157")
    return found


def _length(change: Floats) -> Floats:
    squares = np.square(change.reshape(len(change), -1), dtype=np.float64)
    return np.asarray(np.sqrt(squares.sum(axis=1)), np.float32)


def _whole(change: Floats, radius: float) -> Floats:
    """A change (H, W, C) of whole levels with no greater length than `radius`.

    Where the nearest whole numbers are too long, those are rounded up whose rest is greatest, as many as there is room.
    """
    scale = min(1.0, radius / max(float(_length(change[None])[0]), 1e-30))
    exact = np.abs(change.astype(np.float64)).ravel() * scale
    below = np.floor(exact)
    rest = exact - below
    order = np.argsort(-rest, kind="stable")
    cost = np.cumsum(2 * below[order] + 1)
    room = radius**2 - np.square(below).sum() + 1e-9
    up = order[(cost <= room) & (rest[order] > 0)]
    below[up] += 1
    whole: Floats = (np.sign(change) * below.reshape(change.shape)).astype(np.float32)
    return whole
