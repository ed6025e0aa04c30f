"""What a bf16 network answers: the oracle's sums in float64, of numbers rounded where bf16 rounds them.

Devices sum in float32 and in another order, so that now and then a number goes to the other neighbour.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.compiler.lower import Lowered, Operation
from depthwise.compiler.lower_bf16 import Doubles, floats, halves
from depthwise.network import reference


def rounded(values: Doubles) -> Doubles:
    """Numbers of bfloat16, as float64."""
    return floats(halves(values.astype(np.float32))).astype(np.float64)


def logits(lowered: Lowered, activation: str, pixels: NDArray[np.uint8]) -> Doubles:
    """(B, labels) of prepared pixels (B, H, W, C).

    Args:
        lowered: what `lower_bf16` gives.
        activation: the network's.
    """
    x: NDArray[Any] = rounded(pixels.astype(np.float64) - lowered.edge)
    for operation in lowered.operations:
        x = layer(operation, x, activation)
        if operation.layer.kind not in ("pool", "classifier"):
            x = rounded(x)
    return x[:, 0, 0]


def layer(operation: Operation, x: Doubles, activation: str) -> Doubles:
    """One operation on (B, H, W, C) values without their padding, before what it gives is rounded."""
    row, weight = operation.layer, operation.weight.astype(np.float64)
    match row.kind:
        case "pool":
            return np.asarray(reference.pool(x), np.float64)
        case "classifier":
            return np.asarray(x @ weight[0] + operation.bias)
        case "depthwise":
            sums = reference.depthwise(x, weight.T.reshape(-1, 1, 3, 3), row.stride, row.padding)
        case _:
            taps = weight.reshape(row.kernel, row.kernel, row.input.channels, -1).transpose(3, 2, 0, 1)
            sums = reference.convolution(x, taps, row.stride, row.padding)
    return np.asarray(reference.activate(sums + operation.bias, activation), np.float64)
