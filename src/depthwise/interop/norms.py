"""Batch normalisations: the one that does nothing, one that takes in a bias or another epsilon, and folding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from depthwise.network.folding import affine
from depthwise.network.layers import layers
from depthwise.network.model import Model
from depthwise.network.weights import Array

# A convolution whose batch normalisation was folded into it gets one that does nothing. With these numbers it does so
# exactly, in float32 as in float64: 1 - 2^-17 is a float32, and variance + epsilon is 1 without rounding. 2^-17 is
# near 1e-5, PyTorch's epsilon, so that training may go on from there.
EXACT_EPSILON = 2.0**-17
EXACT_VARIANCE = 1 - EXACT_EPSILON


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """What follows a convolution, in float64: `(x - mean) / sqrt(variance + epsilon) * weight + bias`, each (N,).

    An epsilon of None is that of a scaling which was no batch normalisation: its root is 1.
    """

    weight: Array
    bias: Array
    mean: Array
    variance: Array
    epsilon: float | None

    def then(self, scale: Array, shift: Array) -> Scaling:
        """The same followed by `x * scale + shift`."""
        return Scaling(
            weight=self.weight * scale,
            bias=self.bias * scale + shift,
            mean=self.mean,
            variance=self.variance,
            epsilon=self.epsilon,
        )

    def arrays(self, epsilon: float) -> dict[str, Array]:
        """The four arrays of a normalisation whose epsilon is `epsilon`, float32, by their names in a model."""
        weight, variance = self.weight, self.variance
        if self.epsilon is None:
            variance = np.full_like(variance, max(1 - epsilon, 0.0))
            # 1 where `epsilon` is EXACT_EPSILON, and a rounding of it otherwise.
            weight = weight * np.sqrt(np.float64(np.float32(variance)) + epsilon)
        elif self.epsilon != epsilon:
            weight = weight * np.sqrt((variance + epsilon) / (variance + self.epsilon))
        parts = {"weight": weight, "bias": self.bias, "running_mean": self.mean, "running_var": variance}
        return {name: np.asarray(array, dtype=np.float32) for name, array in parts.items()}


def nothing(channels: int) -> Scaling:
    """A scaling that changes nothing."""
    zeros, ones = np.zeros(channels), np.ones(channels)
    return Scaling(weight=ones, bias=zeros, mean=zeros, variance=ones, epsilon=None)


def folded(model: Model) -> dict[str, tuple[Array, Array]]:
    """Weight and bias of every layer that has them, batch normalisation multiplied in: float64 inside, float32 out.

    Returns: by name of the layer; shapes as in the model, the bias (N,).
    """
    result: dict[str, tuple[Array, Array]] = {}
    for layer in layers(model.spec):
        if layer.kind == "pool":
            continue
        weight = model.weights[f"{layer.name}.weight"]
        if not layer.norm:
            result[layer.name] = weight, model.weights[f"{layer.name}.bias"]
            continue
        factor, bias = affine(model, layer)
        scaled = weight.astype(np.float64) * factor[:, None, None, None]
        result[layer.name] = scaled.astype(np.float32), bias.astype(np.float32)
    return result
