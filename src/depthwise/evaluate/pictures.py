"""Where things lie in the page's two pictures, in units of their SVG; drawing is the template's part."""

from __future__ import annotations

import math
from dataclasses import dataclass

from depthwise.evaluate.report import Report
from depthwise.evaluate.text import percent

# Up to so many classes each cell shows its number and each row its name; more are zoomed into.
MOST_LABELLED = 30
SIDE = 34  # Of a labelled cell.
LETTER = 6.9  # Mean width of a letter of the labels.
LONGEST_LABEL = 26
CHART, BARS = 320, 70  # Sides of the reliability diagram, and height of the counts below it.


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Images of one right class with one answer, at least one."""

    true: int
    predicted: int
    x: float
    y: float
    count: int
    opacity: float
    hint: str

    @property
    def is_right(self) -> bool:
        """Whether it lies on the diagonal."""
        return self.true == self.predicted


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """The confusion matrix as a heat map.

    Attributes:
        labelled: whether cells hold numbers and names stand beside them; else a cell is 1 wide and there are no names.
        side: of a cell.
        left, top: where the first cell begins.
        width, height: of all.
        names: of the classes, cut where they are too long.
    """

    labelled: bool
    side: float
    left: float
    top: float
    width: float
    height: float
    names: tuple[str, ...]
    cells: tuple[Cell, ...]


def matrix(report: Report) -> Matrix:
    """Shade says which share of the class (the row) is in a cell."""
    names = tuple(_short(one.label) for one in report.classes)
    labelled = len(names) <= MOST_LABELLED
    longest = max(map(len, names)) * LETTER if labelled else 0.0
    side = float(SIDE) if labelled else 1.0
    left = longest + 14 if labelled else 0.0
    # Names above the columns are turned by 55 degrees.
    top = longest * math.sin(math.radians(55)) + 22 if labelled else 0.0
    over = longest * math.cos(math.radians(55)) if labelled else 0.0
    cells = []
    for true, row in enumerate(report.confusion.tolist()):
        for predicted, count in enumerate(row):
            if count:
                share = count / report.classes[true].images
                cells.append(
                    Cell(
                        true=true,
                        predicted=predicted,
                        x=left + predicted * side,
                        y=top + true * side,
                        count=count,
                        opacity=0.08 + 0.92 * math.sqrt(share),
                        hint=hint(report, true, predicted) if labelled else "",
                    )
                )
    size = len(names) * side
    return Matrix(
        labelled=labelled,
        side=side,
        left=left,
        top=top,
        width=left + size + over,
        height=top + size,
        names=names,
        cells=tuple(cells),
    )


def hint(report: Report, true: int, predicted: int) -> str:
    """What a cell holds, in words."""
    names, of = report.predictions.labels, report.classes[true].images
    count = int(report.confusion[true, predicted])
    what = "rightly labelled" if true == predicted else f"taken for {names[predicted]}"
    return f"{names[true]} {what}: {count:,} of {of:,} ({percent(count / of)})"


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


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
