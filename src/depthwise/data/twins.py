"""The same image in two splits, which makes a measured accuracy too high."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from depthwise.data.contents import full_hash
from depthwise.data.folder import Item


def shared_files(first: Iterable[Item], second: Iterable[Item]) -> list[tuple[Path, Path]]:
    """Pairs of files with the same bytes, one of each split; only files of equal size are read."""
    sizes: dict[int, list[Path]] = {}
    for item in first:
        sizes.setdefault(_size(item.path), []).append(item.path)
    digests: dict[int, dict[bytes, Path]] = {}
    pairs = []
    for item in second:
        size = _size(item.path)
        if size < 0 or size not in sizes:
            continue
        if size not in digests:
            digests[size] = {_digest(path): path for path in reversed(sizes[size])}
        twin = digests[size].get(_digest(item.path))
        if twin is not None:
            pairs.append((twin, item.path))
    return pairs


def _size(path: Path) -> int:
    """Bytes of a file; -1 for what is no plain file, which is named later among what cannot be used."""
    with contextlib.suppress(OSError):
        if path.is_file():
            return path.stat().st_size
    return -1


def _digest(path: Path) -> bytes:
    # What cannot be read is equal to nothing else.
    return full_hash(path) or str(path).encode(errors="surrogateescape")
