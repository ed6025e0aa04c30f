"""The same picture, or one of the same series, in two splits, which makes a measured accuracy too high."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from depthwise.data.contents import full_hash, size_of
from depthwise.data.folder import Item
from depthwise.data.likeness import Looks, alike
from depthwise.data.series import shared_series
from depthwise.progress import Reporter


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """Measured files that are too close to files that were trained on.

    Attributes:
        what: they are, after their number: "are also among ...".
        pairs: a training file and a measured file each.
    """

    what: str
    pairs: tuple[tuple[Path, Path], ...]

    def sentence(self, measured: str) -> str:
        """What is wrong, and with which files; `measured` says of which images."""
        first, second = self.pairs[0]
        return (
            f"{len(self.pairs):,} of the {measured} images {self.what}, which makes the {measured} accuracy too high;"
            f" the first is {second}, beside {first}"
        )


def crossings(trained: Sequence[Item], measured: Sequence[Item], looks: Looks, reporter: Reporter) -> list[Crossing]:
    """What lies across two splits: the same bytes, the same looks, the same series; a file counts for the first."""
    rest = list(measured)
    found = []
    for what, find in (
        ("are also among those trained on", shared_files),
        ("look the same as images trained on (saved anew, or taken a moment later)", _alike(looks, reporter)),
        ("are by their names of series (or copies) of images trained on", shared_series),
    ):
        pairs = find(trained, rest) if trained and rest else []
        if pairs:
            found.append(Crossing(what=what, pairs=tuple(pairs)))
        known = {second for _, second in pairs}
        rest = [item for item in rest if item.path not in known]
    return found


def _alike(looks: Looks, reporter: Reporter) -> Callable[[Sequence[Item], Sequence[Item]], list[tuple[Path, Path]]]:
    def find(first: Sequence[Item], second: Sequence[Item]) -> list[tuple[Path, Path]]:
        vectors = looks.of([item.path for item in (*first, *second)], reporter)
        pairs = alike(vectors[: len(first)], vectors[len(first) :])
        return [(first[one].path, second[other].path) for one, other in pairs]

    return find


def shared_files(first: Iterable[Item], second: Iterable[Item]) -> list[tuple[Path, Path]]:
    """Pairs of files with the same bytes, one of each split; only files of equal size are read."""
    sizes: dict[int, list[Path]] = {}
    for item in first:
        sizes.setdefault(size_of(item.path), []).append(item.path)
    digests: dict[int, dict[bytes, Path]] = {}
    pairs = []
    for item in second:
        size = size_of(item.path)
        if size < 0 or size not in sizes:
            continue
        if size not in digests:
            digests[size] = {_digest(path): path for path in reversed(sizes[size])}
        twin = digests[size].get(_digest(item.path))
        if twin is not None:
            pairs.append((twin, item.path))
    return pairs


def _digest(path: Path) -> bytes:
    # What cannot be read is equal to nothing else.
    return full_hash(path) or str(path).encode(errors="surrogateescape")
