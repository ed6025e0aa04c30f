"""Images as what is attacked takes them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from depthwise.attack.way import Way
from depthwise.data.store import square
from depthwise.edge.artifact import Artifact
from depthwise.edge.live.smoothing import threshold_of
from depthwise.edge.pixels import Pixels
from depthwise.evaluate.predictor import at_a_time
from depthwise.jobs.attack.target import Opening
from depthwise.network.quantized import load_model

if TYPE_CHECKING:
    from depthwise.network.preprocessing import Preprocessing


class Preparing:
    """Prepares images as the subject does."""

    def __init__(self, opening: Opening, held: contextlib.ExitStack) -> None:
        self._artifact = held.enter_context(Artifact.open(opening.artifact))
        self._wanted: Preprocessing | None = None
        if opening.model is not None:
            self._wanted = load_model(opening.model).preprocessing
        self.labels = self._artifact.labels
        self.channels = self._artifact.input_shape[2]
        self.together = at_a_time(self._artifact.input_shape[0], self.channels)
        record = self._artifact.record
        self.way = _way(record, self._artifact.input_shape[0], self._wanted)
        self.threshold = threshold_of(record) or None

    def prepare(self, frame: Pixels) -> Pixels:
        """(crop, crop, channels) of a decoded image."""
        return self._artifact.prepare(frame) if self._wanted is None else square(frame, self._wanted)


def _way(record: dict[str, Any], side: int, wanted: Preprocessing | None) -> Way:
    """How pictures become squares: as a model says, else as an artifact's record does; else by the shorter side."""
    if wanted is not None:
        return Way(resize=wanted.resize, crop=wanted.crop, mode=wanted.mode, fill=wanted.fill, filter=wanted.filter)
    said = record.get("preprocessing")
    said = said if isinstance(said, dict) else {}
    resize, fill = said.get("resize"), said.get("fill")
    return Way(
        resize=resize if isinstance(resize, int) and resize >= side else side,
        crop=side,
        mode=str(said.get("mode", "crop")),
        filter=str(said.get("filter", "bilinear")),
        fill=tuple(fill) if isinstance(fill, list) else (),
    )
