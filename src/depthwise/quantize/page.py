"""A report as one page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from depthwise.pages import template
from depthwise.quantize import tables
from depthwise.quantize.report import Report


def page(found: Report, *, name: str = "") -> str:
    """The whole page as HTML.

    Args:
        name: what the reader calls the network, such as the name of its folder; "" for none.
    """
    return template("quantize", "quantize.html.j2").render(
        found=found,
        name=name,
        compared=found.comparison,
        largest=max(line.noise_percent for line in found.lines) or 1.0,
        layer_table=tables.layer_table(found),
        summary=tables.summary(found),
    )
