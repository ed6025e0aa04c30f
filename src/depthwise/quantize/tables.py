"""A report as text for the terminal and the page."""

from __future__ import annotations

from depthwise.quantize.report import Line, Report
from depthwise.tables import Column, Table

# Columns of names.
NAMES = ("precision", "layer", "output", "range", "bias")


def accuracy_table(found: Report) -> Table:
    """Float and int8 in a row each: what they get right, where there are labels, and their bytes."""
    right = found.comparison.accuracy
    headings: tuple[str, ...] = ("precision", "bytes")
    shares: tuple[tuple[float, ...], ...] = ((), ())
    if right is not None:
        headings = ("precision", "top-1", "top-5", "bytes")
        shares = ((right.float_top1, right.float_top5), (right.int8_top1, right.int8_top5))
    sizes = (("float32", found.float_bytes), ("int8", found.int8_bytes))
    rows = (
        (name, *(f"{share:.2%}" for share in own), f"{size:,}") for (name, size), own in zip(sizes, shares, strict=True)
    )
    return Table(title="", columns=_columns(headings), rows=tuple(rows))


def layer_table(found: Report) -> Table:
    """A row a layer."""
    headings = ("layer", "output", "range", "spread", "bias", "signal dB", "share of noise")
    return Table(title="Layer by layer", columns=_columns(headings), rows=tuple(_row(line) for line in found.lines))


def summary(found: Report) -> list[str]:
    """What the tables do not say, in sentences."""
    said = [f"calibrated on {found.calibrated:,} images"]
    compared, right = found.comparison, found.comparison.accuracy
    close = f"{compared.agreement:.2%}, logits {compared.signal_db:.1f} dB over their difference"
    if right is None:
        said.append(f"on {compared.images:,} other images, without labels, float and int8 agree on {close}")
    else:
        said.append(f"on {compared.images:,} images int8 costs {right.drop:.2f} points of top-1; both agree on {close}")
    return said


def _columns(headings: tuple[str, ...]) -> tuple[Column, ...]:
    return tuple(Column(heading=heading, is_text=heading in NAMES) for heading in headings)


def _row(line: Line) -> tuple[str, ...]:
    return (
        line.name,
        line.output,
        line.rule or "none",
        f"{line.exponent:g}" if line.rule else "",
        "corrected" if line.corrected else "as is",
        f"{line.signal_db:.1f}",
        f"{line.noise_percent:.1f}%",
    )
