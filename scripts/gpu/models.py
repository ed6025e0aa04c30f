"""Models with random weights, as they lie in model folders."""

from __future__ import annotations

import numpy as np

from depthwise.network.model import Model, random_weights
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.quantized import QuantizedModel
from depthwise.network.spec import Spec

SEED = 0


def random_model(spec: Spec) -> Model:
    """A model folder's content with random weights."""
    return Model(
        spec=spec,
        weights=random_weights(spec),
        labels=tuple(f"class {index}" for index in range(spec.classes)),
        preprocessing=default_preprocessing(spec.resolution, spec.channels),
    )


def random_int8(spec: Spec) -> QuantizedModel:
    """The same model in int8, by ranges of random images."""
    from depthwise.quantize.quantize import quantize

    size = (8, spec.resolution, spec.resolution, spec.channels)
    pixels = np.random.default_rng(SEED).integers(0, 256, size, dtype=np.uint8)
    return quantize(random_model(spec), pixels).model
