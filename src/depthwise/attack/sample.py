"""The images that are attacked: drawn by their names, so that more of them are the same and others."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depthwise.attack.budget import Images
from depthwise.attack.subject import Ints
from depthwise.data.folder import Item, read_split
from depthwise.data.store import Unreadable, tell_unreadable
from depthwise.edge.pixels import Pixels
from depthwise.errors import Refused
from depthwise.evaluate.predictions import prepared
from depthwise.evaluate.predictor import Preparer
from depthwise.progress import Reporter


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """N images, at least one, in the order of their files.

    Attributes:
        data: the folder that was given.
        items: the files, with their right labels.
        images: (N, H, W, C) as the network takes them.
        numbers: of the images, by their names.
        unreadable: files that were left out.
        frames: the decoded files themselves, where they are attacked; else none.
    """

    data: Path
    items: tuple[Item, ...]
    images: Images
    numbers: tuple[int, ...]
    unreadable: tuple[Unreadable, ...]
    frames: tuple[Pixels, ...] = ()

    @property
    def labels(self) -> Ints:
        """(N,) right labels."""
        return np.array([item.label for item in self.items], np.int64)

    def digest(self) -> str:
        """Of what the images are, in hexadecimal."""
        found = hashlib.sha256(np.ascontiguousarray(self.images).data)
        for frame in self.frames:
            found.update(repr(frame.shape).encode() + np.ascontiguousarray(frame).data)
        found.update(self.labels.tobytes())
        found.update(repr(self.numbers).encode())
        return found.hexdigest()


def draw(
    data: str | os.PathLike[str],
    preparer: Preparer,
    *,
    count: int,
    seed: int,
    reporter: Reporter,
    whole: bool = False,
) -> Sample:
    """Some images of the test split of a folder, else of its validation split, else of all.

    Args:
        count: how many at most; 0 for all.
        whole: whether to keep the decoded files too.
    Raises: Refused, when the folder has a class that the network lacks, or no image can be read.
    """
    items = read_split(data, preparer.labels)
    root = Path(data)
    chosen = sorted(items, key=lambda item: _number(root, item, seed))[: count or None]
    ordered = sorted(chosen, key=lambda item: item.path)
    reader: Preparer = _Frames(preparer) if whole else preparer
    kept, images, unreadable = _read(ordered, reader, reporter)
    so = "cannot be read and are left out"
    tell_unreadable(unreadable, reporter, so=so, others="which are left out too")
    if not kept:
        raise Refused(f"{data}: none of its images can be used; the first: {unreadable[0].reason}")
    return Sample(
        data=root,
        items=tuple(kept),
        images=np.stack([preparer.prepare(frame) for frame in images] if whole else images),
        numbers=tuple(_number(root, item, 0) for item in kept),
        unreadable=tuple(unreadable),
        frames=tuple(images) if whole else (),
    )


class _Frames:
    """Leaves decoded images as they are."""

    def __init__(self, preparer: Preparer) -> None:
        self._preparer = preparer
        self.labels, self.channels, self.together = preparer.labels, preparer.channels, preparer.together

    def prepare(self, frame: Pixels) -> Pixels:
        """The frame."""
        return frame


def _read(
    items: Iterable[Item], preparer: Preparer, reporter: Reporter
) -> tuple[list[Item], list[Pixels], list[Unreadable]]:
    chosen = tuple(items)
    kept, images, unreadable = [], [], []
    reporter.begin("reading images", len(chosen))
    try:
        for part in prepared(preparer, chosen, reporter):
            for item, what in part:
                if isinstance(what, Refused):
                    unreadable.append(Unreadable(item, str(what)))
                else:
                    kept.append(item)
                    images.append(what)
    finally:
        reporter.end()
    return kept, images, unreadable


def _number(root: Path, item: Item, seed: int) -> int:
    """A number that depends on the seed and on where the file lies in the folder."""
    name = f"{seed}/{item.path.relative_to(root).as_posix()}".encode(errors="surrogateescape")
    return int.from_bytes(hashlib.sha256(name).digest()[:7])
