"""The nodes of an ONNX file as a chain: what torch, timm, tf2onnx and this project write, in float and in QDQ int8."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any, Literal

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.chain import (
    NO_PADDING,
    Affine,
    Chain,
    Clamp,
    Convolution,
    Dense,
    Integers,
    Levels,
    Norm,
    Operation,
    Pad,
    Pool,
    Reshape,
    Saturation,
    Softmax,
)
from depthwise.interop.onnx_file import Constants, attributes, short
from depthwise.network.layers import Padding
from depthwise.network.weights import Array

_RESHAPES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose")
_PASSES = ("Identity", "Dropout", "Cast")
_TO_CHANNELS_FIRST = [0, 3, 1, 2]


def chain(graph: Any, folder: Path) -> Chain:
    """The chain of a graph's nodes.

    Args:
        folder: where the file lies.
    Raises: Refused, naming the first node that no MobileNet V1 has.
    """
    walk = _Walk(graph, folder)
    walk.run()
    return walk.chain


class _Walk:
    """From the input to the output, one node after the other."""

    def __init__(self, graph: Any, folder: Path) -> None:
        self._constants = Constants(graph, folder)
        fixed = {tensor.name for tensor in graph.initializer}
        inputs = [entry for entry in graph.input if entry.name not in fixed]
        if len(inputs) != 1 or len(graph.output) != 1:
            raise Refused(f"it has {len(inputs)} inputs and {len(graph.output)} outputs; MobileNet V1 has one of each")
        # protobuf makes a new Python object each time a node is asked for; those of this list keep their ids.
        self._nodes = list(graph.node)
        self._places = {id(node): f"node {place} ({short(node.op_type)})" for place, node in enumerate(self._nodes)}
        self._readers = self._data_readers(fixed)
        self._value, self._end = inputs[0].name, graph.output[0].name
        self._size = _size(inputs[0])
        self.chain = Chain(height=self._size[1], width=self._size[2], channels=self._size[0])
        self._channels = self._size[0]
        self._steps = len(self._nodes) + 1

    def _data_readers(self, fixed: set[str]) -> dict[str, list[Any]]:
        """Who reads each value that depends on the pixels. Constants and the arithmetic of shapes stand aside."""
        aside = fixed | {""}
        readers: dict[str, list[Any]] = {}
        for node in self._nodes:
            if node.op_type == "Shape" or all(name in aside for name in node.input):
                aside.update(node.output)
                continue
            for name in set(node.input) - aside:
                readers.setdefault(name, []).append(node)
        return readers

    def run(self) -> None:
        for _ in range(self._steps):
            if self._value == self._end:
                return
            self._step()
        raise Refused("its nodes run in a circle; it is damaged")

    def _step(self) -> None:
        readers = self._readers.get(self._value, [])
        if not readers:
            raise Refused(f"value {short(self._value)!r} is read by nobody and is not the output; it is damaged")
        if len(readers) > 1:
            raise Refused(
                f"{self._where(readers[1])} reads what {self._where(readers[0])} reads, too; MobileNet V1 has no"
                " branches, is this another network?"
            )
        node = readers[0]
        if not node.output:
            raise Refused(f"{self._where(node)} has no output; it is damaged")
        if node.domain not in ("", "ai.onnx"):
            raise Refused(f"{self._where(node)} is of {short(node.domain)!r}, not of ONNX; export plain ONNX")
        for operation in self._operations(node, attributes(node)):
            self.chain.add(operation)
        self._value = node.output[0]

    def _where(self, node: Any) -> str:
        return self._places[id(node)]

    def _operations(self, node: Any, options: dict[str, Any]) -> list[Operation]:
        where = self._where(node)
        match node.op_type:
            case "Conv":
                return [self._convolution(node, options)]
            case "BatchNormalization":
                return [self._norm(node, options)]
            case "Relu" | "Clip" | "Min" | "Max":
                return [self._clamp(node, options)]
            case "Pad":
                return [self._pad(node, options)]
            case "GlobalAveragePool":
                return [Pool(where=where)]
            case "AveragePool":
                return [_pool(where, options)]
            case "ReduceMean":
                axes = options.get("axes") or [int(n) for n in self._input(node, 1).reshape(-1)]
                if sorted(int(axis) % 4 for axis in axes) != [2, 3]:
                    raise Refused(f"{where} is over axes {axes[:6]}; MobileNet V1 takes the mean over 2 and 3")
                return [Pool(where=where)]
            case "Gemm" | "MatMul":
                return [self._dense(node, options)]
            case "Add" | "Sub" | "Mul" | "Div":
                return [self._affine(node)]
            case "QuantizeLinear":
                return self._quantise(node)
            case "DequantizeLinear":
                return []
            case "Softmax":
                return [Softmax(where=where)]
            case "Transpose" if options.get("perm") == _TO_CHANNELS_FIRST and not self.chain.operations:
                self._turn()
                return []
            case code if code in _PASSES:
                return []
            case code if code in _RESHAPES:
                return [Reshape(where=where)]
            case _:
                raise Refused(f"{where} is not part of MobileNet V1")

    def _turn(self) -> None:
        """The input was (images, height, width, channels), as TensorFlow has it."""
        height, width, channels = self._size
        self.chain = Chain(height=height, width=width, channels=channels)
        self._channels = channels

    def _input(self, node: Any, place: int) -> Array:
        if place >= len(node.input) or not node.input[place]:
            raise Refused(f"{self._where(node)} has {len(node.input)} inputs, too few; it is damaged")
        return self._constants.get(node.input[place], self._where(node))

    def _optional(self, node: Any, place: int) -> Array | None:
        return self._input(node, place) if place < len(node.input) and node.input[place] else None

    def _convolution(self, node: Any, options: dict[str, Any]) -> Convolution:
        where, weight = self._where(node), self._input(node, 1)
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
        bias = self._optional(node, 2)
        return Convolution(
            where=where,
            weight=weight.astype(np.float32),
            bias=bias,
            stride=(strides[0], strides[1]),
            padding=_padding(where, options),
            depthwise=depthwise,
            integers=self._integers(node, axis=0),
        )

    def _integers(self, node: Any, *, axis: int) -> Integers | None:
        """The weight as it is, where it is of signed bytes with zero point 0 and one scale a channel along an axis."""
        maker, where = self._constants.maker(node.input[1]), self._where(node)
        if maker is None or maker.op_type != "DequantizeLinear":
            return None
        weight, scales, *zeros = [self._constants.get(name, where) for name in maker.input if name]
        wanted = attributes(maker).get("axis", 1) % max(weight.ndim, 1)
        if weight.dtype != np.int8 or any(zero.any() for zero in zeros) or (scales.size > 1 and wanted != axis):
            return None
        return Integers(weight=weight, scales=scales.reshape(-1).astype(np.float64))

    def _norm(self, node: Any, options: dict[str, Any]) -> Norm:
        weight, bias, mean, variance = (self._input(node, place) for place in range(1, 5))
        return Norm(
            where=self._where(node),
            weight=weight,
            bias=bias,
            mean=mean,
            variance=variance,
            # The attribute is a float32, so that 1e-3 comes as 0.0010000000474974513.
            epsilon=float(str(np.float32(options.get("epsilon", 1e-5)))),
        )

    def _clamp(self, node: Any, options: dict[str, Any]) -> Clamp:
        where, low, high = self._where(node), -math.inf, math.inf
        match node.op_type:
            case "Relu":
                low = 0.0
            case "Clip":
                bounds = [self._optional(node, place) for place in (1, 2)]
                low = float(options.get("min", low)) if bounds[0] is None else self._number(bounds[0], where)
                high = float(options.get("max", high)) if bounds[1] is None else self._number(bounds[1], where)
            case _:
                value = self._number(self._other(node), where)
                low, high = (value, high) if node.op_type == "Max" else (low, value)
        return Clamp(where=where, low=low, high=high)

    def _number(self, values: Array, where: str) -> float:
        if values.size != 1:
            raise Refused(f"{where} has a limit for each of {values.size} values; MobileNet V1 has one")
        return float(values.reshape(()))

    def _other(self, node: Any) -> Array:
        """The constant of a node that joins a constant with the data."""
        places = [place for place, name in enumerate(node.input) if name != self._value]
        if len(node.input) != 2 or len(places) != 1:
            raise Refused(f"{self._where(node)} joins two branches; MobileNet V1 has none, is this MobileNet V2?")
        return self._input(node, places[0])

    def _affine(self, node: Any) -> Affine:
        where, code = self._where(node), node.op_type
        values = self._other(node).astype(np.float64)
        if code in ("Sub", "Div") and node.input[0] != self._value:
            raise Refused(f"{where} takes its data away from a constant; MobileNet V1 does not")
        if values.size != max(values.shape, default=1):
            raise Refused(f"{where} has a number for each pixel; MobileNet V1 has one a channel")
        values = values.reshape(-1) if values.size > 1 else values.reshape(())
        one, nothing = np.ones(()), np.zeros(())
        with np.errstate(all="ignore"):
            scale = {"Mul": values, "Div": one / values}.get(code, one)
        shift = {"Add": values, "Sub": -values}.get(code, nothing)
        return Affine(where=where, scale=scale, shift=shift)

    def _pad(self, node: Any, options: dict[str, Any]) -> Pad:
        where, mode = self._where(node), options.get("mode", "constant")
        sides = options.get("pads") or [int(n) for n in self._input(node, 1).reshape(-1)]
        value, axes = self._optional(node, 2), self._optional(node, 3)
        if axes is not None:
            spread, half = [0] * 8, len(sides) // 2
            for place, axis in enumerate(axes.reshape(-1)[:half].tolist()):
                spread[int(axis) % 4], spread[int(axis) % 4 + 4] = sides[place], sides[half + place]
            sides = spread
        filled = options.get("value", 0) if value is None else np.any(value)
        if mode != "constant" or filled or len(sides) != 8 or any(sides[i] for i in (0, 1, 4, 5)) or min(sides) < 0:
            raise Refused(f"{where} is no padding of height and width with zeros; MobileNet V1 has no other")
        return Pad(where=where, padding=Padding(top=sides[2], left=sides[3], bottom=sides[6], right=sides[7]))

    def _dense(self, node: Any, options: dict[str, Any]) -> Dense:
        where = self._where(node)
        if node.input[0] != self._value:
            raise Refused(f"{where} has its weight on the left; MobileNet V1's classifier has it on the right")
        weight, bias = self._input(node, 1), None
        if weight.ndim != 2:
            raise Refused(f"{where}: its weight has shape {weight.shape}; MobileNet V1's classifier is a matrix")
        if node.op_type == "Gemm":
            if options.get("transA", 0) or options.get("alpha", 1.0) != 1 or options.get("beta", 1.0) != 1:
                raise Refused(f"{where} scales or turns its operands; MobileNet V1's classifier does not")
            bias = self._optional(node, 2)
        turned = node.op_type == "Gemm" and options.get("transB", 0)
        integers = self._integers(node, axis=0 if turned else 1)
        if integers is not None and not turned:
            integers = dataclasses.replace(integers, weight=integers.weight.T)
        return Dense(
            where=where,
            weight=(weight if turned else weight.T).astype(np.float32),
            bias=None if bias is None else bias.reshape(-1),
            integers=integers,
        )

    def _quantise(self, node: Any) -> list[Operation]:
        scale, zero = self._input(node, 1), self._optional(node, 2)
        if scale.size != 1 or (zero is not None and (zero.size != 1 or zero.dtype.kind not in "iu")):
            raise Refused(f"{self._where(node)} quantises each channel apart; MobileNet V1 does so for weights only")
        kind = np.dtype(np.uint8) if zero is None else zero.dtype
        if kind.itemsize != 1:
            raise Refused(f"{self._where(node)} quantises to {kind}; only bytes are read")
        point = 0 if zero is None else int(zero.reshape(()))
        levels = Levels(scale=float(scale.reshape(())), zero=point - int(np.iinfo(kind).min))
        if not self.chain.operations:
            # The range in which the input was calibrated; it may be wider than pixels are.
            self.chain.levels = levels
            return []
        return [Saturation(where=self._where(node), levels=levels)]


def _size(entry: Any) -> tuple[int | None, int | None, int | None]:
    dimensions = entry.type.tensor_type.shape.dim
    if len(dimensions) != 4:
        raise Refused(f"its input has {len(dimensions)} dimensions; MobileNet V1 takes images in four")
    _, first, second, third = (d.dim_value if d.dim_value > 0 else None for d in dimensions)
    return first, second, third


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


def _pool(where: str, options: dict[str, Any]) -> Pool:
    kernel = options.get("kernel_shape", [])
    padded = any(options.get("pads", ())) or options.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID")
    if len(kernel) != 2 or padded:
        raise Refused(f"{where} pads its image; MobileNet V1 takes the mean of the whole image once")
    return Pool(where=where, kernel=(kernel[0], kernel[1]))
