"""Labels in a table (CSV, or with semicolons, tabs or bars): which column has the numbers, and which the names."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from depthwise.errors import Refused

_SEPARATORS = (",", ";", "\t", "|")
# Columns are a form of at most so many; more of them are a sentence with commas.
_MOST_COLUMNS = 16
# Headings that say which of several columns of text holds the labels.
_HEADINGS = ("label", "name", "class", "class_name", "classname", "label_name", "category", "display_name")
# Names of WordNet, which ImageNet's lists have beside the label.
_SYNSET = re.compile(r"n\d{8}")


def of_table(lines: Sequence[str]) -> dict[int, str] | None:
    """Labels by number of a table with one class a line, or None where the lines are no table with numbers.

    Raises: Refused, when several columns could be the labels.
    """
    for separator in _SEPARATORS:
        rows = _rows(lines, separator)
        for heading in (0, 1):
            body = rows[heading:]
            columns = list(zip(*body, strict=True))
            numbers = next((place for place, column in enumerate(columns) if _numbers_rows(column)), None)
            if numbers is not None:
                label = _label(columns, rows[0] if heading else (), numbers)
                return {int(row[numbers]): row[label] for row in body}
    return None


def _rows(lines: Sequence[str], separator: str) -> list[list[str]]:
    """The cells of each line; nothing where lines differ in their number, or a blank behind a comma tells of prose."""
    try:
        rows = list(csv.reader(lines, delimiter=separator, strict=True))
    except csv.Error:
        return []
    width = len(rows[0]) if rows else 0
    prose = any(cell.startswith(" ") for row in rows for cell in row)
    if not 2 <= width <= _MOST_COLUMNS or any(len(row) != width for row in rows) or (separator == "," and prose):
        return []
    return [[cell.strip() for cell in row] for row in rows]


def _numbers_rows(column: Sequence[str]) -> bool:
    """Whether a column numbers its rows from 0 or from 1, in any order."""
    if not all(cell.isdecimal() and len(cell) < 7 for cell in column):
        return False
    return counts([int(cell) for cell in column])


def counts(numbers: Sequence[int]) -> bool:
    """Whether numbers are those of classes: each once, in any order, from 0, or, as some count them, from 1."""
    return sorted(numbers) in (list(range(len(numbers))), list(range(1, len(numbers) + 1)))


def _label(columns: Sequence[Sequence[str]], heading: Sequence[str], numbers: int) -> int:
    """The column of labels: the only one of text, or the one that its heading names."""
    others = [place for place in range(len(columns)) if place != numbers]
    named = [place for place in others if heading and heading[place].lower() in _HEADINGS]
    text = [place for place in others if not all(_is_number(cell) for cell in columns[place])]
    plain = [place for place in text if not all(_SYNSET.fullmatch(cell) for cell in columns[place])]
    for found in (named, others, text, plain):
        if len(found) == 1:
            return found[0]
    raise Refused(f"has {len(others)} columns beside the number of the class; keep the label's alone")


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"[-+.\d%eE]*", cell) is not None
