"""Small pictures for the page: which images are worth showing, within a bound for all."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from depthwise.edge.pixels import Pixels, decode
from depthwise.errors import Refused
from depthwise.evaluate.report import Report
from depthwise.progress import Reporter

GALLERY = 48  # Most confident mistakes.
MOST_WRONG, MOST_RIGHT = 12, 4  # Images of one cell of the matrix, off the diagonal and on it.
LONGEST_SIDE = 160
QUALITY = 70
# Bytes of all pictures as they stand in the page: what a mail or a chat still takes.
MOST_BYTES = 6_000_000


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Images to show, as indices among the predictions.

    Attributes:
        gallery: the most confident mistakes.
        cells: by right and predicted class, the most confident mistakes and the least sure right answers.
        pictures: data URIs by index, for those that fit.
    """

    gallery: tuple[int, ...]
    cells: dict[tuple[int, int], tuple[int, ...]]
    pictures: dict[int, str]


def choose(report: Report, reporter: Reporter, *, most_bytes: int = MOST_BYTES) -> Chosen:
    """Pick images and draw them, the gallery first, then the cells by how much they hold, until the bound is met."""
    wanted = _cells(report)
    order = dict.fromkeys(entry.index for entry in report.mistakes[:GALLERY])
    for indices in wanted.values():
        order |= dict.fromkeys(indices)
    pictures: dict[int, str] = {}
    room = most_bytes
    reporter.begin("drawing", len(order))
    try:
        for index in order:
            reporter.advance()
            picture = _picture(report, index)
            if picture is None:
                continue
            room -= len(picture)
            if room < 0:
                break
            pictures[index] = picture
    finally:
        reporter.end()
    cells = {key: tuple(index for index in indices if index in pictures) for key, indices in wanted.items()}
    gallery = tuple(entry.index for entry in report.mistakes[:GALLERY] if entry.index in pictures)
    return Chosen(gallery=gallery, cells=cells, pictures=pictures)


def _cells(report: Report) -> dict[tuple[int, int], tuple[int, ...]]:
    """Indices to show of each cell: mistakes by frequency, then the diagonal."""
    found: dict[tuple[int, int], list[int]] = {(pair.true, pair.predicted): [] for pair in report.pairs}
    for entry in report.mistakes:
        found[entry.true, entry.predicted].append(entry.index)
    chosen = {key: tuple(indices[:MOST_WRONG]) for key, indices in found.items()}
    truth = report.predictions.truth
    for label in range(len(report.predictions.labels)):
        right = np.flatnonzero((truth == label) & (report.predicted == label))
        least_sure = right[np.argsort(report.confidence[right], kind="stable")][:MOST_RIGHT]
        if len(least_sure):
            chosen[label, label] = tuple(int(i) for i in least_sure)
    return chosen


def _picture(report: Report, index: int) -> str | None:
    """The whole image, made small; None where the file can no longer be read."""
    try:
        pixels = decode(report.predictions.items[index].path)
    except Refused:
        return None
    return "data:image/webp;base64," + base64.b64encode(_webp(pixels)).decode()


def _webp(pixels: Pixels) -> bytes:
    picture = Image.fromarray(pixels)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.BILINEAR)
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue()
