"""The document of a sweep as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from depthwise.jobs.sweep.grid import COSTS
from depthwise.tables import Column, Table

_FORMS = {"macs": "{:,}", "milliseconds": "{:.3f}", "bytes": "{:,}", "arena_bytes": "{:,}"}


def table(document: Mapping[str, Any]) -> Table:
    """A row a network; a * stands by the figures of which it is on the front."""
    columns = ("α", "pixels", "float top-1", "int8 top-1", *COSTS.values())
    return Table(
        title="networks by width and resolution",
        columns=tuple(Column(heading=heading) for heading in columns),
        rows=tuple(_row(row) for row in document["points"]),
    )


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:
    figures = (_FORMS[cost].format(row[cost]) + (" *" if cost in row["front"] else "  ") for cost in COSTS)
    return (
        f"{row['width']:g}",
        str(row["resolution"]),
        f"{row['float_top1']:.2%}",
        f"{row['int8_top1']:.2%}",
        *figures,
    )
