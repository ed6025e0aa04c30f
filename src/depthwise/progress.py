"""What a run tells while it goes on; the command line shows it, tests and scripts may ignore it."""

from __future__ import annotations

from typing import Protocol


class Reporter(Protocol):
    """Receives the progress of long work."""

    def begin(self, title: str, total: int, done: int = 0) -> None:
        """A stage of `total` equal parts begins, `done` of them already behind."""

    def advance(self, **figures: str) -> None:
        """One part is done; `figures` are shown beside the bar."""

    def end(self) -> None:
        """The stage is over."""

    def notice(self, text: str) -> None:
        """One line that the user should read."""


class Silent:
    """Tells nothing."""

    def begin(self, title: str, total: int, done: int = 0) -> None:
        """Nothing."""

    def advance(self, **figures: str) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""

    def notice(self, text: str) -> None:
        """Nothing."""
