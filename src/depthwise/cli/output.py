"""Where colour, width and terminal are decided, once for all commands; and how documents and files are put out.

Results go to stdout (`console`, `print_table`, `print_json`), notices and progress to stderr
(`error_console`, `notice`). Every command reads this file, so it loads what it needs where it is used.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from depthwise.edge.terminal import escaped, print_json, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as Drawn

    from depthwise.tables import Table

__all__ = [
    "check_page",
    "console",
    "error_console",
    "escaped",
    "notice",
    "print_json",
    "print_table",
    "printable",
    "wants_colour",
    "write_page",
]

# A pipe or a file has no width: wide enough that no cell is ever cut.
PIPE_WIDTH = 240


def console() -> Console:
    """The console of results, on stdout. Text is printed as it is: no markup, no emoji codes, no highlighting."""
    return _console(sys.stdout)


def error_console() -> Console:
    """The console of notices, warnings and progress, on stderr; `is_terminal` says whether a bar may be drawn."""
    return _console(sys.stderr)


def notice(text: str) -> None:
    """One line on stderr."""
    error_console().print(text, style="dim", soft_wrap=True)


def wants_colour(stream: IO[str]) -> bool:
    """Whether a stream is a terminal that shows colour, and the user has not refused it (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def print_table(table: Table) -> None:
    """Print one table on stdout, with a rule above the last row where that is the sum of the others.

    Where the terminal is too narrow for all columns they come in parts, each with the first column, which names the
    rows.
    """
    out = console()
    for number, part in enumerate(_parts(table, out.width)):
        out.print(_drawn(table, part, title=table.title if number == 0 else ""))


def _parts(table: Table, width: int) -> list[list[int]]:
    """The columns that fit side by side, in parts that each begin with the first."""
    from rich.cells import cell_len

    cells = (tuple(column.heading for column in table.columns), *table.rows)
    wide = [2 + max(cell_len(line) for row in cells for line in row[c].split("\n")) for c in range(len(table.columns))]
    left = width - wide[0] - 1  # the frame is of spaces, one before each column and one behind all
    parts, room = [[0]], left
    for column in range(1, len(wide)):
        if wide[column] > room and len(parts[-1]) > 1:
            parts.append([0])
            room = left
        parts[-1].append(column)
        room -= wide[column]
    return parts


def _drawn(table: Table, part: list[int], title: str) -> Drawn:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as Drawn

    drawn = Drawn(title=title or None, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in (table.columns[index] for index in part):
        # A number is never broken over lines; a name may be, on a narrow terminal.
        if column.is_text:
            drawn.add_column(column.heading, overflow="fold")
        else:
            drawn.add_column(column.heading, justify="right", no_wrap=True, overflow="fold")
    for left, row in zip(range(len(table.rows) - 1, -1, -1), table.rows, strict=True):
        is_sum = table.last_is_sum and left == 0
        shown = [row[index] for index in part]
        drawn.add_row(*shown, end_section=table.last_is_sum and left == 1, style="bold" if is_sum else None)
    return drawn


def check_page(path: Path | None) -> None:
    """See that `write_page` can write a page, where one is asked for, before the work that it is about.

    Raises: Refused, as `write_page` does.
    """
    from depthwise.kinds import PAGE
    from depthwise.places import check_output

    if path is not None:
        check_output(path, PAGE)


def write_page(path: Path, html: str) -> None:
    """Write a page, whole or not at all, and say so; one that exists is replaced.

    Raises: Refused, when something else lies there, or it cannot be written.
    """
    from depthwise.files import write_file
    from depthwise.kinds import PAGE

    write_file(path, html.encode(), PAGE)
    notice(f"wrote {path}")


def _console(stream: IO[str]) -> Console:
    from rich.console import Console
    from rich.text import Text

    class Escaping(Console):
        """Escapes what is a stranger's text, in cells of tables too: labels, names of files, parts of their content."""

        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(escaped(text), **options)

    if hasattr(stream, "reconfigure"):
        # A label that the terminal's encoding lacks is printed as an escape instead of ending the command.
        stream.reconfigure(errors="backslashreplace")
    is_terminal = stream.isatty()
    return Escaping(
        file=stream,
        force_terminal=is_terminal,
        color_system="auto" if wants_colour(stream) else None,
        width=None if is_terminal or os.environ.get("COLUMNS") else PIPE_WIDTH,
        markup=False,
        emoji=False,
        highlight=False,
    )
