"""Pictures that are put into a folder, one after the other."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from depthwise.edge.frames import LAYOUTS, Frame
from depthwise.edge.live.source import PATIENCE, Captured, Notice
from depthwise.edge.suffixes import SUFFIXES
from depthwise.errors import Refused


@dataclass(frozen=True, kw_only=True)
class Folder:
    """Pictures that come into a folder from now on; those that lie there are not looked at.

    Attributes:
        channels: of the network.
    """

    path: str
    channels: int
    every: bool = True

    def frames(self, stop: threading.Event, notice: Notice) -> Iterator[Captured]:
        """Each picture once it has not grown since the last look; one that is written anew comes again."""
        begun = time.monotonic()
        known = self._stamps()
        growing: dict[str, tuple[int, int]] = {}
        while not stop.wait(PATIENCE):
            now = self._stamps()
            fresh = {name: stamp for name, stamp in now.items() if known.get(name) != stamp}
            for name in sorted(fresh, key=lambda name: (fresh[name][0], name)):
                # Whoever writes it may not be done.
                if growing.get(name) != fresh[name]:
                    continue
                known[name] = fresh[name]
                found = self._picture(name, notice)
                if found is not None:
                    at = time.monotonic()
                    yield Captured(frame=found[0], at=at, time=at - begun, waited=0.0, decoded=found[1])
                if stop.is_set():
                    return
            growing = fresh
            # Of pictures that went away nothing is kept.
            known = {name: stamp for name, stamp in known.items() if name in now}

    def _stamps(self) -> dict[str, tuple[int, int]]:
        """When each picture was written, and its size."""
        found = {}
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    if entry.name.lower().endswith(SUFFIXES) and not entry.name.startswith("."):
                        try:
                            status = entry.stat()
                        except OSError:  # it went away meanwhile
                            continue
                        found[entry.name] = (status.st_mtime_ns, status.st_size)
        except OSError as problem:
            raise Refused(f"{self.path}: cannot be watched ({problem.strerror}); give a folder that is there") from None
        return found

    def _picture(self, name: str, notice: Notice) -> tuple[Frame, float] | None:
        from depthwise.edge.decoding import picture

        begun = time.monotonic()
        try:
            opened = picture(Path(self.path, name), channels=self.channels)
        except Refused as refusal:
            notice(f"not read: {refusal}")
            return None
        layout = LAYOUTS["grey" if self.channels == 1 else "rgb"]
        frame = Frame.of_bytes(layout, opened.height, opened.width, opened.tobytes())
        return frame, time.monotonic() - begun
