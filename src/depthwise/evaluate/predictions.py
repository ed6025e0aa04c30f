"""Every image of a folder through a network, each decoded once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depthwise.data.folder import SPLITS, Item, read_split
from depthwise.data.store import WORKERS, Unreadable, tell_unreadable
from depthwise.data.turns import Turns
from depthwise.edge.pixels import Floats, Pixels, decode
from depthwise.errors import Refused, Unreachable
from depthwise.evaluate.metrics import Ints
from depthwise.evaluate.predictor import Predictor, Preparer
from depthwise.progress import Reporter


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """What a network said of N images, at least one.

    Attributes:
        data: the folder that was given.
        labels: K names of classes.
        items: the files, with their right labels.
        probabilities: (N, K).
        unreadable: files that are not among `items`.
        network_seconds: time spent in the network alone.
        seconds: time for all, reading included.
    """

    data: Path
    labels: tuple[str, ...]
    items: tuple[Item, ...]
    probabilities: Floats
    unreadable: tuple[Unreadable, ...]
    network_seconds: float
    seconds: float

    @property
    def truth(self) -> Ints:
        """(N,) right labels."""
        return np.array([item.label for item in self.items], dtype=np.int64)

    @property
    def split(self) -> str:
        """The folder within `data` that holds the class folders; "" for `data` itself."""
        first = self.items[0]
        parts = first.path.relative_to(self.data).parts
        names = {name for names in SPLITS.values() for name in names}
        is_split = len(parts) > 2 and parts[0].lower() in names and parts[1] == self.labels[first.label]
        return parts[0] if is_split else ""

    def name(self, item: Item) -> str:
        """A file's place within `data`, as text that any page or document can hold."""
        return item.name(self.data)


def predict_folder(predictor: Predictor, data: str | os.PathLike[str], reporter: Reporter) -> Predictions:
    """What a network says of the images of a folder: of its test split, else its validation split, else all.

    Images that cannot be used are named and counted in a notice.

    Raises: Refused, when the folder has a class that the network lacks, or no image can be read.
    """
    start = time.perf_counter()
    items = read_split(data, predictor.labels)
    kept: list[Item] = []
    unreadable: list[Unreadable] = []
    found: list[Floats] = []
    network_seconds = 0.0
    reporter.begin("measuring", len(items))
    try:
        for part in prepared(predictor, items, reporter):
            usable = [(item, pixels) for item, pixels in part if not isinstance(pixels, Refused)]
            unreadable += [Unreadable(item, str(what)) for item, what in part if isinstance(what, Refused)]
            if usable:
                kept += [item for item, _ in usable]
                pixels = np.stack([pixels for _, pixels in usable])
                before = time.perf_counter()
                found.append(predictor.predict(pixels))
                network_seconds += time.perf_counter() - before
    finally:
        reporter.end()
    so = "cannot be read and are not counted"
    tell_unreadable(unreadable, reporter, so=so, others="which --json and --html name")
    if not kept:
        raise Refused(f"{data}: none of its {len(items):,} images can be used; the first: {unreadable[0].reason}")
    return Predictions(
        data=Path(data),
        labels=predictor.labels,
        items=tuple(kept),
        probabilities=_checked(np.concatenate(found)),
        unreadable=tuple(unreadable),
        network_seconds=network_seconds,
        seconds=time.perf_counter() - start,
    )


def prepared(
    predictor: Preparer, items: tuple[Item, ...], reporter: Reporter
) -> Iterator[list[tuple[Item, Pixels | Refused]]]:
    """Prepared pixels of a bounded number of images at a time, or why one cannot be used."""

    turns = Turns()

    def attempt(item: Item) -> Pixels | Refused:
        try:
            with turns.turn() as admit:
                return predictor.prepare(decode(item.path, predictor.channels, admit))
        except Unreachable:
            raise
        except Refused as refusal:
            return refusal

    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        for start in range(0, len(items), predictor.together):
            part = items[start : start + predictor.together]
            results = []
            for item, result in zip(part, pool.map(attempt, part), strict=True):
                results.append((item, result))
                reporter.advance()
            yield results


def _checked(probabilities: Floats) -> Floats:
    if not np.isfinite(probabilities).all() or (probabilities < 0).any() or (probabilities > 1 + 1e-5).any():
        raise Refused("the network gives answers that are not probabilities; it is damaged, train or compile it again")
    return probabilities
