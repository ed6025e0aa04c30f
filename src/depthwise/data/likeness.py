"""Pictures that look the same though their bytes differ: saved anew, smaller, brighter, or taken a moment later."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from depthwise.data.crew import ALONE, Crew, own, shared
from depthwise.edge.decoding import picture
from depthwise.errors import Refused, Unreachable
from depthwise.progress import Reporter

Vectors = NDArray[np.float32]
# A picture is compared as so many squares a side, each with its mean red, green and blue.
SIDE = 8
LENGTH = SIDE * SIDE * 3
# Two pictures look the same when their vectors correlate above this. docs/training.md says what that finds.
ALIKE = 0.98
# Standard deviation of the squares of a colour, of 255, below which a picture is too plain to be told from others.
FAINT = 8.0
# JPEG files are decoded at a fraction of their size, at least this.
LEAST_SIDE = 64
WORKERS = 2
TOGETHER = 1024  # rows that are compared at a time


class Looks:
    """What pictures look like, each looked at once.

    Args:
        crew: the processes that ask for the same pictures, all of them together.
    """

    def __init__(self, crew: Crew = ALONE) -> None:
        self._crew = crew
        self._known: dict[Path, Vectors] = {}

    def of(self, paths: Sequence[Path], reporter: Reporter) -> Vectors:
        """(N, LENGTH) of length 1 and mean 0; all 0 for a picture that is plain or cannot be read."""
        missing = [path for path in dict.fromkeys(paths) if path not in self._known]
        if missing:
            reporter.begin("looking for pictures that are alike", len(own(self._crew, missing)))
            try:
                found = shared(self._crew, missing, lambda part: _vectors(part, reporter))
            finally:
                reporter.end()
            self._known.update(zip(missing, found, strict=True))
        return np.array([self._known[path] for path in paths], dtype=np.float32).reshape(-1, LENGTH)


def alike(first: Vectors, second: Vectors) -> list[tuple[int, int]]:
    """Pairs (row of `first`, row of `second`) that look the same: for each of `second` the likest of `first`."""
    found: list[tuple[int, int]] = []
    if not len(first):
        return found
    for start in range(0, len(second), TOGETHER):
        products = second[start : start + TOGETHER] @ first.T
        best = products.argmax(axis=1)
        rows = np.flatnonzero(products[np.arange(len(best)), best] > ALIKE)
        found += [(int(best[row]), start + int(row)) for row in rows]
    return found


def alike_within(vectors: Vectors) -> list[tuple[int, int]]:
    """Pairs of rows that look the same, the lower number first."""
    found: list[tuple[int, int]] = []
    for start in range(0, len(vectors), TOGETHER):
        products = vectors[start : start + TOGETHER] @ vectors.T
        for row, column in np.argwhere(products > ALIKE).tolist():
            if start + row < column:
                found.append((start + row, column))
    return found


def _vectors(paths: Sequence[Path], reporter: Reporter) -> list[Vectors]:
    found = []
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        for vector in pool.map(_vector, paths):
            found.append(vector)
            reporter.advance()
    return found


def _vector(path: Path) -> Vectors:
    try:
        small = picture(path, least=LEAST_SIDE).resize((SIDE, SIDE), Image.Resampling.BOX)
    except Unreachable:
        raise
    except Refused:
        return np.zeros(LENGTH, dtype=np.float32)
    values = np.asarray(small, dtype=np.float32)
    if (values - values.mean(axis=(0, 1))).std() < FAINT:
        return np.zeros(LENGTH, dtype=np.float32)
    flat = values.reshape(-1) - values.mean()
    vector: Vectors = flat / np.linalg.norm(flat)
    return vector
