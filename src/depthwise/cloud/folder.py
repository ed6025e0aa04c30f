"""A folder of images as classes and splits, and what is wrong with it, before training starts."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from depthwise.errors import Refused

# What Pillow reads and people keep photos in; other files in a class folder are ignored.
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".avif")
SPLITS = {"train": ("train", "training"), "validation": ("validation", "val", "valid"), "test": ("test", "testing")}
VALIDATION_SHARE = 0.15


@dataclass(frozen=True)
class Item:
    """One image file and the index of its class."""

    path: Path
    label: int


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Classes, in the order of their names, and the files of each split; a split may be empty."""

    labels: tuple[str, ...]
    train: tuple[Item, ...]
    validation: tuple[Item, ...]
    test: tuple[Item, ...]

    def counts(self, split: tuple[Item, ...]) -> list[int]:
        """Number of files of each class in a split."""
        found = Counter(item.label for item in split)
        return [found[label] for label in range(len(self.labels))]


def read_folder(data: str | os.PathLike[str], *, seed: int = 0) -> Dataset:
    """The dataset in a folder of class folders, or in one with train/validation(/test) in it.

    Without a validation split, every seventh or so file of each class (15%) is taken from the training files:
    which ones depends on the seed and the file's name alone, so adding files moves no others.

    Raises: Refused, when there is no such folder, fewer than two classes, or a class without an image.
    """
    root = Path(data)
    if not root.is_dir():
        raise Refused(f"{root}: there is no such folder; give a folder that has one folder of images a class")
    places = {split: _first_folder(root, names) for split, names in SPLITS.items()}
    top = places["train"] or root
    if places["train"] is None and (places["validation"] or places["test"]):
        raise Refused(f"{root}: has a folder for validation or test but none named train; add it")
    labels = tuple(sorted(entry.name for entry in top.iterdir() if entry.is_dir() and not entry.name.startswith(".")))
    _check_classes(top, labels)
    train = _items(top, labels)
    _check_counts(top, labels, train)
    validation, test = ((_split(places[name], labels)) for name in ("validation", "test"))
    if not validation:
        train, validation = _hold_out(top, train, seed)
    return Dataset(labels=labels, train=train, validation=validation, test=test)


def read_split(data: str | os.PathLike[str], labels: tuple[str, ...]) -> tuple[Item, ...]:
    """Files to evaluate on: the test split of a folder, else its validation split, else its class folders.

    Raises: Refused, when a class of the folder is unknown to `labels`, or nothing is found.
    """
    root = Path(data)
    if not root.is_dir():
        raise Refused(f"{root}: there is no such folder; give a folder that has one folder of images a class")
    place = _first_folder(root, SPLITS["test"]) or _first_folder(root, SPLITS["validation"]) or root
    items = _split(place, labels)
    if not items:
        raise Refused(f"{place}: has no image of a class that the model knows ({', '.join(labels[:3])}, ...)")
    return items


def shared_files(first: Iterable[Item], second: Iterable[Item]) -> list[tuple[Path, Path]]:
    """Pairs of files with the same bytes, one of each split; only files of equal size are read."""
    sizes: dict[int, list[Path]] = {}
    for item in first:
        sizes.setdefault(item.path.stat().st_size, []).append(item.path)
    digests: dict[bytes, Path] = {}
    pairs = []
    read: set[Path] = set()
    for item in second:
        for path in sizes.get(item.path.stat().st_size, []):
            if path not in read:
                read.add(path)
                digests.setdefault(_digest(path), path)
        if item.path.stat().st_size in sizes:
            twin = digests.get(_digest(item.path))
            if twin is not None:
                pairs.append((twin, item.path))
    return pairs


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _first_folder(root: Path, names: tuple[str, ...]) -> Path | None:
    return next((root / name for name in names if (root / name).is_dir()), None)


def _items(top: Path, labels: tuple[str, ...]) -> tuple[Item, ...]:
    return tuple(
        Item(path, index)
        for index, label in enumerate(labels)
        for path in sorted((top / label).rglob("*"))
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    )


def _split(place: Path | None, labels: tuple[str, ...]) -> tuple[Item, ...]:
    if place is None:
        return ()
    found = {entry.name for entry in place.iterdir() if entry.is_dir() and not entry.name.startswith(".")}
    unknown = sorted(found - set(labels))
    if unknown:
        raise Refused(
            f"{place}: class {unknown[0]!r} is not one of the classes trained on; rename or remove the folder"
        )
    return tuple(item for item in _items(place, labels))


def _check_classes(top: Path, labels: tuple[str, ...]) -> None:
    if not labels:
        raise Refused(f"{top}: has no class folders; put the images of each class into a folder named after it")
    if len(labels) == 1:
        raise Refused(f"{top}: has a single class, {labels[0]!r}; a classifier needs at least two")


def _check_counts(top: Path, labels: tuple[str, ...], items: tuple[Item, ...]) -> None:
    filled = {item.label for item in items}
    empty = [label for index, label in enumerate(labels) if index not in filled]
    if empty:
        others = f" (and {len(empty) - 1} more classes)" if len(empty) > 1 else ""
        raise Refused(f"{top}: class {empty[0]!r} has no image{others}; add images or remove the folder")


def _hold_out(top: Path, items: tuple[Item, ...], seed: int) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Split stratified: in each class, the files whose hash comes first are held out, at least one of two."""
    kept: list[Item] = []
    held: list[Item] = []
    classes: dict[int, list[Item]] = {}
    for item in items:
        classes.setdefault(item.label, []).append(item)
    for members in classes.values():
        order = sorted(members, key=lambda item: _rank(item.path.relative_to(top), seed))
        count = min(max(1, round(VALIDATION_SHARE * len(order))), len(order) - 1)
        held += order[:count]
        kept += order[count:]
    return tuple(sorted(kept, key=lambda i: i.path)), tuple(sorted(held, key=lambda i: i.path))


def _rank(path: Path, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}/{path.as_posix()}".encode()).digest()
