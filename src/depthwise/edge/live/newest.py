"""What passes from the thread that captures to the one that labels: one place, and no queue that could grow."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable
from typing import Any


class Newest:
    """A place for one item.

    Args:
        waits: whether who puts waits until the last item was taken, so that none is lost; else a newer one replaces it.
    """

    def __init__(self, *, waits: bool) -> None:
        self._waits = waits
        self._changed = threading.Condition()
        self._item: Any = None
        self._problem: BaseException | None = None
        self._is_closed = False
        self.dropped = 0

    def put(self, item: Any) -> bool:
        """Leave an item; False when nobody takes any more."""
        with self._changed:
            while self._waits and self._item is not None and not self._is_closed:
                self._changed.wait()
            if self._is_closed:
                return False
            self.dropped += self._item is not None
            self._item = item
            self._changed.notify_all()
            return True

    def fill(self, items: Iterable[Any]) -> None:
        """Leave one item after the other, in a thread; what ends them is raised where they are taken."""
        problem: BaseException | None = None
        try:
            for item in items:
                if not self.put(item):
                    break
        except BaseException as raised:
            problem = raised
        finally:
            self.close(problem)

    @property
    def is_closed(self) -> bool:
        """Whether no item comes any more."""
        return self._is_closed

    def take(self, patience: float = math.inf) -> Any:
        """The item, when there is one; None when there will be no more, or none came in so many seconds.

        Raises: what ended the thread that puts.
        """
        end = time.monotonic() + patience
        with self._changed:
            while self._item is None and not self._is_closed and (left := end - time.monotonic()) > 0:
                # With a limit, since a wait without one is not interrupted by signals everywhere.
                self._changed.wait(min(left, 0.5))
            if self._item is None and self._problem is not None:
                raise self._problem
            item, self._item = self._item, None
            self._changed.notify_all()
            return item

    def close(self, problem: BaseException | None = None) -> None:
        """Let nobody wait any longer; what was left last can still be taken."""
        with self._changed:
            self._is_closed = True
            self._problem = self._problem or problem
            self._changed.notify_all()
