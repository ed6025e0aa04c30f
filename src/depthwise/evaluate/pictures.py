"""Where things lie in the page's two pictures, in units of their SVG; drawing is the template's part."""

from __future__ import annotations

import math
from dataclasses import dataclass

from depthwise.evaluate.report import Report
from depthwise.evaluate.text import percent

# Pixels of a cell: the largest, and the width that all may take before the script knows that of the page.
SIDE, WHOLE = 34, 800
READABLE = 13  # Pixels of a cell from which its row can have its name.
DIGIT = 0.62  # Width of a digit, of its height.
CHART, BARS = 320, 70  # Sides of the reliability diagram, and height of the counts below it.


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Images of one right class with one answer, at least one; it lies at column `predicted` of row `true`.

    Attributes:
        size: height of its number, in widths of the cell, so that the number fits in.
    """

    true: int
    predicted: int
    count: int
    opacity: float
    size: float

    @property
    def is_right(self) -> bool:
        """Whether it lies on the diagonal."""
        return self.true == self.predicted


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """The confusion matrix as a heat map of cells 1 wide.

    Attributes:
        side: pixels of a cell, where no script says better.
        named: whether each row is high enough for its name then.
        names: of the classes.
    """

    side: float
    named: bool
    names: tuple[str, ...]
    cells: tuple[Cell, ...]


def matrix(report: Report) -> Matrix:
    """Shade says which share of the class (the row) is in a cell."""
    names = report.predictions.labels
    cells = [
        Cell(
            true=true,
            predicted=predicted,
            count=count,
            opacity=0.08 + 0.92 * math.sqrt(count / report.classes[true].images),
            size=min(0.4, 0.9 / (DIGIT * len(f"{count:,}"))),
        )
        for true, row in enumerate(report.confusion.tolist())
        for predicted, count in enumerate(row)
        if count
    ]
    side = min(float(SIDE), WHOLE / len(names))
    return Matrix(side=side, named=side >= READABLE, names=names, cells=tuple(cells))


@dataclass(frozen=True, kw_only=True)
class Column:
    """One bin of confidence in the reliability diagram.

    Attributes:
        x, width: of the column.
        height: of the bar, the share of right answers.
        at: height at which the mean confidence lies.
        count: height of the bar below, for the number of images.
    """

    x: float
    width: float
    height: float
    at: float
    count: float
    hint: str


def reliability(report: Report) -> tuple[Column, ...]:
    """The bins that have images."""
    most = max(entry.images for entry in report.bins)
    width = CHART / len(report.bins)
    return tuple(
        Column(
            x=entry.low * CHART,
            width=width,
            height=entry.accuracy * CHART,
            at=entry.confidence * CHART,
            count=entry.images / most * BARS,
            hint=f"{entry.images:,} images with {percent(entry.low, 0)} to {percent(entry.high, 0)}: claims"
            f" {percent(entry.confidence)} on average, is right in {percent(entry.accuracy)}",
        )
        for entry in report.bins
        if entry.accuracy is not None and entry.confidence is not None
    )
