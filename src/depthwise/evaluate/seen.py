"""Whether a network is measured on images that it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from depthwise.evaluate.report import Report


def seen(report: Report, provenance: Any) -> str | None:
    """A warning where all images of a folder were measured, and one of its name is what the network was trained on.

    Args:
        provenance: what a model or an artifact says of how it came about (docs/model-folder.md), not to be trusted.
    """
    data = report.predictions.data
    while "quantized_from" in (provenance := _mapping(provenance)) and "images" not in provenance:
        provenance = _mapping(provenance["quantized_from"]).get("provenance")
    trained = _mapping(provenance.get("images")).get("train")
    is_its_own = isinstance(trained, int) and trained > 0 and provenance.get("data") == data.resolve().name
    if report.predictions.split or not is_its_own:
        return None
    return (
        f"warning: the network was trained on {trained:,} images of a folder of this name; on images that it has seen"
        f" figures are too good, so put some that it has not seen into {data / 'test'}"
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
