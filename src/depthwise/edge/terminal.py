"""What goes to a terminal or a pipe: lines that cannot move its cursor, JSON documents, and how a command ends.

`depthwise` and `depthwise-run` share it; it loads what it needs where it is used.
"""

from __future__ import annotations

import signal
import sys

from depthwise.edge import streams
from depthwise.errors import Refused, Unmet

TYPE_CHECKING = False  # without `typing`, as edge/__init__.py says
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, NoReturn


def escaped(text: str) -> str:
    """Text of any lines without what could move a terminal's cursor or set its title: control characters as escapes."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def printable(text: str) -> str:
    """Text for one line of any terminal: control characters, and what its encoding lacks, as escapes."""
    line = escaped(text).replace("\n", "\\n").replace("\t", "\\t")
    encoding = sys.stdout.encoding or "ascii"
    return line.encode(encoding, "backslashreplace").decode(encoding)


def print_json(document: Mapping[str, Any]) -> None:
    """Print one document on stdout.

    Args:
        document: JSON values; `schema`, the version of its form, is among them.
    """
    import json

    if "schema" not in document:
        raise ValueError("a document needs its schema number")
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        # JSON may be written in ASCII alone, which every pipe can carry, and file names that are not UTF-8 need.
        text = json.dumps(document, indent=2, allow_nan=False)
    sys.stdout.write(text + "\n")


def print_csv(rows: Iterable[Sequence[object]]) -> None:
    """Rows as in RFC 4180, but with a line feed alone; what the encoding lacks comes as an escape."""
    import csv
    import io

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.getvalue().encode(encoding, "backslashreplace").decode(encoding))


def run_and_exit(run: Callable[[], int]) -> NoReturn:
    """Run a command and end the process with what it returns, or with how it was ended.

    Exit codes: 0 done, 1 a gate did not hold or stdout could not be written, 2 could not be done as asked, 130
    interrupted, 143 terminated.
    """
    was_open = streams.open_what_is_closed()
    streams.watch()
    streams.end_in_order()
    try:
        code = _ended(run)
        sys.stdout.flush()
    except streams.Unread:
        code = 0
    except streams.Unwritten:
        code = 1
    streams.give_up()
    sys.exit(code if was_open else code or 1)


def _ended(run: Callable[[], int]) -> int:
    try:
        return run()
    except Refused as refusal:
        # It may quote a file, whose author could want to move the terminal's cursor.
        print(f"error: {printable(' '.join(str(refusal).split()))}", file=sys.stderr)
        return 1 if isinstance(refusal, Unmet) else 2
    except KeyboardInterrupt as end:
        terminated = isinstance(end, streams.Terminated)
        print("terminated" if terminated else "interrupted", file=sys.stderr)
        return 128 + (signal.SIGTERM if terminated else signal.SIGINT)
