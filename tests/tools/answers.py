"""A network with answers that a test gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from depthwise.data.folder import Item
from depthwise.data.store import Unreadable
from depthwise.edge.pixels import Floats, Pixels, prepare
from depthwise.evaluate.predictions import Predictions
from depthwise.evaluate.predictor import TOGETHER
from depthwise.evaluate.report import Report


class Colours:
    """Says how much red, green and blue is in an image."""

    channels, together = 3, TOGETHER

    def __init__(self, labels: tuple[str, ...] = ("red", "green", "blue")) -> None:
        self.labels = labels
        self.batches: list[int] = []

    def prepare(self, frame: Pixels) -> Pixels:
        return prepare(frame, resize=8, crop=8)

    def predict(self, pixels: Pixels) -> Floats:
        self.batches.append(len(pixels))
        mean = pixels.mean(axis=(1, 2), dtype=np.float64) + 1e-9
        found: Floats = (mean / mean.sum(axis=1, keepdims=True)).astype(np.float32)
        return found


def report_of(
    probabilities: list[list[float]],
    truth: list[int],
    labels: tuple[str, ...],
    *,
    folder: Path = Path("images"),
    split: str = "",
    unreadable: tuple[Unreadable, ...] = (),
) -> Report:
    """A report of given answers; the files are `folder`/`split`/LABEL/000.png and so on."""
    items = tuple(
        Item(folder / split / labels[label] / f"{number:03}.png", label) for number, label in enumerate(truth)
    )
    predictions = Predictions(
        data=folder,
        labels=labels,
        items=items,
        probabilities=np.array(probabilities, dtype=np.float32),
        unreadable=unreadable,
        network_seconds=0.5,
        seconds=1.0,
    )
    return Report(subject="model", kind="model", predictions=predictions)
