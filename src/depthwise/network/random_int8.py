"""Random int8 networks for tests and benchmarks, hard ones: every weight, many zero points, clamps within the byte."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from depthwise.network.layers import Layer, layers
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.quantized import QuantizedLayer, QuantizedModel
from depthwise.network.spec import Spec
from depthwise.network.weights import weight_shape


def random_quantized(
    spec: Spec,
    seed: int = 0,
    *,
    hidden_zero_points: bool = False,
    rounded: bool = False,
    weight_zero_points: bool = False,
) -> QuantizedModel:
    """A model whose bytes are spread over their range and clamped at both ends here and there.

    Args:
        hidden_zero_points: give hidden layers zero points and clamps other than 0, 0 and 255, as imported models have.
        rounded: round the logits to bytes, as imported models do.
        weight_zero_points: give weights zero points, and each layer some factors beyond a signed byte.
    """
    rng = np.random.default_rng(seed)
    made = {}
    for layer in layers(spec):
        is_last = layer.kind == "classifier"
        made[layer.name] = _layer(
            rng, layer, shifted=hidden_zero_points or (is_last and rounded), around_zero=not weight_zero_points
        )
        if is_last and not rounded:
            # Logits of some units, as softmax wants them.
            logits = np.asarray(made[layer.name].multiplier / 40, np.float32)
            made[layer.name] = dataclasses.replace(made[layer.name], multiplier=logits, rounded=False)
    return QuantizedModel(
        spec=spec,
        layers=made,
        border=tuple(int(b) for b in rng.integers(0, 256, spec.channels)),
        labels=tuple(f"class {index}" for index in range(spec.classes)),
        preprocessing=default_preprocessing(spec.resolution, spec.channels),
    )


def _layer(rng: np.random.Generator, layer: Layer, *, shifted: bool, around_zero: bool) -> QuantizedLayer:
    N = layer.output.channels
    zero_point = int(rng.integers(0, 256)) if shifted else 0
    low, high = (int(rng.integers(0, 32)), int(rng.integers(224, 256))) if shifted else (0, 255)
    scale = rng.uniform(0.01, 0.05, N).astype(np.float32)
    if layer.kind == "pool":
        area = layer.input.height * layer.input.width
        return QuantizedLayer(
            weight=np.zeros(0, np.int8),
            bias=rng.integers(-3 * area, 3 * area + 1, N).astype(np.int32),
            multiplier=(rng.uniform(0.8, 1.2, N) / area).astype(np.float32),
            scale=scale,
            zero_point=zero_point,
            low=low,
            high=high,
        )
    weight, weight_zero_point = rng.integers(-128, 128, weight_shape(layer)).astype(np.int8), 0
    if not around_zero:
        weight, weight_zero_point = _around(rng, weight.shape)
    flat = weight.reshape(N, -1).astype(np.float64) - weight_zero_point
    # The bias takes away what inputs of 100 on average give, so that sums lie on both sides of zero.
    spread = 60 * np.sqrt((flat**2).sum(axis=1)) + 1
    bias = np.rint(-100 * flat.sum(axis=1) + rng.normal(0, 1, N) * spread).astype(np.int32)
    return QuantizedLayer(
        weight=weight,
        bias=bias,
        multiplier=(100 * rng.uniform(0.5, 1.5, N) / spread).astype(np.float32),
        scale=scale,
        zero_point=zero_point,
        low=low,
        high=high,
        weight_zero_point=weight_zero_point,
    )


def _around(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[NDArray[np.int8], int]:
    """Weights with their zero point, as they are of networks with one: near it, but for the farthest ones."""
    zero_point = int(rng.choice((-1, 1)) * rng.integers(30, 120))
    weight = np.clip(np.rint(rng.normal(zero_point, 40, shape)), -127, 127)
    weight.flat[rng.integers(weight.size)] = -127 if zero_point > 0 else 127
    return weight.astype(np.int8), zero_point
