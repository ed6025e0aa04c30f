"""Whether a network is measured on images that it was trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from depthwise.data.contents import DIGITS, SAMPLE, Overlap, overlap
from depthwise.data.folder import training_items
from depthwise.data.likeness import Looks
from depthwise.data.twins import crossings
from depthwise.evaluate.predictions import Predictions
from depthwise.evaluate.text import percent
from depthwise.progress import Reporter

# Models that a model was made from, one from the other; more is a damaged description.
MOST_GENERATIONS = 16
# Training images beside those that are measured, with which they are compared.
MOST_COMPARED = 5000


def suspicions(predictions: Predictions, provenance: Any, reporter: Reporter) -> list[str]:
    """Reasons why the figures may be too good, a sentence each.

    Args:
        provenance: what a model or an artifact says of how it came about (docs/model-folder.md), not to be trusted.
    """
    trained_on = seen([item.path for item in predictions.items], provenance)
    beside = training_items(predictions.data, predictions.labels) if predictions.split else ()
    compared = beside[:: max(1, -(-len(beside) // MOST_COMPARED))]
    found = crossings(compared, predictions.items, Looks(), reporter)
    share = f" (of {len(compared):,} of the {len(beside):,} training images)" if len(compared) < len(beside) else ""
    return [*([] if trained_on is None else [trained_on]), *(one.sentence("measured") + share for one in found)]


def seen(paths: Sequence[Path], provenance: Any) -> str | None:
    """What is said where some of the files are, by their content, among those that the network was trained on."""
    found = [known for sample in _samples(provenance) if (known := overlap(paths, sample)) is not None]
    if not found:
        return None
    worst = max(found, key=lambda one: one.share)
    return (
        f"{_portion(worst)} of these images are among those that the network was trained on ({worst.found:,} of"
        f" {worst.compared:,} that can be compared; the first is {worst.first}); figures of images that it has seen are"
        " too good, so measure it on others"
    )


def _portion(known: Overlap) -> str:
    return "all" if known.found == known.compared else f"about {percent(known.share, 0 if known.share > 0.1 else 1)}"


def _samples(provenance: Any) -> Iterator[list[str]]:
    """Hashes of training files of a model and of those that it was quantised from."""
    for _ in range(MOST_GENERATIONS):
        described = _mapping(provenance)
        for hashes in (described.get("seen"), described.get("seen_before")):
            if not isinstance(hashes, list):
                continue
            usable = [one for one in hashes[:SAMPLE] if isinstance(one, str) and len(one) == DIGITS]
            if usable:
                yield usable
        provenance = _mapping(described.get("quantized_from")).get("provenance")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
