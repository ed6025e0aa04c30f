"""A model, ready to answer: the torch side of `depthwise evaluate`."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from depthwise.cloud.device import find_device, keep_large_blocks
from depthwise.cloud.module import normalise, to_network
from depthwise.data.store import square
from depthwise.edge.pixels import Pixels
from depthwise.evaluate.predictor import at_a_time
from depthwise.network.memory import images_at_once
from depthwise.network.model import Model

# How many times PyTorch has the input and the output of one layer in memory.
COPIES = 3


class ModelPredictor:
    """A model in float32, on CUDA where torch can use it, else on the CPU."""

    def __init__(self, model: Model) -> None:
        keep_large_blocks()
        self._preprocessing = model.preprocessing
        self._device = find_device()
        count = images_at_once(model.spec, "answers", copies=COPIES, value_bytes=4)
        self.together = min(at_a_time(model.spec.resolution, model.spec.channels), count)
        self._network = to_network(model).to(self._device)
        self.labels = model.labels
        self.channels = model.spec.channels

    def prepare(self, frame: Pixels) -> Pixels:
        """Pixels as the network takes them, from a decoded image (H, W, channels)."""
        return square(frame, self._preprocessing)

    @torch.inference_mode()
    def predict(self, pixels: Pixels) -> NDArray[np.float32]:
        """Probabilities (B, K) of prepared pixels (B, crop, crop, channels)."""
        x = normalise(torch.from_numpy(pixels).to(self._device), self._preprocessing)
        # In float64, so that rounding of the exponentials is not in the figures.
        found: NDArray[np.float32] = self._network(x).double().softmax(1).float().cpu().numpy()
        return found
