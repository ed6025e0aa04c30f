"""Nodes of ONNX's QOperator form, in which operations themselves are of bytes, as real numbers and levels.

Source: the definitions of QLinearConv and QLinearMatMul in ONNX's operators, and of the others in onnxruntime's
ContribOperators.md. Each has value, scale and zero point of its inputs, then scale and zero point of its output.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.chain import Integers, Levels
from depthwise.network.weights import Array

READ = ("QLinearConv", "QLinearMatMul", "QGemm", "QLinearGlobalAveragePool", "QLinearAveragePool", "QLinearSoftmax")
Inputs = Callable[[int], Array]


@dataclass(frozen=True, kw_only=True)
class Form:
    """A node as its float counterpart.

    Attributes:
        weight: (N, C, K, K) of a convolution, (N, C) of a product.
        levels: of the output, None where that is real.
    """

    kind: Literal["convolution", "dense", "pool", "softmax"]
    weight: Array = field(default_factory=lambda: np.zeros(0))
    bias: Array | None = None
    integers: Integers | None = None
    levels: Levels | None = None


def read(code: str, inputs: Inputs, count: int, options: dict[str, Any], where: str) -> Form:
    """What a node of this form does.

    Args:
        inputs: the constant at a place; the data is at place 0.
        count: number of inputs.
    Raises: Refused, when a scale or zero point is none.
    """
    match code:
        case "QLinearConv":
            weight, integers, step = _weight(inputs, 3, 0, where)
            bias = _bias(inputs, 8, step) if count > 8 else None
            return Form(
                kind="convolution", weight=weight, bias=bias, integers=integers, levels=_levels(inputs, 6, where)
            )
        case "QLinearMatMul":
            weight, integers, _ = _weight(inputs, 3, 1, where)
            return Form(kind="dense", weight=weight, integers=integers, levels=_levels(inputs, 6, where))
        case "QGemm":
            turned = bool(options.get("transB", 0))
            weight, integers, step = _weight(inputs, 3, 0 if turned else 1, where)
            bias = _bias(inputs, 6, step) if count > 6 else None
            levels = _levels(inputs, 7, where) if count > 8 else None
            return Form(kind="dense", weight=weight, bias=bias, integers=integers, levels=levels)
        case "QLinearGlobalAveragePool" | "QLinearAveragePool":
            if options.get("channels_last", 0):
                raise Refused(f"{where} has channels last; quantise with QuantFormat.QDQ, or export the float network")
            return Form(kind="pool", levels=_levels(inputs, 3, where))
    return Form(kind="softmax")


def _weight(inputs: Inputs, place: int, axis: int, where: str) -> tuple[Array, Integers | None, Array]:
    """A weight with its outputs first, its bytes where they have one zero point, and (N,) or () steps of its sums."""
    numbers, scale, zero = inputs(place), inputs(place + 1).astype(np.float64), inputs(place + 2)
    before = inputs(1).astype(np.float64)
    if numbers.ndim not in (2, 4) or before.size != 1 or not {scale.size, zero.size} <= {1, numbers.shape[axis]}:
        raise Refused(f"{where}: its weight has shape {numbers.shape} and {scale.size} scales; it is damaged")
    shape = [1] * numbers.ndim
    shape[axis] = -1
    weight = ((numbers.astype(np.float64) - zero.reshape(shape)) * scale.reshape(shape)).astype(np.float32)
    turned = axis == 1
    integers = Integers.of(numbers.T if turned else numbers, scale, zero)
    return (weight.T if turned else weight), integers, scale.reshape(-1) * before.reshape(())


def _bias(inputs: Inputs, place: int, step: Array) -> Array:
    bias: Array = inputs(place).reshape(-1).astype(np.float64) * step
    return bias


def _levels(inputs: Inputs, place: int, where: str) -> Levels:
    scale, zero = inputs(place), inputs(place + 1)
    if scale.size != 1 or zero.size != 1 or zero.dtype.kind not in "iu" or zero.dtype.itemsize != 1:
        raise Refused(f"{where} quantises to {zero.dtype} of {scale.size} scales; only bytes of one scale are read")
    return Levels(scale=float(scale.reshape(())), zero=int(zero.reshape(())) - int(np.iinfo(zero.dtype).min))
