"""What a teacher says of every picture of a list, kept in a file that grows row by row."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from depthwise.cloud.teach.frames import Frames
from depthwise.cloud.teach.teacher import VIEWS, Floats, Teacher
from depthwise.data.folder import Item
from depthwise.data.turns import Turns
from depthwise.errors import Refused

Halves = NDArray[np.float16]

# Pictures that a thread looks at before it hands over.
TOGETHER = 32


def rows_of(rank: int, size: int, rows: int) -> NDArray[np.intp]:
    """Which of so many rows a process of several asks about: whole groups, so that each row has the same rows beside it
    for any number of processes."""
    groups = [np.arange(start, min(start + TOGETHER, rows)) for start in range(rank * TOGETHER, rows, size * TOGETHER)]
    return np.concatenate([np.empty(0, np.intp), *groups]).astype(np.intp)


def numbers(
    teacher: Teacher, items: Sequence[Item], file: Path, threads: int, advance: Callable[[int], None]
) -> Halves:
    """(N, VIEWS, width) numbers of all pictures, in their order, mapped from `file`.

    What an earlier call wrote into the file is kept; the caller names the file after all that the numbers depend on.

    Args:
        threads: that look at pictures at the same time.
        advance: told how many more rows are there.
    Raises: Refused, when the file cannot be written, a picture cannot be read any more, or the teacher says what is no
        number.
    """
    shape = (VIEWS, teacher.width)
    try:
        with file.open("ab") as out:
            row = 2 * VIEWS * teacher.width
            # What a kill cut off is asked anew, with all that it was asked with: what a network says of a picture may
            # differ in its last bit with the pictures beside it.
            whole = min(os.fstat(out.fileno()).st_size // row, len(items))
            there = whole if whole == len(items) else whole // TOGETHER * TOGETHER
            out.truncate(there * row)
            advance(there)
            _append(teacher, items[there:], out, threads, advance)
        if not items:
            return np.empty((0, *shape), dtype=np.float16)
        return np.memmap(file, dtype=np.float16, mode="r", shape=(len(items), *shape))
    except OSError as problem:
        raise Refused(
            f"{file}: what the teacher says cannot be kept there ({problem.strerror}); free some space, then go on by"
            " --resume"
        ) from None


def _append(
    teacher: Teacher, items: Sequence[Item], out: IO[bytes], threads: int, advance: Callable[[int], None]
) -> None:
    turns = Turns()

    def said(part: Sequence[Item]) -> Halves:
        found = teacher.look(Frames([item.path for item in part], teacher.channels, turns))
        with np.errstate(over="ignore", invalid="ignore"):
            kept = found.astype(np.float16)
        _check_finite(teacher, found, kept, part)
        return kept

    for found in _in_order(
        said, [items[start : start + TOGETHER] for start in range(0, len(items), TOGETHER)], threads
    ):
        out.write(found.tobytes())
        advance(len(found))


def _check_finite(teacher: Teacher, found: Floats, kept: Halves, part: Sequence[Item]) -> None:
    strange = np.argwhere(~np.isfinite(kept))
    if len(strange):
        number, path = found[tuple(strange[0])], part[strange[0][0]].path
        raise Refused(
            f"--distill {teacher.name}: says {number:g} of {path}, and a teacher's numbers are finite and at most"
            f" {np.finfo(np.float16).max:,.0f}; give another teacher, or mend its weights"
        )


def _in_order(
    work: Callable[[Sequence[Item]], Halves], parts: Sequence[Sequence[Item]], threads: int
) -> Iterator[Halves]:
    """Results in order, with a bounded number under way."""
    pool = ThreadPoolExecutor(max_workers=threads)
    try:
        rest = iter(parts)
        waiting = deque(pool.submit(work, part) for part in islice(rest, threads + 2))
        while waiting:
            found = waiting.popleft().result()
            waiting.extend(pool.submit(work, part) for part in islice(rest, 1))
            yield found
    finally:
        pool.shutdown(cancel_futures=True)
