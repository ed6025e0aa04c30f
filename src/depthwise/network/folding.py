"""Batch normalisation and the scale of pixels, folded into the weights that they follow or precede."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthwise.errors import Refused
from depthwise.network.layers import Layer, layers
from depthwise.network.model import Model

Doubles = NDArray[np.float64]


class Folded(NamedTuple):
    """A layer as a plain sum of products: weight, float64 and shaped as in PyTorch, and (N,) bias."""

    weight: Doubles
    bias: Doubles


def fold(model: Model) -> dict[str, Folded]:
    """Every layer with weights, by name. The first layer's input is then `pixel - mean`.

    Raises: Refused, naming the layer, when a folded value is not finite.
    """
    return {layer.name: _fold(model, layer) for layer in layers(model.spec) if layer.kind != "pool"}


def _fold(model: Model, layer: Layer) -> Folded:
    weight = model.weights[f"{layer.name}.weight"].astype(np.float64)
    factor, bias = affine(model, layer)
    if layer.kind == "stem":
        weight = weight * np.array(model.preprocessing.scale)[None, :, None, None]
    weight = weight * factor.reshape(-1, *[1] * (weight.ndim - 1))
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise Refused(f"layer {layer.name}: {layer.norm or 'its bias'} makes a weight that is not finite; train again")
    return Folded(weight, bias)


def affine(model: Model, layer: Layer) -> tuple[Doubles, Doubles]:
    """What follows a layer's products, as factor and bias of each output channel (arXiv:1502.03167 algorithm 2)."""
    if not layer.norm:
        bias = model.weights[f"{layer.name}.bias"].astype(np.float64)
        return np.ones_like(bias), bias
    gamma, beta, mean, variance = (
        model.weights[f"{layer.norm}.{part}"].astype(np.float64)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    factor = gamma / np.sqrt(variance + model.spec.bn_epsilon)
    return factor, beta - mean * factor
