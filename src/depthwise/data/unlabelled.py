"""A plain folder of pictures, of which nobody has said what they show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from depthwise.data.folder import SPLITS, Item, hold_out
from depthwise.data.likeness import Looks
from depthwise.data.shards.reading import is_shards, open_shards
from depthwise.edge.files import image_files
from depthwise.edge.pixels import SUFFIXES
from depthwise.errors import Refused

# One to calibrate with and one to compare on.
FEWEST = 2


def is_plain(data: Path, labels: tuple[str, ...]) -> bool:
    """Whether a folder has pictures of its own, and no folder that is named after a label or a split."""
    try:
        entries = [entry for entry in data.iterdir() if not entry.name.startswith(".")]
        folders = {entry.name for entry in entries if entry.is_dir()}
        pictures = any(entry.suffix.lower() in SUFFIXES for entry in entries if entry.name not in folders)
    except OSError:
        return False  # who reads the folder says so
    splits = {name for names in SPLITS.values() for name in names}
    return pictures and not folders & set(labels) and not {name.lower() for name in folders} & splits


def read_plain(data: Path, *, seed: int = 0) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Files to calibrate with, and those held out, some 15% as `read_folder` takes them; folders inside are searched.

    All have label 0, which says nothing.
    Raises: Refused, when a folder cannot be read or there are too few pictures.
    """
    items = [Item(path, 0) for path in every_picture(data)]
    if len(items) < FEWEST:
        raise Refused(f"{data}: has a single picture; some are needed to calibrate with and others to compare on")
    return hold_out(data, tuple(items), seed, Looks())


def every_picture(data: Path) -> Iterator[Path]:
    """Each image of a folder, whatever the folders in it are, or of shards.

    Raises: Refused, when there is no such folder, it cannot be read, or holds no image.
    """
    if is_shards(data):
        for _, items in open_shards(data).each():
            yield from (item.path for item in items)
        return
    if not data.is_dir():
        raise Refused(f"{data}: there is no such folder; give a folder of pictures")
    for path in image_files([data]):
        if isinstance(path, Refused):
            raise path
        yield path
