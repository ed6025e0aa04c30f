"""Parts on the cores of this machine; a process that dies takes its part with it, which is then done again."""

from __future__ import annotations

import multiprocessing
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from depthwise.errors import Refused
from depthwise.jobs.classify.labels import Labeller, Labelling, Part, Rows

# Parts that wait for each process, so that none waits for this one.
AHEAD = 2
# How often a part may end the process that works on it.
DEATHS = 3
_HERE: list[Labeller] = []


def here(parts: Iterator[Part], how: Labelling) -> Iterator[tuple[Part, Rows]]:
    """One after the other, in this process."""
    labeller = Labeller(how)
    try:
        for part in parts:
            yield part, labeller.answer(part)
    finally:
        labeller.close()


def several(parts: Iterator[Part], how: Labelling, processes: int) -> Iterator[tuple[Part, Rows]]:
    """Each part once, as they come, from so many processes.

    Raises: Refused, when processes die over the same part again and again.
    """
    deaths: Counter[int] = Counter()
    waiting: dict[int, Part] = {}
    while True:
        try:
            yield from _until_one_dies(waiting, parts, how, processes)
            return
        except BrokenProcessPool:
            deaths.update(list(waiting))
        number, count = deaths.most_common(1)[0]
        if count >= DEATHS:
            raise Refused(
                f"processes ended without a word {DEATHS} times while they labelled {waiting[number].names[0]} and"
                " those after it (for want of memory?); give fewer --processes, or leave those images out"
            )


def _until_one_dies(
    waiting: dict[int, Part], parts: Iterator[Part], how: Labelling, processes: int
) -> Iterator[tuple[Part, Rows]]:
    """Parts that wait for their rows, by number, and then others; a part waits until its rows were taken.

    Raises: BrokenProcessPool, when a process dies.
    """
    # Not by fork, which a process with threads is not to do.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_open, initargs=(how,))
    futures: dict[Future[Rows], Part] = {}
    try:
        for part in waiting.values():
            futures[pool.submit(_answer, part)] = part
        while True:
            for part in islice(parts, max(0, processes * AHEAD - len(futures))):
                waiting[part.number] = part
                futures[pool.submit(_answer, part)] = part
            if not futures:
                return
            for future in wait(futures, return_when=FIRST_COMPLETED).done:
                rows, part = future.result(), futures.pop(future)
                yield part, rows
                del waiting[part.number]
    finally:
        pool.shutdown(cancel_futures=True)


def _open(how: Labelling) -> None:
    # Ctrl+C is for the first process, which ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _HERE[:] = [Labeller(how)]


def _answer(part: Part) -> Rows:
    return _HERE[0].answer(part)
