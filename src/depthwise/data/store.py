"""Decoded pixels on disk, mapped into memory: every image is decoded once, and memory stays bounded."""

from __future__ import annotations

import tempfile
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


class Store:
    """Images of any size, by position; backed by an unnamed file that goes with the process.

    Args:
        folder: where the file lies; None for the system's folder for temporary files.

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
    ) -> None:
        self.unreadable: list[Unreadable] = []
        self._shapes: list[tuple[int, ...]] = []
        self._starts = [0]
        kept: list[Item] = []
        try:
            # The file has no name, so nothing is left behind when the process is killed.
            self._file: IO[bytes] = tempfile.TemporaryFile(prefix="depthwise-", dir=folder)  # noqa: SIM115
            for item, result in _transformed(items, transform):
                tick()
                if isinstance(result, Refused):
                    self.unreadable.append(Unreadable(item, str(result)))
                else:
                    self._append(result)
                    kept.append(item)
            self._file.flush()
        except OSError as problem:
            place = folder or tempfile.gettempdir()
            raise Refused(
                f"{place}: the pixels of the images cannot be kept there ({problem.strerror}); free some space"
            ) from None
        self.items = tuple(kept)
        self.labels = np.array([item.label for item in kept], dtype=np.int64)
        self._bytes: Pixels = np.memmap(self._file, dtype=np.uint8, mode="r") if kept else np.zeros(0, dtype=np.uint8)

    def _append(self, image: Pixels) -> None:
        self._file.write(np.ascontiguousarray(image).data)
        self._shapes.append(image.shape)
        self._starts.append(self._starts[-1] + image.size)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Pixels:
        """(H, W, C) pixels of one image; a view, not to be written to."""
        return self._bytes[self._starts[index] : self._starts[index + 1]].reshape(self._shapes[index])

    @property
    def packed(self) -> Pixels:
        """(bytes,) of all images, one behind the other; a view, not to be written to."""
        return self._bytes

    @property
    def starts(self) -> NDArray[np.int64]:
        """(N,) where each image begins in `packed`."""
        return np.array(self._starts[:-1], dtype=np.int64)

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

    return Store(items, transform, tick, folder)


def evaluation_store(
    items: Sequence[Item], wanted: Preprocessing, *, tick: Callable[[], None], folder: Path | None = None
) -> Store:
    """Images prepared exactly as the device prepares them, each crop x crop x channels."""

    def transform(item: Item, admit: Admit) -> Pixels:
        """The square that the network takes."""
        return square(decode(item.path, wanted.channels, admit), wanted)

    return Store(items, transform, tick, folder)


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


def _transformed(
    items: Sequence[Item], transform: Callable[[Item, Admit], Pixels]
) -> Iterator[tuple[Item, Pixels | Refused]]:
    """Results in order, with a bounded number of images in flight."""
    turns = Turns()

    def attempt(item: Item) -> Pixels | Refused:
        """One image, or why there is none."""
        try:
            with turns.turn() as admit:
                # Copied, since a view of a part would keep the whole image in memory.
                return np.array(transform(item, admit))
        except Unreachable:
            raise
        except Refused as refusal:
            return refusal

    pool = ThreadPoolExecutor(max_workers=WORKERS)
    try:
        rest = iter(items)
        waiting = deque((item, pool.submit(attempt, item)) for item in islice(rest, IN_FLIGHT))
        while waiting:
            item, future = waiting.popleft()
            waiting.extend((following, pool.submit(attempt, following)) for following in islice(rest, 1))
            yield item, future.result()
    finally:
        pool.shutdown(cancel_futures=True)
