"""Progress of long work on stderr: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import os
import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text

from depthwise.cli.output import escaped

SECONDS_BETWEEN_LINES = 30.0


class Bar:
    """A bar with figures and the time left; each finished stage leaves its notices behind."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def begin(self, title: str, total: int, done: int = 0) -> None:
        """Show a new bar."""
        self.end()
        # The bar takes what the rest leaves of a line; a stage whose figures say what time is left needs no clock.
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None, table_column=Column(ratio=1)),
            MofNCompleteColumn(),
            _Clock(),
            TextColumn("{task.fields[figures]}"),
            console=self._console,
            transient=True,
            expand=True,
        )
        self._progress.start()
        self._task = self._progress.add_task(title, total=total, completed=done, figures="")

    def advance(self, **figures: str) -> None:
        """Move the bar on by one."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, advance=1, figures=" ".join(_parts(figures)))

    def end(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def notice(self, text: str) -> None:
        """Print a line above the bar."""
        self._console.print(escaped(text), markup=False, emoji=False, soft_wrap=True)


class _Clock(TimeRemainingColumn):
    """The time left of a stage, unless its figures say what is left of the whole."""

    def render(self, task: Task) -> Text:
        """The time, or nothing."""
        return Text() if "left" in task.fields["figures"] else super().render(task)


class Lines:
    """For logs: at most one line of progress every half minute."""

    def __init__(self) -> None:
        self._title, self._total, self._done, self._said = "", 0, 0, time.monotonic()

    def begin(self, title: str, total: int, done: int = 0) -> None:
        """Remember what goes on."""
        self._title, self._total, self._done = title, total, done

    def advance(self, **figures: str) -> None:
        """Print a line when the last one is old."""
        self._done += 1
        if time.monotonic() - self._said > SECONDS_BETWEEN_LINES:
            self.notice(f"{self._title}: {self._done}/{self._total} {'  '.join(_parts(figures))}".rstrip())

    def end(self) -> None:
        """Nothing to take away."""

    def notice(self, text: str) -> None:
        """Print a line."""
        self._said = time.monotonic()
        print(escaped(text), file=sys.stderr, flush=True)


class Quiet(Lines):
    """Notices only; for the processes of a distributed run that are not the first, not even these."""

    def notice(self, text: str) -> None:
        """Nothing."""


def is_first_process() -> bool:
    """Whether this is the process of a distributed run that reports; where there is one process, it is."""
    return os.environ.get("RANK", "0") == "0"


def make_reporter() -> Bar | Lines:
    """What suits where stderr goes; silent in all but the first process of a distributed run."""
    if not is_first_process():
        return Quiet()
    return Bar() if sys.stderr.isatty() else Lines()


def _parts(figures: dict[str, str]) -> list[str]:
    return [f"{name} {value}" for name, value in figures.items()]
