"""A float network in bfloat16, so that its answers move as little as they can.

The error of a bfloat16 is in proportion to its size. So what a layer hands on is kept less the mean of its channel,
which is added to the biases behind it: the numbers that are rounded are then smaller, about half as large on average.
A mean that is wrong costs precision and nothing else.

The nearest bfloat16 of each weight is not the best: its error is the same in every place of every image, and what it
adds to a sum on average stays through the network, where the errors of activations cancel out. Two things are done:

* The factors of stem and depthwise kernels meet neighbouring pixels, which are alike. Some of them are rounded to the
  second nearest, so that the errors of a kernel add up to almost nothing.
* What is left is taken off the bias, for inputs as they are on average.

Sizes: K factors of a sum, C input channels, N output channels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from depthwise.compiler.lower.lower import Lowered, Operation
from depthwise.compiler.lower.means import Doubles, channel_means
from depthwise.errors import Refused
from depthwise.kernels.bfloat16 import floats, halves
from depthwise.kernels.weights import Bounds, Floats
from depthwise.network.layers import Layer, layers
from depthwise.network.live import Live
from depthwise.network.model import Model
from depthwise.network.spec import ACTIVATIONS

# How alike neighbouring pixels are, as correlation. On natural images 0.7 and 0.97 gave the same labels.
_ALIKE = 0.9
# Multiples of it up to 6, and what is left to 6, are numbers of bfloat16.
_GRID = 2.0**-5


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """What is known of a layer's inputs.

    Attributes:
        means: (C,) of the real values.
        kept: (C,) what is taken off them before they are rounded.
    """

    means: Doubles
    kept: Doubles


def lower_bf16(lowered: Lowered, model: Model, found: Live | None) -> Lowered:
    """A lowered float network with weights that are numbers of bfloat16, and biases and bounds that go with them.

    Args:
        found: as `lowered` was made; None where it has all channels.
    Raises: Refused, naming the layer, when a weight does not fit into bfloat16.
    """
    operations = []
    most = ACTIVATIONS[model.spec.activation]
    by_name = channel_means(model)
    inputs: Inputs | None = None
    table = layers(model.spec)
    for number, (operation, layer) in enumerate(zip(lowered.operations, table, strict=True)):
        if layer.kind == "pool":
            operations.append(operation)
            continue
        made = _rounded(operation, inputs)
        if layer.norm:
            left = slice(None) if found is None else found.layers[number].outputs
            # A layer may be filled up with channels that are 0 (thin.py).
            means = _padded(by_name[layer.name][left], operation.layer.output.channels)
            # Pooled features are read as they are.
            kept = centres(means, most) if table[number + 1].kind != "pool" else np.zeros(means.size)
            inputs = Inputs(means=means, kept=kept)
            made = _bounded(made, kept, most)
        operations.append(made)
    return replace(lowered, precision="bf16", operations=tuple(operations))


def centres(means: Doubles, most: float) -> Doubles:
    """Numbers near the means of channels such that both bounds, less them, are numbers of bfloat16."""
    if math.isfinite(most):
        # A sum with 0 makes no -0: less a centre of that, 0 would lie above the bound below.
        return np.asarray(np.clip(np.rint(means / _GRID) * _GRID, 0, most) + 0.0)
    return floats(halves(np.maximum(means, 0).astype(np.float32))).astype(np.float64) + 0.0


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


def _padded(values: Doubles, size: int) -> Doubles:
    return np.pad(values, (0, size - values.size))


def _bounded(operation: Operation, kept: Doubles, most: float) -> Operation:
    """The same with outputs that are less by (N,) `kept`."""
    bounds = Bounds(low=(-kept).astype(np.float32), high=(most - kept).astype(np.float32))
    return replace(operation, bias=(operation.bias - kept).astype(np.float32), bounds=bounds)


def _rounded(operation: Operation, inputs: Inputs | None) -> Operation:
    """One layer; its inputs are None for pixels, whose mean is taken off."""
    layer = operation.layer
    weight = operation.weight.astype(np.float64)
    flat = weight.reshape(-1, weight.shape[-1])
    rounded = balanced(flat) if layer.kind in ("stem", "depthwise") else floats(halves(flat.astype(np.float32)))
    if not np.isfinite(rounded).all():
        raise Refused(f"layer {layer.name}: a weight does not fit into bf16; compile to float32")
    error = rounded - flat
    bias = operation.bias.astype(np.float64)
    if inputs is not None:
        bias = bias + (rounded * _along(inputs.kept, layer, len(flat))).sum(axis=0)
        bias = bias - (error * _along(inputs.means, layer, len(flat))).sum(axis=0)
    return replace(operation, weight=rounded.reshape(weight.shape), bias=bias.astype(np.float32))


def _along(values: Doubles, layer: Layer, K: int) -> Doubles:  # noqa: N803
    """(C,) values of inputs at the factors that they meet: (K, 1), or (C,) of depthwise sums, of one input each."""
    return values if layer.kind == "depthwise" else np.resize(values, K)[:, None]
