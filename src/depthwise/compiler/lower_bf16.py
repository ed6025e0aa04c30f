"""Weights of a float network as bfloat16, so that its answers move as little as they can.

The nearest bfloat16 of each weight is not the best: its error is the same in every place of every image, and what it
adds to a sum on average stays through the network, where the errors of activations cancel out. Two things are done:

* The factors of stem and depthwise kernels meet neighbouring pixels, which are alike. Some of them are rounded to the
  second nearest, so that the errors of a kernel add up to almost nothing.
* What is left is taken off the bias, for inputs as they are on average. A normalised layer's outputs have mean beta and
  deviation gamma before its activation, and are taken to be normal (arXiv:1906.04721 section 4.2.1); no images needed.

Sizes: K factors of a sum, C input channels, N output channels.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from depthwise.compiler.lower import Floats, Lowered, Operation
from depthwise.errors import Refused
from depthwise.network.layers import layers
from depthwise.network.live import Live
from depthwise.network.model import Model

Halves = NDArray[np.uint16]
Doubles = NDArray[np.float64]

# How alike neighbouring pixels are, as correlation. On natural images 0.7 and 0.97 gave the same labels.
_ALIKE = 0.9
_MOST = {"relu6": 6.0, "relu": math.inf}


def halves(values: Floats) -> Halves:
    """Float32 values that are no NaN as the nearest bfloat16, the upper half of a float32; halves to even."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.uint64)
    return np.asarray((bits + 0x7FFF + (bits >> 16 & 1)) >> 16, np.uint16)


def floats(values: Halves) -> Floats:
    """Bfloat16 values as float32, exactly."""
    return (values.astype(np.uint32) << 16).view(np.float32)


def lower_bf16(lowered: Lowered, model: Model, found: Live | None) -> Lowered:
    """A lowered float network with weights that are numbers of bfloat16, and biases that make up for it.

    Args:
        found: as `lowered` was made; None where it has all channels.
    Raises: Refused, naming the layer, when a weight does not fit into bfloat16.
    """
    operations = []
    means: Doubles | None = None
    for number, (operation, layer) in enumerate(zip(lowered.operations, layers(model.spec), strict=True)):
        operations.append(operation if layer.kind == "pool" else _rounded(operation, means))
        if layer.norm:
            kept = np.arange(layer.output.channels) if found is None else found.layers[number].outputs
            beta = model.weights[f"{layer.norm}.bias"].astype(np.float64)[kept]
            gamma = model.weights[f"{layer.norm}.weight"].astype(np.float64)[kept]
            # A layer may be filled up with channels that are 0 (thin.py).
            means = np.zeros(operation.layer.output.channels)
            means[: kept.size] = activated_means(beta, np.abs(gamma), _MOST[model.spec.activation])
    return replace(lowered, precision="bf16", operations=tuple(operations))


def activated_means(mean: Doubles, deviation: Doubles, most: float) -> Doubles:
    """Means of normal values after a clamp from 0 to `most`."""
    spread = np.maximum(deviation, 1e-12)
    low, high = -mean / spread, (most - mean) / spread
    inside = mean * (_below(high) - _below(low)) + spread * (_density(low) - _density(high))
    above = most * (1 - _below(high)) if math.isfinite(most) else 0.0
    return np.asarray(inside + above)


def balanced(weight: Doubles) -> Floats:
    """(K, N) weights as bfloat16 values, each the nearest or the second nearest, whose errors cancel out in each sum.

    What is made small is the mean square of sum(error x value) over values of which any two correlate by `_ALIKE`;
    beginning with the nearest, the change that helps most is made until none helps.
    """
    nearest = floats(halves(weight.astype(np.float32)))
    error = nearest - weight
    bits = nearest.view(np.uint32)
    # One step away from zero where the nearest is too small in size, else one towards it.
    away = (np.abs(nearest) < np.abs(weight)).astype(np.uint32) * 2
    second = np.where(bits << 1 == 0, nearest, (bits + (away << 16) - (np.uint32(1) << 16)).view(np.float32))
    other = second - weight
    columns = np.arange(weight.shape[1])
    for _ in range(len(weight)):
        total = error.sum(axis=0)
        gain = _ALIKE * ((total + other - error) ** 2 - total**2) + (1 - _ALIKE) * (other**2 - error**2)
        best = gain.argmin(axis=0)
        change = columns[gain[best, columns] < 0]
        if not change.size:
            break
        at = (best[change], change)
        error[at], other[at] = other[at], error[at]
    return np.asarray((weight + error).astype(np.float32))


def _rounded(operation: Operation, means: Doubles | None) -> Operation:
    """One layer; `means` (C,) of its inputs, None for pixels, whose mean is taken off."""
    layer = operation.layer
    weight = operation.weight.astype(np.float64)
    flat = weight.reshape(-1, weight.shape[-1])
    rounded = balanced(flat) if layer.kind in ("stem", "depthwise") else floats(halves(flat.astype(np.float32)))
    if not np.isfinite(rounded).all():
        raise Refused(f"layer {layer.name}: a weight does not fit into bf16; compile to float32")
    error = rounded - flat
    bias = operation.bias.astype(np.float64)
    if means is not None:
        # Inputs are in turn over the kernel's columns; a depthwise sum has its own channel alone.
        inputs = np.resize(means, len(flat))[:, None] if layer.kind != "depthwise" else means
        bias = bias - (error * inputs).sum(axis=0)
    return replace(operation, weight=rounded.reshape(weight.shape), bias=bias.astype(np.float32))


def _density(z: Doubles) -> Doubles:
    return np.asarray(np.exp(-z * z / 2) / math.sqrt(2 * math.pi))


def _below(z: Doubles) -> Doubles:
    """The share of normal values below."""
    return np.array([(1 + math.erf(value / math.sqrt(2))) / 2 for value in z])
