"""A report as one page that needs nothing else: pictures, style and script are in it, and it loads nothing."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import Any

import depthwise
from depthwise.evaluate import pictures, text
from depthwise.evaluate.report import Mistake, Report
from depthwise.evaluate.thumbnails import MOST_BYTES, Chosen, choose
from depthwise.pages import template
from depthwise.progress import Reporter

PAIRS = 12
UNREADABLE = 50


def page(report: Report, reporter: Reporter, *, most_bytes: int = MOST_BYTES) -> str:
    """The whole page as HTML.

    Args:
        most_bytes: of all small pictures together, as they stand in the page.
    """
    chosen = choose(report, reporter, most_bytes=most_bytes)
    script = _template("evaluate.js")
    matrix = pictures.matrix(report)
    mistakes = {entry.index: entry for entry in report.mistakes}
    whole = template("evaluate", "evaluate.html.j2", percent=text.percent, interval=text.interval).render(
        report=report,
        found=report.predictions,
        text=text,
        pictures=pictures,
        matrix=matrix,
        columns=pictures.reliability(report),
        gallery=[_shown(report, chosen, mistakes[index]) for index in chosen.gallery],
        pairs=report.pairs[:PAIRS],
        unreadable=report.predictions.unreadable[:UNREADABLE],
        data=_data(report, chosen, matrix),
        style=_template("evaluate.css"),
        script=script,
        # Nothing but this very script may run, whatever a label holds.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        version=depthwise.__version__,
    )
    # File names that are not UTF-8 come as surrogates, which no file can hold.
    return whole.encode("utf-8", "backslashreplace").decode()


def _template(name: str) -> str:
    return resources.files("depthwise.evaluate").joinpath("templates", name).read_text(encoding="utf-8")


def _shown(report: Report, chosen: Chosen, entry: Mistake) -> dict[str, Any]:
    found = report.predictions
    return {
        "index": entry.index,
        "picture": chosen.pictures[entry.index],
        "name": found.name(found.items[entry.index]),
        "true": found.labels[entry.true],
        "predicted": found.labels[entry.predicted],
        "probability": entry.probability,
        "true_probability": entry.true_probability,
    }


def _data(report: Report, chosen: Chosen, matrix: pictures.Matrix) -> dict[str, Any]:
    """What the script opens when a cell is clicked.

    Pictures of the gallery are in the page already and come as null.
    """
    found, gallery = report.predictions, set(chosen.gallery)
    images = {
        index: [
            None if index in gallery else picture,
            found.name(found.items[index]),
            float(report.confidence[index]),
            float(found.probabilities[index, found.items[index].label]),
        ]
        for index, picture in chosen.pictures.items()
    }
    cells = [
        [cell.true, cell.predicted, cell.count, list(chosen.cells.get((cell.true, cell.predicted), ()))]
        for cell in matrix.cells
    ]
    return {"labels": found.labels, "of": [one.images for one in report.classes], "cells": cells, "images": images}
