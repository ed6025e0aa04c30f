"""What a bf16 network answers: the oracle's sums in float64, of numbers rounded where bf16 rounds them.

Devices sum in float32 and in another order, so that now and then a number goes to the other neighbour.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.compiler.lower.lower import Lowered, Operation
from depthwise.compiler.lower.means import Doubles
from depthwise.kernels.bfloat16 import floats, halves
from depthwise.network import reference
from depthwise.network.layers import Padding


def rounded(values: Doubles) -> Doubles:
    """Numbers of bfloat16, as float64."""
    return floats(halves(values.astype(np.float32))).astype(np.float64)


def logits(lowered: Lowered, pixels: NDArray[np.uint8]) -> Doubles:
    """(B, labels) of prepared pixels (B, H, W, C); `lowered` is what `lower.bf16` gives."""
    x: NDArray[Any] = rounded(pixels.astype(np.float64) - lowered.edge)
    zeros: NDArray[Any] = np.zeros(x.shape[-1])
    for operation in lowered.operations:
        x = layer(operation, x, zeros)
        if operation.bounds is not None:
            x, zeros = rounded(x), operation.bounds.low.astype(np.float64)
    return x[:, 0, 0]


def layer(operation: Operation, x: Doubles, zeros: Doubles) -> Doubles:
    """One operation on (B, H, W, C) values without their padding, before what it gives is rounded.

    Args:
        zeros: (C,), what stands for 0 in the padding.
    """
    row, weight = operation.layer, operation.weight.astype(np.float64)
    if row.kind == "pool":
        return np.asarray(reference.pool(x), np.float64)
    if row.kind == "classifier":
        return np.asarray(x @ weight[0] + operation.bias)
    pad = row.padding
    x = np.pad(x - zeros, ((0, 0), (pad.top, pad.bottom), (pad.left, pad.right), (0, 0))) + zeros
    if row.kind == "depthwise":
        sums = reference.depthwise(x, weight.T.reshape(-1, 1, 3, 3), row.stride, Padding())
    else:
        taps = weight.reshape(row.kernel, row.kernel, row.input.channels, -1).transpose(3, 2, 0, 1)
        sums = reference.convolution(x, taps, row.stride, Padding())
    assert operation.bounds is not None
    return np.asarray(np.clip(sums + operation.bias, operation.bounds.low, operation.bounds.high))
