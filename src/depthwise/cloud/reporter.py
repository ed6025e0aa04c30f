"""What a run tells while it goes on; the command line shows it, tests and scripts may ignore it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol


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


class RunLog:
    """The log of a run: one JSON object a line, in `log.jsonl` of its folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "log.jsonl"

    def write(self, event: str, **fields: Any) -> None:
        """Append one line, at once."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"event": event, **fields}, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def epochs(self) -> list[Mapping[str, Any]]:
        """The epochs so far, one a number: a run that was killed may have written one twice."""
        found: dict[int, Mapping[str, Any]] = {}
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []:
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # cut off by a kill
            if entry.get("event") == "epoch":
                found[entry["epoch"]] = entry
        return [found[number] for number in sorted(found)]
