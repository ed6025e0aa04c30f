"""Which arrays a network has, and random ones for tests and benchmarks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.errors import Refused
from depthwise.network.layers import Layer, layers
from depthwise.network.spec import Spec

# What each batch normalisation holds, one number a channel.
NORM_FIELDS = ("weight", "bias", "running_mean", "running_var")

Array = NDArray[Any]


def expected_weights(spec: Spec) -> dict[str, tuple[int, ...]]:
    """Name and shape of every array of a network, in the order of the table.

    Convolutions are (out, in, height, width) and depthwise ones (channels, 1, height, width), as in PyTorch;
    each batch normalisation has the four arrays of `NORM_FIELDS`; the classifier a weight (classes, features) and
    a bias.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in layers(spec):
        if layer.kind == "pool":
            continue
        shapes[f"{layer.name}.weight"] = weight_shape(layer)
        if layer.kind == "classifier":
            shapes[f"{layer.name}.bias"] = (layer.output.channels,)
        if layer.norm:
            shapes |= {f"{layer.norm}.{part}": (layer.output.channels,) for part in NORM_FIELDS}
    return shapes


def weight_shape(layer: Layer) -> tuple[int, ...]:
    """Shape of a layer's weight, as in PyTorch.

    Raises: Refused, for a layer without weights.
    """
    match layer.kind:
        case "stem" | "standard" | "pointwise":
            return (layer.output.channels, layer.input.channels, layer.kernel, layer.kernel)
        case "depthwise":
            return (layer.output.channels, 1, layer.kernel, layer.kernel)
        case "classifier":
            return (layer.output.channels, layer.input.channels)
        case kind:
            raise Refused(f"layer {layer.name}: a {kind} has no weights")


def random_weights(spec: Spec, seed: int = 0) -> dict[str, Array]:
    """He-normal weights and batch statistics as after a little training, for tests and benchmarks.

    Running statistics are random too, so that a mistake in folding them shows.
    """
    rng = np.random.default_rng(seed)
    arrays: dict[str, Array] = {}
    for name, shape in expected_weights(spec).items():
        part = name.rsplit(".", 1)[1]
        if len(shape) > 1:
            fan_in = int(np.prod(shape[1:]))
            array = rng.normal(0, np.sqrt(2 / fan_in), shape)
        elif part == "running_var" or (part == "weight" and name != "classifier.weight"):
            array = rng.uniform(0.5, 1.5, shape)
        else:
            array = rng.normal(0, 0.1, shape)
        arrays[name] = array.astype(np.float32)
    return arrays
