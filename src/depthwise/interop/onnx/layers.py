"""ONNX's nodes with weights as operations: convolutions, normalisations, products, and their forms of bytes."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.axes import FIRST
from depthwise.interop.chain import (
    NO_PADDING,
    Convolution,
    Dense,
    Integers,
    Norm,
    Operation,
    Pool,
    Saturation,
    Softmax,
)
from depthwise.interop.onnx import qoperator
from depthwise.interop.onnx.file import short
from depthwise.interop.onnx.reading import Reading
from depthwise.network.layers import Padding
from depthwise.network.weights import Array


def convolution(of: Reading, node: Any, options: dict[str, Any]) -> list[Operation]:
    """A Conv, with what came before it where it is the first."""
    bias, integers = of.nodes.optional(node, 2), of.nodes.integers(node, axis=0)
    return _convolved(of, node, options, of.nodes.input(node, 1), bias, integers)


def _convolved(
    of: Reading, node: Any, options: dict[str, Any], weight: Array, bias: Array | None, integers: Integers | None
) -> list[Operation]:
    where = of.nodes.where(node)
    if weight.ndim != 4 or weight.size == 0:
        raise Refused(f"{where}: its weight has shape {weight.shape}; MobileNet V1 convolves over height and width")
    if any(n != 1 for n in options.get("dilations", ())):
        raise Refused(f"{where} is dilated; MobileNet V1 has no dilated convolution")
    group, strides = options.get("group", 1), options.get("strides", [1, 1])
    depthwise = group > 1
    if depthwise and (weight.shape[1] != 1 or weight.shape[0] != group):
        raise Refused(f"{where} has {group} groups for {weight.shape[0]} channels; MobileNet V1 has 1 or as many")
    if len(strides) != 2:
        raise Refused(f"{where} has strides {strides[:6]}; MobileNet V1 has one for height and one for width")
    made = Convolution(
        where=where,
        weight=weight.astype(np.float32),
        bias=bias,
        stride=(strides[0], strides[1]),
        padding=_padding(where, options),
        depthwise=depthwise,
        integers=integers,
    )
    return [*of.axes.convolve(FIRST, of.chain, weight.shape[0], where), made]


def norm(of: Reading, node: Any, options: dict[str, Any]) -> Norm:
    """A BatchNormalization."""
    weight, bias, mean, variance = (of.nodes.input(node, place) for place in range(1, 5))
    return Norm(
        where=of.nodes.where(node),
        weight=weight,
        bias=bias,
        mean=mean,
        variance=variance,
        # The attribute is a float32, so that 1e-3 comes as 0.0010000000474974513.
        epsilon=float(str(np.float32(options.get("epsilon", 1e-5)))),
    )


def dense(of: Reading, node: Any, options: dict[str, Any], value: str) -> Dense:
    """A Gemm or MatMul with a constant on its right."""
    where = of.nodes.where(node)
    if node.input[0] != value:
        raise Refused(f"{where} has its weight on the left; MobileNet V1's classifier has it on the right")
    weight, bias = of.nodes.input(node, 1), None
    if weight.ndim != 2:
        raise Refused(f"{where}: its weight has shape {weight.shape}; MobileNet V1's classifier is a matrix")
    if node.op_type == "Gemm":
        if options.get("transA", 0) or options.get("alpha", 1.0) != 1 or options.get("beta", 1.0) != 1:
            raise Refused(f"{where} scales or turns its operands; MobileNet V1's classifier does not")
        bias = of.nodes.optional(node, 2)
    of.axes.take_channels(-1, where, "multiplies along another axis")
    turned = node.op_type == "Gemm" and options.get("transB", 0)
    integers = of.nodes.integers(node, axis=0 if turned else 1)
    if integers is not None and not turned:
        integers = dataclasses.replace(integers, weight=integers.weight.T)
    return Dense(
        where=where,
        weight=(weight if turned else weight.T).astype(np.float32),
        bias=None if bias is None else bias.reshape(-1),
        integers=integers,
    )


def of_qoperator(of: Reading, node: Any, options: dict[str, Any]) -> list[Operation]:
    """A node of the QOperator form, and the levels of its output."""
    where = of.nodes.where(node)
    form = qoperator.read(node.op_type, lambda place: of.nodes.input(node, place), len(node.input), options, where)
    made: list[Operation]
    match form.kind:
        case "convolution":
            made = _convolved(of, node, options, form.weight, form.bias, form.integers)
        case "dense":
            of.axes.take_channels(-1, where, "multiplies along another axis")
            made = [Dense(where=where, weight=form.weight, bias=form.bias, integers=form.integers)]
        case "pool":
            of.axes.pooled(where)
            made = [Pool(where=where) if "kernel_shape" not in options else pool(where, options)]
        case _:
            of.axes.take_channels(options.get("axis", -1), where, "compares along another axis")
            return [Softmax(where=where)]
    return [*made, *([] if form.levels is None else [Saturation(where=where, levels=form.levels)])]


def _padding(where: str, options: dict[str, Any]) -> Padding | Literal["same"]:
    match options.get("auto_pad", "NOTSET"):
        case "SAME_UPPER":
            return "same"
        case "VALID":
            return NO_PADDING
        case "NOTSET":
            sides = options.get("pads", [0, 0, 0, 0])
            if len(sides) != 4:
                raise Refused(f"{where} pads {len(sides)} sides; MobileNet V1 pads four")
            return Padding(top=sides[0], left=sides[1], bottom=sides[2], right=sides[3])
        case other:
            raise Refused(f"{where} pads by {short(str(other))}; MobileNet V1 pads evenly or at the end")


def pool(where: str, options: dict[str, Any]) -> Pool:
    """An AveragePool over a whole image."""
    kernel = options.get("kernel_shape", [])
    padded = any(options.get("pads", ())) or options.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID")
    if len(kernel) != 2 or padded:
        raise Refused(f"{where} pads its image; MobileNet V1 takes the mean of the whole image once")
    return Pool(where=where, kernel=(kernel[0], kernel[1]))
