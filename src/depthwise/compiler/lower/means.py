"""What each channel of a float network puts out on average, as far as that can be told without images.

Batch normalisation holds it: a layer's outputs have mean beta and deviation gamma before the activation, and are taken
to be normal (arXiv:1906.04721 section 4.2.1). Networks that came with their normalisation folded in have norms that do
nothing; they are shown noise whose amplitude falls with spatial frequency as that of photographs does (D. J. Field,
"Relations between the statistics of natural images and the response properties of cortical cells", J. Opt. Soc. Am. A,
1987).

Sizes: H W C of an image, N output channels.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from depthwise.compiler.lower.noise import noise
from depthwise.network import reference
from depthwise.network.layers import layers
from depthwise.network.model import Model
from depthwise.network.spec import ACTIVATIONS, Spec

Doubles = NDArray[np.float64]

# Mean and deviation of the bytes of each image, from dark to bright and from dull to glaring; and how much more noise
# the colours have in common than each has of its own. Drawn at random in that range, they gave about the same errors.
_LIGHT = ((80, 45), (110, 75), (140, 30), (170, 60))
_COMMON = 3
# Means are rounded to multiples of this, so that no order of summation shows in what is compiled.
_STEP = 2.0**-10


def channel_means(model: Model) -> dict[str, Doubles]:
    """(N,) means after the activation, by name of each normalised layer."""
    spec, weights = model.spec, model.weights
    normed = [layer for layer in layers(spec) if layer.norm]
    if any(_does_nothing(model, layer.norm) for layer in normed):
        return _shown(model)
    return {
        layer.name: activated_means(
            weights[f"{layer.norm}.bias"].astype(np.float64),
            np.abs(weights[f"{layer.norm}.weight"].astype(np.float64)),
            ACTIVATIONS[spec.activation],
        )
        for layer in normed
    }


def activated_means(mean: Doubles, deviation: Doubles, most: float) -> Doubles:
    """Means of normal values after a clamp from 0 to `most`."""
    spread = np.maximum(deviation, 1e-12)
    low, high = -mean / spread, (most - mean) / spread
    inside = mean * (_below(high) - _below(low)) + spread * (_density(low) - _density(high))
    above = most * (1 - _below(high)) if math.isfinite(most) else 0.0
    return np.asarray(inside + above)


def _shown(model: Model) -> dict[str, Doubles]:
    """The means that noise gives, picture by picture, as all activations of a large one take much memory."""
    images = pictures(model.spec)
    weights = {name: array.astype(np.float64) for name, array in model.weights.items()}
    sums: dict[str, Doubles] = {}
    for image in images:
        x = reference.normalise(image[None], model.preprocessing)
        for layer, activation in reference.walk(model.spec, weights, x):
            if layer.norm:
                sums[layer.name] = sums.get(layer.name, 0.0) + activation.mean(axis=(0, 1, 2))
    return {name: np.rint(total / len(images) / _STEP) * _STEP for name, total in sums.items()}


def pictures(spec: Spec) -> NDArray[np.uint8]:
    """(B, H, W, C) of noise that is to a network what photographs are, the same on every machine."""
    size, C = spec.resolution, spec.channels
    white = noise(len(_LIGHT) * size * size * (1 + C)).reshape(-1, size, size, 1 + C) - 127.5
    white = _COMMON * white[..., :1] + white[..., 1:]
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    amplitude = 1 / np.maximum(frequency, 1 / size)
    pink = np.fft.irfft2(np.fft.rfft2(white, axes=(1, 2)) * amplitude[..., None], s=(size, size), axes=(1, 2))
    pink -= pink.mean(axis=(1, 2, 3), keepdims=True)
    pink /= pink.std(axis=(1, 2, 3), keepdims=True)
    mean, deviation = np.array(_LIGHT, np.float64).T[..., None, None, None]
    return np.asarray(np.clip(np.rint(pink * deviation + mean), 0, 255), np.uint8)


def _does_nothing(model: Model, norm: str) -> bool:
    """Whether a norm adds its bias and changes nothing else."""
    gamma, mean, variance = (model.weights[f"{norm}.{part}"] for part in ("weight", "running_mean", "running_var"))
    is_one = np.abs(variance.astype(np.float64) + model.spec.bn_epsilon - 1) <= 1e-6
    return bool((gamma == 1).all() and not mean.any() and is_one.all())


def _density(z: Doubles) -> Doubles:
    return np.asarray(np.exp(-z * z / 2) / math.sqrt(2 * math.pi))


def _below(z: Doubles) -> Doubles:
    """The share of normal values below."""
    return np.array([(1 + math.erf(value / math.sqrt(2))) / 2 for value in z])
