"""The same network for pixels that are normalised another way: what that changes goes into the first layer."""

from __future__ import annotations

import dataclasses

import numpy as np

from depthwise.network.layers import layers
from depthwise.network.model import Model
from depthwise.network.preprocessing import default_preprocessing


def with_pixels(model: Model, mean: tuple[float, ...], scale: tuple[float, ...]) -> Model:
    """The model with another mean and scale of pixels, and first weights that make up for it.

    With `x = (pixel - mean) * scale`, the old input is `x * s / scale + (mean - m) * s` for the old m and s: the factor
    goes into the weights, the constant into the mean of the batch normalisation that follows. Outputs stay what they
    were, but for the outermost pixels where the mean changes: zeros around the image then stand for another grey.

    Args:
        mean, scale: one number a channel.
    """
    stem, old = layers(model.spec)[0], model.preprocessing
    s, m = np.array(old.scale), np.array(old.mean)
    weight = model.weights[f"{stem.name}.weight"].astype(np.float64)
    constant = (weight * ((np.array(mean) - m) * s)[None, :, None, None]).sum(axis=(1, 2, 3))
    norm_mean = model.weights[f"{stem.norm}.running_mean"] - constant
    changed = {
        f"{stem.name}.weight": (weight * (s / np.array(scale))[None, :, None, None]).astype(np.float32),
        f"{stem.norm}.running_mean": norm_mean.astype(np.float32),
    }
    return model.replace(
        weights={**model.weights, **changed}, preprocessing=dataclasses.replace(old, mean=mean, scale=scale)
    )


def with_own_pixels(model: Model) -> Model:
    """The model with the mean and scale that this project's own models have."""
    usual = default_preprocessing(model.spec.resolution, model.spec.channels)
    return with_pixels(model, usual.mean, usual.scale)
