"""The operators of a TFLite file as a chain: float weights from float, half, per-tensor and per-channel integers."""

from __future__ import annotations

import dataclasses
import math

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
    Operation,
    Pad,
    Pool,
    Reshape,
    Saturation,
    Softmax,
)
from depthwise.interop.tflite_file import File, Operator, Tensor
from depthwise.network.layers import Padding
from depthwise.network.weights import Array

# Padding and ActivationFunctionType of the schema.
SAME, VALID = 0, 1
ACTIVATIONS = {1: math.inf, 3: 6.0}
LARGEST_TENSOR = 2**25
_PASSES = ("QUANTIZE", "DEQUANTIZE")
_RESHAPES = ("RESHAPE", "SQUEEZE")
_ADDS = {"ADD": 1, "SUB": -1}


def chain(file: File) -> Chain:
    """The chain of a file's operators.

    Raises: Refused, naming the first operator that no MobileNet V1 has.
    """
    if len(file.inputs) != 1 or len(file.outputs) != 1:
        raise Refused(f"it has {len(file.inputs)} inputs and {len(file.outputs)} outputs; MobileNet V1 has one of each")
    walk = _Walk(file)
    walk.run()
    return walk.chain


def real(tensor: Tensor, axis: int, where: str) -> Array:
    """A constant tensor as float32: its numbers, or what its integers stand for.

    Args:
        axis: along which a quantisation per channel lies. The file's own field is not asked, since some lie.
    Raises: Refused, when the tensor is not constant or its data are not what it says.
    """
    numbers = integers(tensor, where)
    if not tensor.quantised:
        return numbers.astype(np.float32)
    zeros = tensor.zero_points if tensor.zero_points.size else np.zeros(1, np.int64)
    if tensor.scales.size not in (1, numbers.shape[axis]) or zeros.size not in (1, numbers.shape[axis]):
        raise Refused(
            f"{where}: tensor {tensor.name!r} has {tensor.scales.size} scales for {numbers.shape[axis]} channels; it"
            " is damaged"
        )
    shape = [1] * numbers.ndim
    shape[axis] = -1
    values = numbers.astype(np.float32)
    values -= zeros.astype(np.float32).reshape(shape)
    values *= tensor.scales.reshape(shape)
    return values


def integers(tensor: Tensor, where: str) -> Array:
    """A constant tensor's own numbers, in its shape.

    Raises: Refused, when the tensor is not constant or its data are not what it says.
    """
    if tensor.data is None:
        raise Refused(f"{where}: tensor {tensor.name!r} is computed where MobileNet V1 has constants")
    if tensor.kind.startswith("type") or any(n < 0 for n in tensor.shape):
        raise Refused(f"{where}: tensor {tensor.name!r} is {tensor.kind} of shape {tensor.shape}, which is not read")
    count, size = math.prod(tensor.shape), np.dtype(tensor.kind).itemsize
    if count > LARGEST_TENSOR or count * size != tensor.data.size:
        raise Refused(
            f"{where}: tensor {tensor.name!r} of shape {tensor.shape} has {tensor.data.size:,} bytes; it is damaged"
        )
    return np.frombuffer(tensor.data.tobytes(), dtype=np.dtype(tensor.kind).newbyteorder("<")).reshape(tensor.shape)


class _Walk:
    """From the input to the output, one operator after the other."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._readers: dict[int, list[Operator]] = {}
        # Half-precision weights come as constants that an operator of the graph widens.
        self._constants: dict[int, Tensor] = {}
        for operator in file.operators:
            if operator.code == "DEQUANTIZE" and self._at(operator, 0).data is not None and operator.outputs:
                self._constants[operator.outputs[0]] = self._at(operator, 0)
                continue
            for index in set(operator.inputs):
                self._readers.setdefault(index, []).append(operator)
        entry = self._tensor(file.inputs[0], "the input")
        if len(entry.shape) != 4:
            raise Refused(f"the input has shape {entry.shape}; MobileNet V1 takes (images, height, width, channels)")
        height, width, channels = (n if n > 0 else None for n in entry.shape[1:])
        self.chain = Chain(height=height, width=width, channels=channels, levels=_levels(entry))
        self._channels = channels
        self._value = entry

    def run(self) -> None:
        end = self._file.outputs[0]
        for _ in range(len(self._file.operators) + 1):
            if self._value.index == end:
                return
            self._step()
        raise Refused("its operators run in a circle; it is damaged")

    def _step(self) -> None:
        readers = self._readers.get(self._value.index, [])
        if not readers:
            raise Refused(f"tensor {self._value.name!r} is read by nobody and is not the output; it is damaged")
        if len(readers) > 1:
            raise Refused(
                f"{readers[1].where} reads what {readers[0].where} reads, too; MobileNet V1 has no branches, is this"
                " another network?"
            )
        operator = readers[0]
        if len(operator.outputs) != 1:
            raise Refused(f"{operator.where} has {len(operator.outputs)} outputs; MobileNet V1 has no such operator")
        for operation in self._operations(operator):
            self.chain.add(operation)
        self._value = self._tensor(operator.outputs[0], operator.where)

    def _operations(self, operator: Operator) -> list[Operation]:
        where, options = operator.where, operator.options
        match operator.code:
            case "CONV_2D" | "DEPTHWISE_CONV_2D":
                return [self._convolution(operator), *_activation(operator), *self._saturation(operator)]
            case "FULLY_CONNECTED":
                return [self._dense(operator), *_activation(operator), *self._saturation(operator)]
            case "AVERAGE_POOL_2D":
                return [_pool(operator), *_activation(operator), *self._saturation(operator)]
            case "MEAN":
                axes = integers(self._constant(operator, 1), where).reshape(-1)
                if sorted(int(axis) % 4 for axis in axes) != [1, 2]:
                    raise Refused(f"{where} is over axes {axes.tolist()}; MobileNet V1 takes the mean over 1 and 2")
                return [Pool(where=where), *self._saturation(operator)]
            case "PAD":
                return [self._pad(operator)]
            case "RELU" | "RELU6":
                return [Clamp(where=where, low=0.0, high=6.0 if operator.code == "RELU6" else math.inf)]
            case "ADD" | "SUB" | "MUL":
                return [self._affine(operator), *_activation(operator)]
            case "SOFTMAX" if options.get("Beta", 1.0) == 1.0:
                return [Softmax(where=where)]
            case code if code in _RESHAPES:
                return [Reshape(where=where)]
            case code if code in _PASSES:
                return self._pass(operator)
            case _:
                raise Refused(f"{where} is not part of MobileNet V1")

    def _pass(self, operator: Operator) -> list[Operation]:
        if not self.chain.operations:
            self.chain.levels = _levels(self._tensor(operator.outputs[0], operator.where))
        return self._saturation(operator) if operator.code == "QUANTIZE" else []

    def _dense(self, operator: Operator) -> Dense:
        weight = self._weight(operator, axis=0, dimensions=2)
        return Dense(
            where=operator.where,
            weight=weight,
            bias=self._bias(operator, weight.shape[0]),
            integers=self._integers(operator),
        )

    def _convolution(self, operator: Operator) -> Convolution:
        options, where = operator.options, operator.where
        if options.get("DilationHFactor", 1) != 1 or options.get("DilationWFactor", 1) != 1:
            raise Refused(f"{where} is dilated; MobileNet V1 has no dilated convolution")
        by_channel = operator.code == "DEPTHWISE_CONV_2D"
        weight = self._weight(operator, axis=3 if by_channel else 0, dimensions=4)
        # (1, K, K, N) or (N, K, K, C).
        order = (3, 0, 1, 2) if by_channel else (0, 3, 1, 2)
        weight, integers = weight.transpose(order), self._integers(operator)
        if integers is not None:
            integers = dataclasses.replace(integers, weight=integers.weight.transpose(order))
        if by_channel:
            # Of one grey channel it is a plain convolution to N.
            if weight.shape[1] != 1 or (self._channels not in (1, weight.shape[0])):
                raise Refused(f"{where} makes several channels of each one; MobileNet V1 makes one")
            by_channel = self._channels == weight.shape[0]
        self._channels = weight.shape[0]
        return Convolution(
            where=where,
            weight=weight,
            bias=self._bias(operator, weight.shape[0]),
            stride=(int(options.get("StrideH", 0)), int(options.get("StrideW", 0))),
            padding="same" if options.get("Padding", SAME) == SAME else NO_PADDING,
            depthwise=by_channel,
            integers=integers,
        )

    def _saturation(self, operator: Operator) -> list[Operation]:
        """The range of an integer output, with which older converters replaced ReLU6."""
        result = self._tensor(operator.outputs[0], operator.where)
        levels = _levels(result)
        return [] if levels is None else [Saturation(where=operator.where, levels=levels)]

    def _weight(self, operator: Operator, *, axis: int, dimensions: int) -> Array:
        tensor = self._constant(operator, 1)
        if len(tensor.shape) != dimensions:
            raise Refused(f"{operator.where}: its weight has shape {tensor.shape}, not of {dimensions} dimensions")
        return real(tensor, axis, operator.where)

    def _integers(self, operator: Operator) -> Integers | None:
        """The weight as it is, where it is of signed bytes with zero point 0."""
        tensor = self._constant(operator, 1)
        if not tensor.quantised or tensor.kind != "int8" or tensor.zero_points.any():
            return None
        return Integers(weight=integers(tensor, operator.where), scales=tensor.scales.astype(np.float64))

    def _bias(self, operator: Operator, channels: int) -> Array | None:
        if len(operator.inputs) < 3 or operator.inputs[2] < 0:
            return None
        tensor = self._constant(operator, 2)
        numbers = integers(tensor, operator.where)
        if numbers.shape != (channels,):
            raise Refused(f"{operator.where}: its bias has shape {numbers.shape}, not ({channels},); it is damaged")
        if numbers.dtype.kind == "f":
            return numbers.astype(np.float32)
        # What the runtime computes with; the bias's own scale is a copy of it, or a lie.
        entry, weight = self._at(operator, 0), self._constant(operator, 1)
        if entry.scales.size != 1 or weight.scales.size not in (1, channels):
            raise Refused(f"{operator.where}: its bias is of integers, but its input or weight has no scale")
        # In float64, so that the integers can be had back.
        bias: Array = numbers * (np.float64(entry.scales[0]) * weight.scales.astype(np.float64))
        return bias

    def _pad(self, operator: Operator) -> Pad:
        sides = integers(self._constant(operator, 1), operator.where)
        if sides.shape != (4, 2) or sides[[0, 3]].any() or (sides < 0).any():
            raise Refused(f"{operator.where} pads other than height and width; MobileNet V1 does not")
        (top, bottom), (left, right) = sides[1:3].tolist()
        return Pad(where=operator.where, padding=Padding(top=top, bottom=bottom, left=left, right=right))

    def _affine(self, operator: Operator) -> Affine:
        places = [place for place, index in enumerate(operator.inputs) if index != self._value.index]
        if len(operator.inputs) != 2 or len(places) != 1 or (operator.code == "SUB" and places != [1]):
            raise Refused(f"{operator.where} joins two branches; MobileNet V1 has none, is this MobileNet V2?")
        tensor = self._constant(operator, places[0])
        values = real(tensor, -1, operator.where).astype(np.float64)
        if values.size != max(values.shape, default=1):
            raise Refused(f"{operator.where} has a number for each pixel; MobileNet V1 has one a channel")
        values = values.reshape(-1) if values.size > 1 else values.reshape(())
        if operator.code == "MUL":
            return Affine(where=operator.where, scale=values, shift=np.zeros(()))
        return Affine(where=operator.where, scale=np.ones(()), shift=_ADDS[operator.code] * values)

    def _constant(self, operator: Operator, place: int) -> Tensor:
        tensor = self._at(operator, place)
        return self._constants.get(tensor.index, tensor)

    def _at(self, operator: Operator, place: int) -> Tensor:
        if place >= len(operator.inputs):
            raise Refused(f"{operator.where} has {len(operator.inputs)} inputs, too few; it is damaged")
        return self._tensor(operator.inputs[place], operator.where)

    def _tensor(self, index: int, where: str) -> Tensor:
        if not 0 <= index < len(self._file.tensors):
            raise Refused(f"{where} is tensor {index} of {len(self._file.tensors)}; it is damaged")
        return self._file.tensors[index]


def _levels(tensor: Tensor) -> Levels | None:
    """What the bytes of a tensor stand for, where it is of bytes with one scale."""
    if not tensor.quantised or tensor.kind not in ("uint8", "int8") or tensor.scales.size != 1:
        return None
    zero = int(tensor.zero_points[0]) if tensor.zero_points.size else 0
    return Levels(scale=float(tensor.scales[0]), zero=zero - int(np.iinfo(tensor.kind).min))


def _activation(operator: Operator) -> list[Operation]:
    number = operator.options.get("FusedActivationFunction", 0)
    if number == 0:
        return []
    if number not in ACTIVATIONS:
        raise Refused(f"{operator.where} has activation {number}; MobileNet V1 has RELU6 or RELU")
    return [Clamp(where=operator.where, low=0.0, high=ACTIVATIONS[int(number)])]


def _pool(operator: Operator) -> Pool:
    options = operator.options
    kernel = int(options.get("FilterHeight", 0)), int(options.get("FilterWidth", 0))
    stride = int(options.get("StrideH", 0)), int(options.get("StrideW", 0))
    # With SAME and a small stride there would be as many results as pixels.
    if options.get("Padding", SAME) == SAME and (stride[0] < kernel[0] or stride[1] < kernel[1]):
        raise Refused(f"{operator.where} pads its image; MobileNet V1 takes the mean of the whole image once")
    return Pool(where=operator.where, kernel=kernel)
