"""Networks of which some channels are the same for every image."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from depthwise.network.layers import layers
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec


def with_constants(fields: dict[str, Any], *, shifted: bool) -> QuantizedModel:
    """Random, with a third of the channels always at one end of their clamp."""
    model = random_quantized(
        Spec(**{"width": 0.25, "classes": 11, **fields}), 3, hidden_zero_points=shifted, rounded=shifted
    )
    rng = np.random.default_rng(4)
    made = {}
    for layer in layers(model.spec):
        numbers = model.layers[layer.name]
        bias = numbers.bias.copy()
        if layer.norm:
            far = 255 * 128 * numbers.weight[0].size + 2**20
            fate = rng.choice(3, layer.output.channels, p=[2 / 3, 1 / 6, 1 / 6])
            bias[fate == 1], bias[fate == 2] = -far, far
        made[layer.name] = dataclasses.replace(numbers, bias=bias)
    return model.replace(layers=made)
