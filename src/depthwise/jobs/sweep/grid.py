"""The points of a sweep, in the order in which they are trained, and which of them nothing else beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Figures of which less is better, and what tables call them.
COSTS = {"macs": "multiply-adds", "milliseconds": "ms a call", "bytes": "int8 bytes", "arena_bytes": "RAM bytes"}
ACCURACY = "int8_top1"


@dataclass(frozen=True, kw_only=True)
class Point:
    """One network of the grid.

    Attributes:
        start: name of the point whose weights it starts from, which has the same width; "" for random ones.
    """

    width: float
    resolution: int
    start: str = ""

    @property
    def name(self) -> str:
        """As its folders are called."""
        return f"{self.width:g}-{self.resolution}"


def grid(widths: Sequence[float], resolutions: Sequence[int]) -> tuple[Point, ...]:
    """All points: of each width the lowest resolution first, from which the next one starts.

    Weights of a width fit every resolution, and the lowest one is the quickest to train from nothing.
    """
    points = []
    for width in sorted(set(widths)):
        before = ""
        for resolution in sorted(set(resolutions)):
            points.append(Point(width=width, resolution=resolution, start=before))
            before = points[-1].name
    return tuple(points)


def front(rows: Sequence[Mapping[str, Any]], cost: str) -> list[bool]:
    """Of each row, whether no other is at least as accurate and as cheap, and better in one of them."""

    def beats(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        no_worse = one[ACCURACY] >= other[ACCURACY] and one[cost] <= other[cost]
        return bool(no_worse and (one[ACCURACY] > other[ACCURACY] or one[cost] < other[cost]))

    return [not any(beats(one, row) for one in rows) for row in rows]


def with_fronts(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows that say of which costs they are on the front."""
    fronts = {cost: front(rows, cost) for cost in COSTS}
    return [{**row, "front": [cost for cost in COSTS if fronts[cost][at]]} for at, row in enumerate(rows)]
