"""Tables of text: what the stages have to say, which the command line prints and the pages show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Column:
    """A heading; names stand to the left, numbers to the right."""

    heading: str
    is_text: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """Text in rows; the last row is the sum of the others where `last_is_sum`."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    last_is_sum: bool = False
