"""A report as tables of text, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from depthwise.evaluate.report import Report
from depthwise.evaluate.text import interval, percent, sureness, top5_meaning
from depthwise.tables import Column, Table

# With more classes, only the weakest are listed; --json and --html have all.
MOST_CLASSES = 40
# A matrix of more classes is wider than a terminal.
MOST_IN_MATRIX = 20
PAIRS = 10


def tables(report: Report) -> list[Table]:
    """What the terminal shows, from the whole to the parts."""
    found = [headline_table(report), class_table(report)]
    found += [matrix_table(report)] if len(report.classes) <= MOST_IN_MATRIX else []
    found += [pair_table(report)] if report.pairs else []
    return found


def headline_table(report: Report) -> Table:
    """The figures for all images, with what they mean."""
    rows = [
        (
            "top-1",
            percent(report.top1.share, 2),
            f"{report.top1.count:,} of {report.images:,} right; 95% interval {interval(report.top1)}",
        ),
        ("top-5", percent(report.top5.share, 2), top5_meaning(report)),
        ("balanced top-1", percent(report.balanced_top1, 2), "mean over classes, as if all had equally many images"),
        ("macro F1", f"{report.macro_f1:.4f}", "mean over classes of precision and recall combined"),
        ("calibration error", percent(report.calibration_error, 2), sureness(report)),
        ("log loss", f"{report.log_loss:.4f}", "nats an image"),
        ("images/s", f"{report.images_per_second:,.0f}", "through the network, reading not counted"),
    ]
    return _table("", ("figure",), ("",), rows, last=("meaning",))


def class_table(report: Report) -> Table:
    """Each class, or the weakest where there are many."""
    few = len(report.classes) <= MOST_CLASSES
    chosen = report.classes if few else report.weakest[:MOST_CLASSES]
    title = "Classes" if few else f"The {len(chosen)} weakest of {len(report.classes):,} classes"
    rows = [
        (
            one.label,
            f"{one.images:,}",
            percent(one.precision),
            percent(one.recall.share if one.recall else None),
            interval(one.recall) if one.recall else "–",
            percent(one.f1),
        )
        for one in chosen
    ]
    return _table(title, ("class",), ("images", "precision", "recall", "95% interval", "F1"), rows)


def matrix_table(report: Report) -> Table:
    """Images by right class (rows) and by predicted class (columns)."""
    numbers = [str(index + 1) for index in range(len(report.classes))]
    rows = [
        (f"{number} {one.label}", *(f"{count:,}" if count else "·" for count in row))
        for number, one, row in zip(numbers, report.classes, report.confusion.tolist(), strict=True)
    ]
    return _table("Images by right class (rows) and by answer (columns)", ("class",), tuple(numbers), rows)


def pair_table(report: Report) -> Table:
    """The most frequent mistakes."""
    names = report.predictions.labels
    rows = [
        (names[pair.true], names[pair.predicted], f"{pair.images:,}", percent(pair.share))
        for pair in report.pairs[:PAIRS]
    ]
    return _table("Most confused", ("is", "was taken for"), ("images", "of the class"), rows)


def _table(
    title: str,
    names: tuple[str, ...],
    numbers: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    last: tuple[str, ...] = (),
) -> Table:
    columns = [Column(heading=heading, is_text=True) for heading in names]
    columns += [Column(heading=heading) for heading in numbers]
    columns += [Column(heading=heading, is_text=True) for heading in last]
    return Table(title=title, columns=tuple(columns), rows=tuple(rows))
