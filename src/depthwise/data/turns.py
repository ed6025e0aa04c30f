"""Threads that decode images at the same time, and together take no more memory than one image may."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from depthwise.edge.decoding import MOST_BYTES


class Turns:
    """Bytes of memory that the threads of a process share.

    Args:
        most: how many; no image may take more.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._left = most
        self._changed = threading.Condition()

    @contextmanager
    def turn(self) -> Iterator[Callable[[int], None]]:
        """What `decode` takes as `admit`: it waits until there is room for an image, which is free again at the end."""
        taken = 0

        def admit(count: int) -> None:
            nonlocal taken
            with self._changed:
                self._changed.wait_for(lambda: count <= self._left)
                self._left -= count
                taken += count

        try:
            yield admit
        finally:
            with self._changed:
                self._left += taken
                self._changed.notify_all()
