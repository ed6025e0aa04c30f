"""A float network in float16, for GPUs: weights of the layers that have many are rounded to it, sums stay float32."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from depthwise.compiler.lower.lower import Lowered, Operation
from depthwise.errors import Refused
from depthwise.network.live import Live
from depthwise.network.model import Model


def lower_float16(lowered: Lowered, model: Model, found: Live | None) -> Lowered:
    """A lowered float network whose pointwise layers and classifier have float16 weights.

    Raises: Refused, naming the layer, when a weight does not fit into float16.
    """
    return replace(lowered, precision="float16", operations=tuple(map(_narrow, lowered.operations)))


def _narrow(operation: Operation) -> Operation:
    if operation.layer.kind not in ("pointwise", "standard", "classifier"):
        return operation
    with np.errstate(over="ignore"):
        narrow = operation.weight.astype(np.float16)
    if not np.isfinite(narrow).all():
        raise Refused(
            f"layer {operation.layer.name}: a weight of {np.abs(operation.weight).max():,.0f} does not fit into"
            " float16; quantise the model to int8, or compile it for a processor"
        )
    return replace(operation, weight=narrow)
