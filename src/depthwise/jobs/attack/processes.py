"""Who carries the parts of an attack out: this process, or several that open the target for themselves."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Iterable, Iterator
from multiprocessing.pool import Pool

from depthwise.attack.target import Target
from depthwise.attack.work import Arrays, Here, Part, Workers, perform
from depthwise.jobs.attack.target import Opening, opened


@contextlib.contextmanager
def workers(opening: Opening, target: Target, processes: int) -> Iterator[Workers]:
    """So many processes, each of which opens the target for itself; or this one, in which it is open."""
    if processes <= 1:
        yield Here(target)
        return
    # Not by fork: a forked process would have PyTorch's locks without its threads.
    pool = multiprocessing.get_context("spawn").Pool(processes, initializer=_open_here, initargs=(opening,))
    try:
        yield _Several(pool, processes)
    finally:
        pool.terminate()
        pool.join()


class _Several:
    """Several processes."""

    def __init__(self, pool: Pool, processes: int) -> None:
        self._pool, self.processes = pool, processes

    def results(self, parts: Iterable[Part]) -> Iterator[Arrays]:
        """In the order of the parts."""
        return self._pool.imap(_perform_here, parts)


_HELD = contextlib.ExitStack()
_TARGET: list[Target] = []


def _open_here(opening: Opening) -> None:
    # Ctrl+C is for the first process, which ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _TARGET[:] = [_HELD.enter_context(opened(opening))]


def _perform_here(part: Part) -> Arrays:
    return perform(_TARGET[0], part)
