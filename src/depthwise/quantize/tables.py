"""A report as text for the terminal and the page."""

from __future__ import annotations

from depthwise.quantize.report import Line, Report
from depthwise.tables import Column, Table

# Columns of names.
NAMES = ("precision", "layer", "output", "range", "bias")


def accuracy_table(found: Report) -> Table:
    """Float and int8 in a row each."""
    rows = []
    compared = found.comparison
    for name, size in (("float32", found.float_bytes), ("int8", found.int8_bytes)):
        top1, top5 = "", ""
        if compared is not None:
            shares = (
                (compared.float_top1, compared.float_top5)
                if name == "float32"
                else (compared.int8_top1, compared.int8_top5)
            )
            top1, top5 = (f"{share:.2%}" for share in shares)
        rows.append((name, top1, top5, f"{size:,}"))
    return Table(title="", columns=_columns(("precision", "top-1", "top-5", "bytes")), rows=tuple(rows))


def layer_table(found: Report) -> Table:
    """A row a layer."""
    headings = ("layer", "output", "range", "spread", "bias", "signal dB", "share of noise")
    return Table(title="Layer by layer", columns=_columns(headings), rows=tuple(_row(line) for line in found.lines))


def summary(found: Report) -> list[str]:
    """What the tables do not say, in sentences."""
    said = [f"calibrated on {found.calibrated:,} images"]
    compared = found.comparison
    if compared is not None:
        said.append(
            f"on {compared.images:,} images int8 costs {compared.drop:.2f} points of top-1; both agree on"
            f" {compared.agreement:.2%}, logits {compared.signal_db:.1f} dB over their difference"
        )
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
