"""How figures are written and what they mean in plain words, on the terminal and on the page."""

from __future__ import annotations

from depthwise.evaluate.metrics import Share
from depthwise.evaluate.report import TOP, Report


def percent(share: float | None, digits: int = 1) -> str:
    """64.2%, or a dash where nothing was counted."""
    return "–" if share is None else f"{100 * share:.{digits}f}%"


def interval(share: Share) -> str:
    """59.3% to 69.0%."""
    low, high = share.interval
    return f"{percent(low)} to {percent(high)}"


def where(report: Report) -> str:
    """What was measured on what, in one line."""
    found = report.predictions
    place = f"{found.data.name or found.data}/{found.split}" if found.split else (found.data.name or str(found.data))
    present = sum(1 for one in report.classes if one.images)
    all_classes = len(found.labels)
    classes = f"{all_classes:,}" if present == all_classes else f"{present:,} of its {all_classes:,}"
    return f"{report.images:,} images of {classes} classes from {place}"


def top5_meaning(report: Report) -> str:
    """What the top-5 figure says, or that it says nothing."""
    count = len(report.predictions.labels)
    if count <= TOP:
        return f"there are only {count} classes, so this is always 100%"
    return "have the right label among the five likeliest"


def sureness(report: Report) -> str:
    """Which way the probabilities err."""
    sure, right = report.mean_confidence, report.top1.share
    if abs(sure - right) < 0.005:
        return f"it claims {percent(sure)} on average, as often as it is right"
    way = "too sure" if sure > right else "too modest"
    return f"it is {way}: claims {percent(sure)} on average and is right in {percent(right)}"


def advice(report: Report) -> tuple[str, ...]:
    """The weakest class and the commonest mistake, as sentences; none where there is no mistake."""
    if not report.pairs:
        return ()
    names = report.predictions.labels
    pair, weakest = report.pairs[0], report.weakest[0]
    of = report.classes[pair.true].images
    return (
        f"commonest mistake: {names[pair.true]} taken for {names[pair.predicted]}, {pair.images:,} of {of:,}",
        f"weakest class: {weakest.label}, {weakest.right:,} of {weakest.images:,} found",
    )
