"""Decoded pixels on disk, mapped into memory: every image is decoded once, and memory stays bounded."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from depthwise.cloud.folder import Item
from depthwise.edge.pixels import decode, prepare
from depthwise.errors import Refused

Pixels = NDArray[np.uint8]
# A picture longer than this many times its shorter side is cut to its middle before it is stored.
LONGEST = 3
IN_FLIGHT = 64


@dataclass(frozen=True)
class Unreadable:
    """An image that could not be used, and why."""

    item: Item
    reason: str


class Store:
    """Images of any size, by position; backed by an unnamed file that goes with the process.

    Attributes:
        labels: (N,) class of each image.
        items: the files, in the same order.
        unreadable: what was left out.
    """

    def __init__(self, items: Sequence[Item], transform: Callable[[Item], Pixels], tick: Callable[[], None]) -> None:
        # The file has no name, so nothing is left behind when the process is killed.
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="depthwise-")  # noqa: SIM115
        self._shapes: list[tuple[int, ...]] = []
        starts = [0]
        kept: list[Item] = []
        self.unreadable: list[Unreadable] = []
        for item, result in _transformed(items, transform):
            tick()
            if isinstance(result, Refused):
                self.unreadable.append(Unreadable(item, str(result)))
                continue
            self._file.write(result.tobytes())
            self._shapes.append(result.shape)
            starts.append(starts[-1] + result.size)
            kept.append(item)
        self._file.flush()
        self.items = tuple(kept)
        self.labels = np.array([item.label for item in kept], dtype=np.int64)
        self._starts = starts
        self._bytes: Pixels = (
            np.memmap(self._file, dtype=np.uint8, mode="r") if kept else np.zeros(0, dtype=np.uint8)  # type: ignore[call-overload]
        )

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Pixels:
        """(H, W, C) pixels of one image; a view, not to be written to."""
        return self._bytes[self._starts[index] : self._starts[index + 1]].reshape(self._shapes[index])

    def batch(self, indices: Sequence[int]) -> Pixels:
        """(B, H, W, C) pixels of images of one size."""
        return np.stack([self[i] for i in indices])


def training_store(items: Sequence[Item], *, channels: int, side: int, tick: Callable[[], None]) -> Store:
    """Images whose shorter side is reduced to `side` pixels where it is longer, to crop from at random."""

    def transform(item: Item) -> Pixels:
        image = _middle(decode(item.path, channels=channels))
        height, width = image.shape[:2]
        if min(height, width) <= side:
            return image
        scale = side / min(height, width)
        size = (max(side, round(width * scale)), max(side, round(height * scale)))
        return resized(image, size)

    return Store(items, transform, tick)


def evaluation_store(
    items: Sequence[Item], *, channels: int, resize: int, crop: int, tick: Callable[[], None]
) -> Store:
    """Images prepared exactly as the device prepares them, each crop x crop x channels."""
    return Store(items, lambda item: prepare(decode(item.path, channels=channels), resize=resize, crop=crop), tick)


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


def _transformed(items: Sequence[Item], transform: Callable[[Item], Pixels]) -> Iterator[tuple[Item, Pixels | Refused]]:
    """Results in order, with a bounded number of images in flight."""

    def attempt(item: Item) -> Pixels | Refused:
        try:
            return transform(item)
        except Refused as refusal:
            return refusal

    with ThreadPoolExecutor(max_workers=2) as pool:
        rest = iter(items)
        waiting = deque((item, pool.submit(attempt, item)) for item in islice(rest, IN_FLIGHT))
        while waiting:
            item, future = waiting.popleft()
            waiting.extend((following, pool.submit(attempt, following)) for following in islice(rest, 1))
            yield item, future.result()
