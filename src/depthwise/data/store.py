"""Decoded pixels on disk, mapped into memory: every image is decoded once, and memory stays bounded.

Of several processes each decodes a part of the images, to see which can be used, and tells the others; of theirs it
decodes those that it is asked for, when it is first asked.
"""

from __future__ import annotations

import contextlib
import math
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from depthwise.data.crew import ALONE, Crew, shared
from depthwise.data.folder import Item
from depthwise.data.turns import Turns
from depthwise.edge.pixels import decode, prepare
from depthwise.errors import Refused, Unreachable
from depthwise.network.preprocessing import Preprocessing
from depthwise.progress import Reporter

Pixels = NDArray[np.uint8]
# What `decode` tells how much memory it is about to take.
Admit = Callable[[int], None]
# A picture longer than this many times its shorter side is cut to its middle before it is stored.
LONGEST = 3
# How many files a notice names.
NAMED = 5
# Threads that decode.
WORKERS = 2
# Reduced images that may wait for their turn to be written.
IN_FLIGHT = 64


@dataclass(frozen=True)
class Unreadable:
    """An image that could not be used, and why."""

    item: Item
    reason: str


class Lost(Refused):
    """An image that another process found, and that this one alone cannot have: the others do not know of it."""


class Store:
    """Images of any size, by position; backed by an unnamed file that goes with the process.

    Args:
        folder: where the file lies; None for the system's folder for temporary files.
        crew: the processes that each make a store of the same items, all of them together.

    Attributes:
        labels: (N,) class of each image.
        items: the files, in the same order.
        unreadable: what was left out.

    Raises: Refused, when there is no room for the pixels.
    """

    def __init__(
        self,
        items: Sequence[Item],
        transform: Callable[[Item, Admit], Pixels],
        tick: Callable[[], None],
        folder: Path | None = None,
        crew: Crew = ALONE,
    ) -> None:
        self._transform, self._turns, self._lock = transform, Turns(), threading.Lock()
        self._place = folder or Path(tempfile.gettempdir())

        def read(part: Sequence[Item]) -> list[tuple[int, ...] | str]:
            """Shapes of the images of this process's part, or why one cannot be used; their pixels are in the file."""
            with self._keeping():
                # The file has no name, so nothing is left behind when the process is killed.
                self._file: IO[bytes] = tempfile.TemporaryFile(prefix="depthwise-", dir=folder)  # noqa: SIM115
                found = [self._append(result) for result in _transformed(part, self._attempt, tick)]
                self._file.flush()
            return found

        found = shared(crew, items, read)
        there = [place for place, one in enumerate(found) if not isinstance(one, str)]
        self.unreadable = [Unreadable(items[at], one) for at, one in enumerate(found) if isinstance(one, str)]
        self.items = tuple(items[place] for place in there)
        self.labels = np.array([item.label for item in self.items], dtype=np.int64)
        self._shapes = [one for one in found if not isinstance(one, str)]
        self._there = np.array([place % crew.size == crew.rank for place in there], dtype=bool)
        self.starts = _starts(self._shapes, self._there)
        self.nbytes = sum(map(math.prod, self._shapes))
        if not self._there.all():
            with self._keeping():
                self._file.truncate(self.nbytes)
        self._bytes: Pixels = (
            np.memmap(self._file, dtype=np.uint8, mode="r", shape=(self.nbytes,))
            if self.items
            else np.zeros(0, dtype=np.uint8)
        )

    @contextlib.contextmanager
    def _keeping(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            raise Refused(
                f"{self._place}: the pixels of the images cannot be kept there ({problem.strerror}); free some space"
            ) from None

    def _attempt(self, item: Item) -> Pixels | Refused:
        """One image, or why there is none."""
        try:
            with self._turns.turn() as admit:
                # Copied, since a view of a part would keep the whole image in memory.
                return np.array(self._transform(item, admit))
        except Unreachable:
            raise
        except Refused as refusal:
            return refusal

    def _append(self, result: Pixels | Refused) -> tuple[int, ...] | str:
        if isinstance(result, Refused):
            return str(result)
        self._file.write(np.ascontiguousarray(result).data)
        return result.shape

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Pixels:
        """(H, W, C) pixels of one image; a view, not to be written to.

        Raises: Lost, when another process found the image and this one cannot read it, or finds another.
        """
        if not self._there[index]:
            return self._fetched(index)
        start, shape = self.starts[index], self._shapes[index]
        return self._bytes[start : start + math.prod(shape)].reshape(shape)

    def _fetched(self, index: int) -> Pixels:
        """An image of another process's part, kept from now on where the disk has room for it."""
        item = self.items[index]
        try:
            image = self._attempt(item)
        except Unreachable as gone:
            raise Lost(str(gone)) from None
        if isinstance(image, Refused):
            raise Lost(f"{image}; another process could read it")
        if image.shape != self._shapes[index]:
            raise Lost(f"{item.path}: is not the same image on all machines; copy it again")
        content = np.ascontiguousarray(image).data
        with self._lock, contextlib.suppress(OSError):
            # Past the buffer, in which what finds no room would stay.
            raw = getattr(self._file, "raw", self._file)
            raw.seek(int(self.starts[index]))
            self._there[index] = raw.write(content) == content.nbytes
        return image

    @property
    def packed(self) -> Pixels:
        """(bytes,) of all images, one behind the other; a view, not to be written to.

        Raises: Refused, when there is no room for them.
        """
        for index in np.flatnonzero(~self._there):
            self._fetched(int(index))
        if not self._there.all():
            raise Refused(f"{self._place}: has no room for the pixels of all images; free some space")
        return self._bytes

    def shape(self, index: int) -> tuple[int, ...]:
        """(H, W, C) of one image."""
        return self._shapes[index]

    def batch(self, indices: Sequence[int]) -> Pixels:
        """(B, H, W, C) pixels of images of one size."""
        return np.stack([self[i] for i in indices])


def training_store(
    items: Sequence[Item],
    *,
    channels: int,
    side: int,
    tick: Callable[[], None],
    folder: Path | None = None,
    mode: str = "crop",
    fill: tuple[int, ...] = (),
    crew: Crew = ALONE,
) -> Store:
    """Images to crop from at random: their shorter side is reduced to `side` pixels where it is longer.

    Where the device squashes or fits its pictures (`mode`, `fill`), they are squares of that side made in that way.
    """

    def transform(item: Item, admit: Admit) -> Pixels:
        """The square that is asked for; or the picture to crop from, of which the middle is kept where it is long."""
        whole = decode(item.path, channels, admit)
        if mode != "crop":
            return prepare(whole, resize=side, crop=side, mode=mode, fill=fill)
        image = _middle(whole)
        height, width = image.shape[:2]
        if min(height, width) <= side:
            return image
        scale = side / min(height, width)
        size = (max(side, round(width * scale)), max(side, round(height * scale)))
        return resized(image, size)

    return Store(items, transform, tick, folder, crew)


def evaluation_store(
    items: Sequence[Item],
    wanted: Preprocessing,
    *,
    tick: Callable[[], None],
    folder: Path | None = None,
    crew: Crew = ALONE,
) -> Store:
    """Images prepared exactly as the device prepares them, each crop x crop x channels."""

    def transform(item: Item, admit: Admit) -> Pixels:
        """The square that the network takes."""
        return square(decode(item.path, wanted.channels, admit), wanted)

    return Store(items, transform, tick, folder, crew)


def read_prepared(items: Sequence[Item], wanted: Preprocessing, reporter: Reporter, task: str) -> Store:
    """The same, as a task whose progress is reported."""
    reporter.begin(task, len(items))
    try:
        return evaluation_store(items, wanted, tick=reporter.advance)
    finally:
        reporter.end()


def tell_unreadable(unreadable: Sequence[Unreadable], reporter: Reporter, *, so: str, others: str) -> None:
    """Name the first images that cannot be used.

    Args:
        so: what follows of it.
        others: where those stand that are not shown here.
    """
    if unreadable:
        reporter.notice(f"warning: {len(unreadable):,} images {so}:")
        for entry in unreadable[:NAMED]:
            reporter.notice(f"  {entry.reason}")
        if len(unreadable) > NAMED:
            reporter.notice(f"  and {len(unreadable) - NAMED:,} more, {others}")


def square(image: Pixels, wanted: Preprocessing) -> Pixels:
    """A decoded image as the square of bytes that a network takes."""
    return prepare(
        image, resize=wanted.resize, crop=wanted.crop, mode=wanted.mode, fill=wanted.fill, filter=wanted.filter
    )


def resized(image: Pixels, size: tuple[int, int], box: tuple[float, float, float, float] | None = None) -> Pixels:
    """Antialiased bilinear resize of (H, W, C) pixels, or of a box in them, to (width, height)."""
    grey = image.shape[2] == 1
    picture = Image.fromarray(image[:, :, 0] if grey else image)
    out = np.asarray(picture.resize(size, Image.Resampling.BILINEAR, box=box))
    return out[:, :, None] if grey else out


def _middle(image: Pixels) -> Pixels:
    height, width = image.shape[:2]
    longest = LONGEST * min(height, width)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    return image[top : top + min(height, longest), left : left + min(width, longest)]


def _starts(shapes: Sequence[tuple[int, ...]], there: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Where each image begins in the file: first those that are there, one behind the other, then all others."""
    order = np.argsort(~there, kind="stable")
    sizes = np.array([math.prod(shape) for shape in shapes], dtype=np.int64)[order]
    starts = np.empty(len(shapes), dtype=np.int64)
    starts[order] = np.cumsum(sizes) - sizes
    return starts


def _transformed(
    items: Sequence[Item], attempt: Callable[[Item], Pixels | Refused], tick: Callable[[], None]
) -> Iterator[Pixels | Refused]:
    """Results in order, with a bounded number of images in flight."""
    pool = ThreadPoolExecutor(max_workers=WORKERS)
    try:
        rest = iter(items)
        waiting = deque(pool.submit(attempt, item) for item in islice(rest, IN_FLIGHT))
        while waiting:
            future = waiting.popleft()
            waiting.extend(pool.submit(attempt, following) for following in islice(rest, 1))
            tick()
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)
