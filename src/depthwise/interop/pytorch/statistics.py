"""What the running statistics of a state dict say of its activation and epsilon, which it does not hold.

Behind a batch normalisation values are nearly normal, with mean `bias` and deviation `weight * sqrt(v / (v + epsilon))`
of the running variance v. Their mean behind the activation follows, and the pointwise convolution that comes next makes
of it a mean that its own normalisation has measured. The settings that predict it best are those of the training, where
they predict it better by a clear margin; elsewhere they hardly matter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from depthwise.network.spec import ACTIVATIONS
from depthwise.network.weights import Array

# PyTorch's epsilon, and TensorFlow's and Keras's.
EPSILONS = (1e-5, 1e-3)
# Sums over layers of the logarithms of squared errors: so much less is no chance. ReLU6 and ReLU lie 4.4 apart for
# Keras's 0.25_224, whose values exceed 6, and 0.05 for wake words, whose do not. A larger epsilon is favoured a little,
# as values are not quite normal: by 0.4 there, and by 2.7 with kernels made so small that it matters.
CLEARLY, CLEARLY_LARGER = 1.0, 4.0
# What is added to a variance before it divides.
LEAST = 1e-8
_phi = np.vectorize(lambda z: 0.5 * (1 + math.erf(z / math.sqrt(2))))


def likeliest(
    layers: Sequence[tuple[str, str, str]], arrays: Mapping[str, Array], usual: tuple[str, float], *, known: bool
) -> tuple[str, float]:
    """Activation and epsilon under which the statistics of a network fit together best.

    Args:
        layers: of each pointwise convolution, the normalisation before it, its own name, and its normalisation.
        usual: what is taken where nothing is clearly better.
        known: whether the usual activation is known to be right.
    """
    activations = (usual[0],) if known else tuple(ACTIVATIONS)
    scores = {
        (activation, epsilon): sum(_error(arrays, *names, activation, epsilon) for names in layers)
        for activation in activations
        for epsilon in EPSILONS
    }
    best = min(scores, key=lambda one: scores[one])
    chosen = usual
    # Each setting apart, so that a clear one does not take along the other.
    if scores[best] < scores[usual[0], best[1]] - CLEARLY:
        chosen = best[0], chosen[1]
    if scores[best] < scores[best[0], usual[1]] - CLEARLY_LARGER:
        chosen = chosen[0], best[1]
    return chosen


def _error(arrays: Mapping[str, Array], before: str, name: str, behind: str, activation: str, epsilon: float) -> float:
    """Logarithm of the mean squared difference between predicted and measured means, in variances."""
    slope, shift, variance = (
        arrays[f"{before}.{part}"].astype(np.float64) for part in ("weight", "bias", "running_var")
    )
    deviation = np.abs(slope) * np.sqrt(variance.clip(0) / (variance.clip(0) + epsilon))
    expected = _rectified(shift, deviation)
    if math.isfinite(top := ACTIVATIONS[activation]):
        expected = expected - _rectified(shift - top, deviation)
    predicted = arrays[f"{name}.weight"][:, :, 0, 0].astype(np.float64) @ expected
    if f"{name}.bias" in arrays:
        predicted = predicted + arrays[f"{name}.bias"]
    spread = arrays[f"{behind}.running_var"].astype(np.float64).clip(0) + LEAST
    error = float(np.mean((predicted - arrays[f"{behind}.running_mean"]) ** 2 / spread))
    return math.log(error) if 0 < error < math.inf else 0.0


def _rectified(mean: Array, deviation: Array) -> Array:
    """The mean of max(x, 0) of a normal x."""
    z = mean / np.maximum(deviation, 1e-9)
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    rectified: Array = mean * _phi(z) + deviation * density
    return rectified
