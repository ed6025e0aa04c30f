"""What can be measured: anything that turns prepared pixels into probabilities."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from depthwise.data.store import square
from depthwise.edge.artifact import Artifact
from depthwise.edge.pixels import Floats, Pixels
from depthwise.network import reference, reference_int8
from depthwise.network.quantized import QuantizedModel

# Images that are prepared, then predicted, at a time: the network's time is measured while nothing is decoded. Of large
# ones there are fewer, of so many bytes together.
TOGETHER, MOST_PIXELS = 64, 2**27


class Preparer(Protocol):
    """Makes of decoded images what a network takes; `prepare` may be called from several threads."""

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the probabilities."""

    @property
    def channels(self) -> int:
        """Of the images, 1 (grey) or 3 (RGB)."""

    @property
    def together(self) -> int:
        """How many prepared images may be in memory at a time."""

    def prepare(self, frame: Pixels) -> Pixels:
        """Pixels as the network takes them, from a decoded image (H, W, channels)."""


class Predictor(Preparer, Protocol):
    """A network that is ready to answer."""

    def predict(self, pixels: Pixels) -> Floats:
        """Probabilities (B, K) of prepared pixels (B, height, width, channels)."""


def at_a_time(side: int, channels: int) -> int:
    """How many prepared images of a side are taken at a time."""
    return max(1, min(TOGETHER, MOST_PIXELS // (side * side * channels)))


class ArtifactPredictor:
    """An artifact, measured with its own preprocessing: the code that the device runs, and nothing else."""

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact
        self.labels = artifact.labels
        self.channels = artifact.input_shape[2]
        self.together = at_a_time(artifact.input_shape[0], self.channels)

    def prepare(self, frame: Pixels) -> Pixels:
        """Pixels as the network takes them, from a decoded image (H, W, channels)."""
        return self._artifact.prepare(frame)

    def predict(self, pixels: Pixels) -> Floats:
        """Probabilities (B, K), one image after the other, as a device computes them."""
        return np.stack([self._artifact.run(image) for image in pixels])


class Int8Predictor:
    """An int8 model, computed by the oracle: the bytes that every artifact of it computes, many images at a time."""

    def __init__(self, model: QuantizedModel) -> None:
        self._model = model
        self.labels = model.labels
        self.channels = model.spec.channels
        self.together = at_a_time(model.spec.resolution, self.channels)
        # Refused before any image is read.
        reference.together(model.spec)

    def prepare(self, frame: Pixels) -> Pixels:
        """Pixels as the network takes them, from a decoded image (H, W, channels)."""
        return square(frame, self._model.preprocessing)

    def predict(self, pixels: Pixels) -> Floats:
        """Probabilities (B, K) of prepared pixels (B, crop, crop, channels)."""
        return np.asarray(reference_int8.run(self._model, pixels).probabilities, np.float32)
