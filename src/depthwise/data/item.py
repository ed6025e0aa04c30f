"""One image file and its class: what every list of images is made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Item:
    """One image file and the index of its class."""

    path: Path
    label: int

    def name(self, data: Path) -> str:
        """The file's place within a folder, as text that any page or document can hold."""
        path = self.path.relative_to(data).as_posix()
        return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
