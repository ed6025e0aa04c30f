"""Constants in the order in which kernels for GPUs read them: the headers of kernels/cuda say how.

Sizes: K values under a kernel, C input channels, N output channels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.compiler.lower.lower import Lowered, Operation
from depthwise.compiler.pack import Parts
from depthwise.compiler.words import Array
from depthwise.kernels.weights import Floats

_SIGNED_BYTE = np.iinfo(np.int8)


def pack_for_gpu(lowered: Lowered, answers: Floats) -> Parts:
    """The constants of a network: a part for each layer by its name, and what `Parts` has beside them.

    Args:
        answers: (cases, classes), the oracle's, to the golden images.
    """
    layout = _rounding_layer if lowered.rounds else _float_layer
    arrays = {operation.layer.name: _words(*layout(operation)) for operation in lowered.operations}
    some = lowered.features
    if lowered.rounds:
        pool = next(operation for operation in lowered.operations if operation.layer.kind == "pool")
        assert pool.rounding is not None
        arrays["features"] = _words(pool.rounding.scale if some is None else some.scale)
    if some is not None:
        arrays["constant_features"] = _words(some.values)
    return Parts(arrays={**arrays, "golden": _words(answers.astype(np.float32))}, laid={})


def planes(weight: NDArray[Any]) -> list[NDArray[np.int8]]:
    """Factors as signed bytes: as they are where they fit, else twice the first of two arrays and once the second."""
    if weight.size == 0 or (weight.min() >= _SIGNED_BYTE.min and weight.max() <= _SIGNED_BYTE.max):
        return [weight.astype(np.int8)]
    half = weight >> 1
    return [half.astype(np.int8), (weight - 2 * half).astype(np.int8)]


def _rounding_layer(operation: Operation) -> list[NDArray[Any]]:
    """Factors, biases and multipliers of an int8 layer, and the scales of labels."""
    assert operation.rounding is not None
    ends: list[NDArray[Any]] = [operation.bias.astype(np.int32), operation.rounding.multiplier]
    match operation.layer.kind:
        case "stem" | "depthwise":
            return [operation.weight.astype(np.int16), *ends]
        case "pool":
            return ends
        case "classifier":
            ends.append(operation.rounding.scale)
    return [*(_several(plane[0], 4) for plane in planes(operation.weight)), *ends]


def _float_layer(operation: Operation) -> list[NDArray[Any]]:
    """Factors and biases of a layer; a pool has none."""
    match operation.layer.kind:
        case "stem" | "depthwise" | "pool":
            return [operation.weight, operation.bias]
    return [_several(operation.weight[0], 2), operation.bias]


def _several(weight: NDArray[Any], count: int) -> NDArray[Any]:
    """(K, N) factors as (K / count, N, count): those that lie in one word stand last."""
    K, N = weight.shape
    return weight.reshape(K // count, count, N).transpose(0, 2, 1)


def _words(*parts: NDArray[Any]) -> Array:
    """The bytes of arrays one behind the other, as words."""
    return np.frombuffer(b"".join(np.ascontiguousarray(part).tobytes() for part in parts), "<u4").astype(np.uint32)
