"""The nodes of an ONNX file as a chain: what torch, timm, tf2onnx and this project write, in float and in QDQ int8."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from depthwise.errors import Refused
from depthwise.interop import onnx_qoperator
from depthwise.interop.axes import FIRST, Axes
from depthwise.interop.chain import (
    NO_PADDING,
    Affine,
    Chain,
    Choice,
    Clamp,
    Convolution,
    Dense,
    Integers,
    Levels,
    Norm,
    Operation,
    Pool,
    Reorder,
    Saturation,
    Softmax,
)
from depthwise.interop.onnx_cuts import CUTS, cut, join
from depthwise.interop.onnx_file import Constants, attributes, short
from depthwise.interop.parts import Cut, order_of
from depthwise.network.layers import Padding
from depthwise.network.weights import Array

_PASSES = ("Identity", "Dropout", "Cast")
# TensorProto.DataType of an input: what is added to a pixel to become its whole number, None for real numbers.
_OFFSETS: dict[int, int | None] = {1: None, 10: None, 11: None, 2: 0, 3: -128, 4: 0, 5: 0, 6: 0, 7: 0, 12: 0}
# Of this version of ONNX's operators and later ones, a softmax is over the last axis where it does not say.
_LAST_AXIS = 13
_DYNAMIC = ("DynamicQuantizeLinear", "ConvInteger", "MatMulInteger", "DynamicQuantizeMatMul", "MatMulIntegerToFloat")
_OWN_SCORES = ("Sigmoid", "HardSigmoid")


def chain(graph: Any, folder: Path, opset: int) -> Chain:
    """The chain of a graph's nodes.

    Args:
        folder: where the file lies.
        opset: version of ONNX's operators.
    Raises: Refused, naming the first node that no MobileNet V1 has.
    """
    walk = _Walk(graph, folder, opset)
    walk.run()
    return walk.chain


class _Walk:
    """From the input to the output, one node after the other."""

    def __init__(self, graph: Any, folder: Path, opset: int) -> None:
        self._constants = Constants(graph, folder)
        fixed = {tensor.name for tensor in graph.initializer}
        inputs = [entry for entry in graph.input if entry.name not in fixed]
        if len(inputs) != 1 or len(graph.output) != 1:
            raise Refused(f"it has {len(inputs)} inputs and {len(graph.output)} outputs; MobileNet V1 has one of each")
        # protobuf makes a new Python object each time a node is asked for; those of this list keep their ids.
        self._nodes = list(graph.node)
        self._places = {id(node): f"node {place} ({short(node.op_type)})" for place, node in enumerate(self._nodes)}
        # Values that are computed from the shapes of others, which the file need not state.
        self._shapes: set[str] = set()
        self._readers = self._data_readers(fixed)
        self._value, self._end = inputs[0].name, graph.output[0].name
        self._axes, self._opset = Axes(_sizes(inputs[0])), opset
        self.chain = Chain(height=None, width=None, channels=None, offset=_offset(inputs[0]))
        self._steps = len(self._nodes) + 1
        # Inputs of all nodes so far.
        self._read: list[str] = []

    def _data_readers(self, fixed: set[str]) -> dict[str, list[Any]]:
        """Who reads each value that depends on the pixels. Constants and the arithmetic of shapes stand aside."""
        aside = fixed | {""}
        readers: dict[str, list[Any]] = {}
        for node in self._nodes:
            if node.op_type == "Shape" or all(name in aside for name in node.input):
                aside.update(node.output)
                if node.op_type == "Shape" or not self._shapes.isdisjoint(node.input):
                    self._shapes.update(node.output)
                continue
            for name in set(node.input) - aside:
                readers.setdefault(name, []).append(node)
        return readers

    def run(self) -> None:
        for _ in range(self._steps):
            if self._value == self._end:
                self.chain.unread = self._constants.unread(self._read)
                return
            self._step()
        raise Refused("its nodes run in a circle; it is damaged")

    def _step(self) -> None:
        readers = self._readers.get(self._value, [])
        if not readers:
            raise Refused(f"value {short(self._value)!r} is read by nobody and is not the output; it is damaged")
        if not self._axes.begun and (len(readers) > 1 or readers[0].op_type == "Split"):
            follow: Callable[[str], list[Any]] = lambda name: self._readers.get(name, [])  # noqa: E731
            if (found := join(readers, follow, self._axes.shape, self._numbers)) is not None:
                last, whole = found
                self.chain.add(*self._reordered(self._where(last), whole))
                self._value = last.output[0]
                self._read += [name for reader in readers for name in reader.input]
                return
        if len(readers) > 1:
            raise Refused(
                f"{self._where(readers[1])} reads what {self._where(readers[0])} reads, too; MobileNet V1 has no"
                " branches, is this another network?"
            )
        node = readers[0]
        if not node.output:
            raise Refused(f"{self._where(node)} has no output; it is damaged")
        if node.domain not in ("", "ai.onnx") and node.op_type not in (*onnx_qoperator.READ, *_DYNAMIC):
            raise Refused(f"{self._where(node)} is of {short(node.domain)!r}, not of ONNX; export plain ONNX")
        for operation in self._operations(node, attributes(node)):
            self._axes.check(operation)
            self.chain.add(operation)
        self._value = node.output[0]
        self._read += node.input

    def _where(self, node: Any) -> str:
        return self._places[id(node)]

    def _operations(self, node: Any, options: dict[str, Any]) -> list[Operation]:
        where = self._where(node)
        match node.op_type:
            case "Conv":
                return self._convolution(node, options)
            case "BatchNormalization":
                self._axes.take_channels(1, where, "normalises along another axis")
                return [self._norm(node, options)]
            case "Relu" | "Clip" | "Min" | "Max":
                return [self._clamp(node, options)]
            case "Pad":
                return self._pad(node, options)
            case "GlobalAveragePool":
                self._axes.pooled(where)
                return [Pool(where=where)]
            case "AveragePool":
                self._axes.pooled(where)
                return [_pool(where, options)]
            case "ReduceMean" | "ReduceSum":
                axes = [int(axis) for axis in self._list(node, options, "axes", 1)]
                keep, total = bool(options.get("keepdims", 1)), node.op_type == "ReduceSum"
                return self._axes.reduce(axes, keep=keep, total=total, where=where)
            case "Gemm" | "MatMul":
                return [self._dense(node, options)]
            case "Add" | "Sub" | "Mul" | "Div":
                return [self._affine(node)]
            case "QuantizeLinear":
                return self._quantise(node)
            case "DequantizeLinear":
                return self._dequantise(node)
            case "Softmax" | "LogSoftmax":
                usual = -1 if self._opset >= _LAST_AXIS else 1
                self._axes.take_channels(options.get("axis", usual), where, "compares along another axis")
                return [Softmax(where=where)]
            case "ArgMax":
                self._axes.take_channels(options.get("axis", 0), where, "compares along another axis")
                return [Choice(where=where)]
            case code if code in CUTS:
                found = None if self._axes.begun else cut(node, self._axes.shape, self._numbers)
                return self._reordered(self._where(node), found)
            case code if code in _PASSES:
                return []
            case code if code in onnx_qoperator.READ:
                return self._qoperator(node, options)
            case _:
                return self._reshaped(node, options)

    def _reshaped(self, node: Any, options: dict[str, Any]) -> list[Operation]:
        """Nodes that leave numbers as they are and change their axes."""
        where = self._where(node)
        match node.op_type:
            case "Transpose":
                self._axes.transpose(options.get("perm"), where)
                return []
            case "Unsqueeze":
                self._axes.unsqueeze([int(axis) for axis in self._list(node, options, "axes", 1)], where)
                return []
            case "Squeeze":
                axes = [int(axis) for axis in self._list(node, options, "axes", 1)]
                return self._axes.squeeze(axes or None, where)
            case "Flatten":
                if self._axes.place(options.get("axis", 1), where) != 1:
                    raise Refused(f"{where} does not leave one line an image; MobileNet V1 does")
                return self._axes.reshape(None, where)
            case "Reshape":
                return self._axes.reshape(self._shape(node), where)
            case code if code in _DYNAMIC:
                raise Refused(
                    f"{where} is of ONNX's dynamic quantisation, whose ranges are found anew for each picture; export"
                    " the float network, or quantise with QuantFormat.QDQ and calibration pictures"
                )
            case code if code in _OWN_SCORES:
                raise Refused(
                    f"{where} gives each label a score of its own, whatever the others get; here labels exclude each"
                    " other: train with a softmax"
                )
            case code if code.startswith("Q"):
                raise Refused(
                    f"{where} is of ONNX's QOperator form, of which this node is not read; quantise with"
                    " QuantFormat.QDQ, or export the float network"
                )
            case _:
                raise Refused(f"{where} is not part of MobileNet V1")

    def _shape(self, node: Any) -> list[int] | None:
        """The shape that a node makes, or None where the graph computes it from another."""
        if len(node.input) > 1 and node.input[1] in self._shapes:
            return self._computed_shape(self._constants.maker(node.input[1]))
        return [int(n) for n in self._input(node, 1).reshape(-1)]

    def _computed_shape(self, maker: Any) -> list[int] | None:
        """A shape that begins with sizes of the data as they are (0), as `flatten(2)` of PyTorch has them; or None."""
        shape: list[int] = []
        for name in maker.input if maker is not None and maker.op_type == "Concat" else ():
            part = self._constants.maker(name)
            if name not in self._shapes:
                shape += [int(n) for n in self._constants.get(name, self._where(maker)).reshape(-1)]
            elif part is not None and part.op_type == "Slice":
                starts, ends = (
                    self._numbers(part, key, place) for place, key in enumerate(("starts", "ends"), start=1)
                )
                if starts != [len(shape)] or len(ends) != 1 or not 0 < ends[0] - starts[0] <= len(self._axes.now):
                    return None
                shape += [0] * (ends[0] - starts[0])
            else:
                return None
        return shape or None

    def _list(self, node: Any, options: dict[str, Any], name: str, place: int) -> list[Any]:
        """Numbers that older nodes have as an attribute, and newer ones as an input."""
        if name in options:
            return list(options[name])
        found = self._optional(node, place)
        return [] if found is None else found.reshape(-1).tolist()

    def _reordered(self, where: str, found: Cut | None) -> list[Operation]:
        """Channels in another order before the first convolution."""
        order = None if found is None else order_of(found, self._axes.size(found.axis) or 0)
        if found is None or order is None:
            raise Refused(f"{where} takes a part of its data; MobileNet V1 takes all")
        self._axes.take_channels(found.axis, where, "puts rows or columns in another order")
        return [Reorder(where=where, order=order)]

    def _numbers(self, node: Any, name: str, place: int) -> list[int]:
        return [int(n) for n in self._list(node, attributes(node), name, place)]

    def _input(self, node: Any, place: int) -> Array:
        if place >= len(node.input) or not node.input[place]:
            raise Refused(f"{self._where(node)} has {len(node.input)} inputs, too few; it is damaged")
        return self._constants.get(node.input[place], self._where(node))

    def _optional(self, node: Any, place: int) -> Array | None:
        return self._input(node, place) if place < len(node.input) and node.input[place] else None

    def _convolution(self, node: Any, options: dict[str, Any]) -> list[Operation]:
        bias, integers = self._optional(node, 2), self._integers(node, axis=0)
        return self._convolved(node, options, self._input(node, 1), bias, integers)

    def _convolved(
        self, node: Any, options: dict[str, Any], weight: Array, bias: Array | None, integers: Integers | None
    ) -> list[Operation]:
        where = self._where(node)
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
        return [*self._axes.convolve(FIRST, self.chain, weight.shape[0], where), made]

    def _integers(self, node: Any, *, axis: int) -> Integers | None:
        """The weight as it is, where it is of bytes with one zero point, and one scale or one a channel on an axis."""
        maker, where = self._constants.maker(node.input[1]), self._where(node)
        if maker is None or maker.op_type != "DequantizeLinear":
            return None
        weight, scales, *zeros = [self._constants.get(name, where) for name in maker.input if name]
        wanted = attributes(maker).get("axis", 1) % max(weight.ndim, 1)
        if scales.size > 1 and wanted != axis:
            return None
        return Integers.of(weight, scales, zeros[0] if zeros else np.zeros(0, np.int64))

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
        if code == "Div" and node.input[0] != self._value:
            raise Refused(f"{where} divides a constant by its data; MobileNet V1 does not")
        values = self._along_channels(values, where)
        one, nothing = np.ones(()), np.zeros(())
        with np.errstate(all="ignore"):
            scale = {"Mul": values, "Div": one / values}.get(code, one)
        shift = {"Add": values, "Sub": -values}.get(code, nothing)
        if code == "Sub" and node.input[0] != self._value:
            scale, shift = -one, values
        return Affine(where=where, scale=scale, shift=shift)

    def _along_channels(self, values: Array, where: str) -> Array:
        """One number, or one a channel (C,)."""
        if values.size == 1:
            return values.reshape(())
        (along,) = np.flatnonzero(np.array(values.shape) > 1) if values.size == max(values.shape) else (-1,)
        if along < 0 or values.ndim > len(self._axes.now):
            raise Refused(f"{where} has a number for each pixel; MobileNet V1 has one a channel")
        does = "has a number for each row or column"
        self._axes.take_channels(len(self._axes.now) - values.ndim + int(along), where, does)
        return values.reshape(-1)

    def _pad(self, node: Any, options: dict[str, Any]) -> list[Operation]:
        where, mode = self._where(node), options.get("mode", "constant")
        sides = options.get("pads") or [int(n) for n in self._input(node, 1).reshape(-1)]
        value, axes = self._optional(node, 2), self._optional(node, 3)
        if axes is not None:
            spread, half = [0] * 8, len(sides) // 2
            for place, axis in enumerate(axes.reshape(-1)[:half].tolist()):
                spread[int(axis) % 4], spread[int(axis) % 4 + 4] = sides[place], sides[half + place]
            sides = spread
        filled = options.get("value", 0) if value is None else np.any(value)
        if mode != "constant" or filled or len(sides) != 8 or min(sides) < 0:
            raise Refused(f"{where} is no padding of height and width with zeros; MobileNet V1 has no other")
        return self._axes.pad(list(zip(sides[:4], sides[4:], strict=True)), where)

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
        self._axes.take_channels(-1, where, "multiplies along another axis")
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
        return [Saturation(where=self._where(node), levels=levels)]

    def _dequantise(self, node: Any) -> list[Operation]:
        """Nothing behind a QuantizeLinear; on the input itself what its bytes stand for."""
        if self.chain.offset is None or self.chain.operations:
            return []
        scale, zero = self._input(node, 1).astype(np.float64), self._optional(node, 2)
        values = np.zeros(()) if zero is None else zero.astype(np.float64)
        if scale.size > 1 or values.size > 1:
            self._axes.take_channels(attributes(node).get("axis", 1), self._where(node), "has a number for each row")
        scale, values = scale.reshape(-1), values.reshape(-1)
        return [Affine(where=self._where(node), scale=scale, shift=-scale * values)]

    def _qoperator(self, node: Any, options: dict[str, Any]) -> list[Operation]:
        where = self._where(node)
        form = onnx_qoperator.read(
            node.op_type, lambda place: self._input(node, place), len(node.input), options, where
        )
        made: list[Operation]
        match form.kind:
            case "convolution":
                made = self._convolved(node, options, form.weight, form.bias, form.integers)
            case "dense":
                self._axes.take_channels(-1, where, "multiplies along another axis")
                made = [Dense(where=where, weight=form.weight, bias=form.bias, integers=form.integers)]
            case "pool":
                self._axes.pooled(where)
                made = [Pool(where=where) if "kernel_shape" not in options else _pool(where, options)]
            case _:
                self._axes.take_channels(options.get("axis", -1), where, "compares along another axis")
                return [Softmax(where=where)]
        return [*made, *([] if form.levels is None else [Saturation(where=where, levels=form.levels)])]


def _sizes(entry: Any) -> list[int | None]:
    dimensions = entry.type.tensor_type.shape.dim
    if len(dimensions) != 4:
        raise Refused(f"its input has {len(dimensions)} dimensions; MobileNet V1 takes images in four")
    return [d.dim_value if d.dim_value > 0 else None for d in dimensions]


def _offset(entry: Any) -> int | None:
    kind = entry.type.tensor_type.elem_type
    if kind not in _OFFSETS:
        raise Refused(f"its input is of type {kind}; MobileNet V1 takes real numbers or bytes")
    return _OFFSETS[kind]


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
