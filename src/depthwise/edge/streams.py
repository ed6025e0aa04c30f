"""stdout and stderr that are closed, full or no longer read, and the signal that asks a process to end."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from typing import Any, NoReturn


class Terminated(KeyboardInterrupt):
    """SIGTERM came; what is made in temporary places goes, and a training writes a checkpoint, as at Ctrl+C."""


def end_in_order() -> None:
    """Let SIGTERM unwind the process instead of ending it at once, unless somebody has decided otherwise."""

    def raise_it(number: int, frame: object) -> NoReturn:
        raise Terminated

    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, raise_it)


class Unwritten(Exception):
    """What was to be printed cannot be written, as on a full disk.

    It is no OSError, which click would take for its own affair.
    """


class Unread(Unwritten):
    """Who read it has enough (`| head`)."""


class _Watched(io.FileIO):
    """A stream of the process that says so when it is its own writing that fails."""

    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except BrokenPipeError:
            raise Unread from None
        except OSError as problem:
            raise Unwritten(str(problem)) from None


def watch() -> None:
    """Let `Unwritten` be raised where stdout or stderr cannot be written."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        old = getattr(sys, name)
        if type(old) is not io.TextIOWrapper:  # somebody has put another one there
            continue
        raw: Any = _Watched(number, "w", closefd=False)
        # With -u Python puts no buffer in between.
        buffer = io.BufferedWriter(raw) if isinstance(old.buffer, io.BufferedWriter) else raw
        same = {key: getattr(old, key) for key in ("encoding", "errors", "line_buffering", "write_through")}
        setattr(sys, name, io.TextIOWrapper(buffer, **same))


def open_what_is_closed() -> bool:
    """Open stdin, stdout and stderr to nothing where they are closed; whether stdout was open.

    A file that is opened later would else get their number, and what a compiler says would be written into it.
    """
    was_open = sys.stdout is not None
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:
        os.set_inheritable(number, True)
    os.close(number)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    return was_open


def give_up() -> None:
    """Send to nothing what cannot be written; Python would complain once more when it flushes at its end."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (Unwritten, ValueError):
            os.dup2(nothing, stream.fileno())
