"""A report as one page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from depthwise.cost import pictures, tables, text
from depthwise.cost.report import Report
from depthwise.network.layers import layers
from depthwise.pages import template


def page(report: Report, *, name: str = "") -> str:
    """The whole page as HTML.

    Args:
        report: what to show.
        name: what the reader calls the network, such as the name of its folder; "" for none.
    """
    made = template(
        "cost",
        "cost.html.j2",
        whole=text.whole,
        millions=text.millions,
        size=text.size,
        percent=text.percent,
        times=text.times,
        number=text.number,
    )
    example = pictures.example(report)
    depthwise, pointwise = pictures.split(example)
    return made.render(
        report=report,
        name=name,
        title=text.title(report.spec),
        command=text.command(report.spec, report.precision),
        pictures=pictures,
        width=pictures.WIDTH,
        share={kind.kind: kind.macs_share for kind in report.kinds},
        example=example,
        depthwise=depthwise,
        pointwise=pointwise,
        stem=layers(report.spec)[0],
        layer_table=tables.layer_table(report),
        live_summary=tables.live_summary(report),
        sweep_table=tables.sweep_table(report),
    )
