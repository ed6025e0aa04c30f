"""ONNX's nodes without weights as operations: limits, sums and products with constants, padding, levels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.chain import Affine, Clamp, Levels, Operation, Saturation
from depthwise.interop.onnx.file import attributes
from depthwise.interop.onnx.reading import Reading
from depthwise.network.weights import Array


def clamp(of: Reading, node: Any, options: dict[str, Any], value: str) -> Clamp:
    """The limits of Relu, Clip, Min or Max."""
    where, low, high = of.nodes.where(node), -math.inf, math.inf
    match node.op_type:
        case "Relu":
            low = 0.0
        case "Clip":
            bounds = [of.nodes.optional(node, place) for place in (1, 2)]
            low = float(options.get("min", low)) if bounds[0] is None else _number(bounds[0], where)
            high = float(options.get("max", high)) if bounds[1] is None else _number(bounds[1], where)
        case _:
            limit = _number(of.nodes.other(node, value), where)
            low, high = (limit, high) if node.op_type == "Max" else (low, limit)
    return Clamp(where=where, low=low, high=high)


def affine(of: Reading, node: Any, value: str) -> Affine:
    """A sum, difference, product or quotient with a constant: one number, or one a channel."""
    where, code = of.nodes.where(node), node.op_type
    values = of.nodes.other(node, value).astype(np.float64)
    if code == "Div" and node.input[0] != value:
        raise Refused(f"{where} divides a constant by its data; MobileNet V1 does not")
    values = of.axes.along_channels(values, where)
    one, nothing = np.ones(()), np.zeros(())
    with np.errstate(all="ignore"):
        scale = {"Mul": values, "Div": one / values}.get(code, one)
    shift = {"Add": values, "Sub": -values}.get(code, nothing)
    if code == "Sub" and node.input[0] != value:
        scale, shift = -one, values
    return Affine(where=where, scale=scale, shift=shift)


def pad(of: Reading, node: Any, options: dict[str, Any]) -> list[Operation]:
    """Rows and columns of zeros."""
    where, mode = of.nodes.where(node), options.get("mode", "constant")
    sides = options.get("pads") or [int(n) for n in of.nodes.input(node, 1).reshape(-1)]
    value, axes = of.nodes.optional(node, 2), of.nodes.optional(node, 3)
    if axes is not None:
        spread, half = [0] * 8, len(sides) // 2
        for place, axis in enumerate(axes.reshape(-1)[:half].tolist()):
            spread[int(axis) % 4], spread[int(axis) % 4 + 4] = sides[place], sides[half + place]
        sides = spread
    filled = options.get("value", 0) if value is None else np.any(value)
    if mode != "constant" or filled or len(sides) != 8 or min(sides) < 0:
        raise Refused(f"{where} is no padding of height and width with zeros; MobileNet V1 has no other")
    return of.axes.pad(list(zip(sides[:4], sides[4:], strict=True)), where)


def quantise(of: Reading, node: Any) -> list[Operation]:
    """A QuantizeLinear: the levels that its bytes can say."""
    scale, zero = of.nodes.input(node, 1), of.nodes.optional(node, 2)
    if scale.size != 1 or (zero is not None and (zero.size != 1 or zero.dtype.kind not in "iu")):
        raise Refused(f"{of.nodes.where(node)} quantises each channel apart; MobileNet V1 does so for weights only")
    kind = np.dtype(np.uint8) if zero is None else zero.dtype
    if kind.itemsize != 1:
        raise Refused(
            f"{of.nodes.where(node)} quantises to {kind}, not to bytes; export the float network, or take bytes"
        )
    point = 0 if zero is None else int(zero.reshape(()))
    levels = Levels(scale=float(scale.reshape(())), zero=point - int(np.iinfo(kind).min))
    return [Saturation(where=of.nodes.where(node), levels=levels)]


def dequantise(of: Reading, node: Any) -> list[Operation]:
    """Nothing behind a QuantizeLinear; on the input itself what its bytes stand for."""
    if of.chain.offset is None or of.chain.operations:
        return []
    scale, zero = of.nodes.input(node, 1).astype(np.float64), of.nodes.optional(node, 2)
    values = np.zeros(()) if zero is None else zero.astype(np.float64)
    if scale.size > 1 or values.size > 1:
        of.axes.take_channels(attributes(node).get("axis", 1), of.nodes.where(node), "has a number for each row")
    scale, values = scale.reshape(-1), values.reshape(-1)
    return [Affine(where=of.nodes.where(node), scale=scale, shift=-scale * values)]


def _number(values: Array, where: str) -> float:
    if values.size != 1:
        raise Refused(f"{where} has a limit for each of {values.size} values; MobileNet V1 has one")
    return float(values.reshape(()))
