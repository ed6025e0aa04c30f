"""The constants of a TFLite file: float weights from float, half, per-tensor and per-channel integers."""

from __future__ import annotations

import math

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.chain import Integers, Levels
from depthwise.interop.tflite.file import File, Operator, Tensor
from depthwise.network.weights import Array

LARGEST_TENSOR = 2**25


class Tensors:
    """The tensors that operators of a file read and write."""

    def __init__(self, file: File) -> None:
        """Half-precision weights come as constants that an operator of the graph widens."""
        self._all = file.tensors
        self._widened: dict[int, Tensor] = {}
        for operator in file.operators:
            if operator.code == "DEQUANTIZE" and self.at(operator, 0).data is not None and operator.outputs:
                self._widened[operator.outputs[0]] = self.at(operator, 0)

    def tensor(self, index: int, where: str) -> Tensor:
        """The tensor of a number."""
        if not 0 <= index < len(self._all):
            raise Refused(f"{where} is tensor {index} of {len(self._all)}; it is damaged")
        return self._all[index]

    def at(self, operator: Operator, place: int) -> Tensor:
        """The tensor that an operator reads at a place."""
        if place >= len(operator.inputs):
            raise Refused(f"{operator.where} has {len(operator.inputs)} inputs, too few; it is damaged")
        return self.tensor(operator.inputs[place], operator.where)

    def constant(self, operator: Operator, place: int) -> Tensor:
        """The constant that an operator reads at a place, as the file holds it."""
        tensor = self.at(operator, place)
        return self._widened.get(tensor.index, tensor)

    def numbers(self, operator: Operator, place: int) -> list[int]:
        """The whole numbers of the constant that an operator reads at a place; its shape is lost."""
        return [int(n) for n in integers(self.constant(operator, place), operator.where).reshape(-1)]

    def other(self, operator: Operator, value: Tensor) -> Tensor:
        """The constant of an operator that joins a constant with the data, which is `value`."""
        places = [place for place, index in enumerate(operator.inputs) if index != value.index]
        if len(operator.inputs) != 2 or len(places) != 1:
            raise Refused(f"{operator.where} joins two branches; MobileNet V1 has none, is this MobileNet V2?")
        return self.constant(operator, places[0])

    def weight(self, operator: Operator, *, axis: int, dimensions: int) -> Array:
        """The weight of an operator as float32, quantised along an axis."""
        tensor = self.constant(operator, 1)
        if len(tensor.shape) != dimensions:
            raise Refused(f"{operator.where}: its weight has shape {tensor.shape}, not of {dimensions} dimensions")
        return real(tensor, axis, operator.where)

    def integers(self, operator: Operator) -> Integers | None:
        """The weight as it is, where it is of signed bytes with zero point 0, or of unsigned ones with any."""
        tensor = self.constant(operator, 1)
        # The runtime takes signed ones to be of zero point 0, whatever the file says.
        if not tensor.quantised or (tensor.kind == "int8" and tensor.zero_points.any()):
            return None
        return Integers.of(integers(tensor, operator.where), tensor.scales, tensor.zero_points)

    def bias(self, operator: Operator, channels: int) -> Array | None:
        """The bias of an operator (channels,), None where it has none."""
        if len(operator.inputs) < 3 or operator.inputs[2] < 0:
            return None
        tensor = self.constant(operator, 2)
        numbers = integers(tensor, operator.where)
        if numbers.shape != (channels,):
            raise Refused(f"{operator.where}: its bias has shape {numbers.shape}, not ({channels},); it is damaged")
        if numbers.dtype.kind == "f":
            return numbers.astype(np.float32)
        # What the runtime computes with; the bias's own scale is a copy of it, or a lie.
        entry, weight = self.at(operator, 0), self.constant(operator, 1)
        if entry.scales.size != 1 or weight.scales.size not in (1, channels):
            raise Refused(f"{operator.where}: its bias is of integers, but its input or weight has no scale")
        # In float64, so that the integers can be had back.
        bias: Array = numbers * (np.float64(entry.scales[0]) * weight.scales.astype(np.float64))
        return bias


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
    # A single number, such as what a quantised network multiplies pixels with, has no axis.
    channels = numbers.shape[axis] if numbers.ndim else 1
    if tensor.scales.size not in (1, channels) or zeros.size not in (1, channels):
        raise Refused(
            f"{where}: tensor {tensor.name!r} has {tensor.scales.size} scales for {channels} channels; it is damaged"
        )
    shape = [1] * numbers.ndim
    if numbers.ndim:
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


def levels(tensor: Tensor) -> Levels | None:
    """What the bytes of a tensor stand for, where it is of bytes with one scale."""
    if not tensor.quantised or tensor.kind not in ("uint8", "int8") or tensor.scales.size != 1:
        return None
    zero = int(tensor.zero_points[0]) if tensor.zero_points.size else 0
    return Levels(scale=float(tensor.scales[0]), zero=zero - int(np.iinfo(tensor.kind).min))
