"""Files told by what they hold: a picture is the same one under any name, in any folder."""

from __future__ import annotations

import contextlib
import hashlib
import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from depthwise.data.crew import ALONE, Crew, shared

# A model keeps so many hashes of the files that it was trained on, each of so many hexadecimal digits.
SAMPLE, DIGITS = 256, 16


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """How many of some files are among those that a sample was taken of.

    Attributes:
        found: files whose hash is in the sample.
        compared: files whose hash would be in the sample if they were among its files.
        first: one of the files found.
    """

    found: int
    compared: int
    first: Path

    @property
    def share(self) -> float:
        """Of all the files, as estimated from those that can be compared; 0 to 1."""
        return self.found / self.compared


def content_sample(paths: Sequence[Path], crew: Crew = ALONE) -> list[str]:
    """The least `SAMPLE` hashes of files, each once, in order; of fewer files all. Each process reads a part of them.

    Which files these are depends on their content alone. Of any part of the files it has the share that the part has of
    all: a part of a hundredth, with some files in the sample, is still found.
    """
    hashes = shared(crew, paths, lambda part: [content_hash(path) for path in part])
    return heapq.nsmallest(SAMPLE, {digest for digest in hashes if digest})


def merged_samples(first: Iterable[str], second: Iterable[str]) -> list[str]:
    """The sample of the files of two samples together; what of the second is no hash of ours is left out."""
    usable = {one for one in second if isinstance(one, str) and len(one) == DIGITS}
    return heapq.nsmallest(SAMPLE, {*first, *usable})


def overlap(paths: Iterable[Path], sample: Iterable[str]) -> Overlap | None:
    """How many of these files are among those that `sample` was taken of by `content_sample`; None where none is.

    Only files whose hash does not exceed the largest of the sample are compared, since the sample has no other.
    """
    known = set(sample)
    bound = max(known, default="")
    comparable = {path: digest for path in paths if (digest := content_hash(path)) and digest <= bound}
    found = [path for path, digest in comparable.items() if digest in known]
    return Overlap(found=len(found), compared=len(comparable), first=found[0]) if found else None


def content_hash(path: Path) -> str:
    """The first digits of the SHA-256 of a file's bytes, in hexadecimal; empty where it cannot be read."""
    return full_hash(path).hex()[:DIGITS]


def size_of(path: Path) -> int:
    """Bytes of a file; -1 for what is no plain file, which is named later among what cannot be used."""
    with contextlib.suppress(OSError):
        if path.is_file():
            return path.stat().st_size
    return -1


def full_hash(path: Path) -> bytes:
    """SHA-256 of a file's bytes; empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return b""
