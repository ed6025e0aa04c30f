"""The operators of a TFLite file as a chain: float weights from float, half, per-tensor and per-channel integers."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.axes import LAST, Axes
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
    Operation,
    Pool,
    Reorder,
    Saturation,
    Softmax,
)
from depthwise.interop.parts import Cut, joined, order_of
from depthwise.interop.tflite_cuts import CUTS, SEVERAL, Numbers, cut, join
from depthwise.interop.tflite_file import File, Operator, Tensor
from depthwise.network.weights import Array

# Padding and ActivationFunctionType of the schema.
SAME, VALID = 0, 1
ACTIVATIONS = {1: math.inf, 3: 6.0}
LARGEST_TENSOR = 2**25
_RESHAPES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE")
_ARITHMETIC = ("ADD", "SUB", "MUL", "DIV")
# What is added to a pixel to become the input's whole number; real numbers are not among them.
_OFFSETS = {"uint8": 0, "int8": -128, "int16": 0, "int32": 0, "int64": 0}


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
        # Half-precision weights come as constants that an operator of the graph widens.
        self._constants: dict[int, Tensor] = {}
        self._readers = self._data_readers()
        entry = self._tensor(file.inputs[0], "the input")
        if len(entry.shape) != 4:
            raise Refused(f"the input has shape {entry.shape}; MobileNet V1 takes (images, height, width, channels)")
        self._axes = Axes([n if n > 0 else None for n in entry.sizes])
        self.chain = Chain(height=None, width=None, channels=None, offset=_OFFSETS.get(entry.kind))
        self._value = entry
        # Inputs of all operators so far.
        self._read: list[int] = []
        levels = _levels(entry)
        first = self._readers.get(entry.index, [])
        # A CAST takes the whole numbers as they are, whatever they stand for.
        if levels is not None and not (first and first[0].code == "CAST"):
            scale, zero = np.array(levels.scale), levels.zero + int(np.iinfo(entry.kind).min)
            self.chain.add(Affine(where="the input", scale=scale, shift=-scale * zero))

    def _data_readers(self) -> dict[int, list[Operator]]:
        """Who reads each tensor that depends on the pixels. Constants and the arithmetic of shapes stand aside."""
        readers: dict[int, list[Operator]] = {}
        aside = {-1, *(tensor.index for tensor in self._file.tensors if tensor.data is not None)}
        for operator in self._file.operators:
            if operator.code == "DEQUANTIZE" and self._at(operator, 0).data is not None and operator.outputs:
                self._constants[operator.outputs[0]] = self._at(operator, 0)
            if operator.code == "SHAPE" or all(index in aside for index in operator.inputs):
                aside.update(operator.outputs)
                continue
            for index in set(operator.inputs) - aside:
                readers.setdefault(index, []).append(operator)
        return readers

    def run(self) -> None:
        end = self._file.outputs[0]
        for _ in range(len(self._file.operators) + 1):
            if self._value.index == end:
                self.chain.unread = self._unread()
                return
            self._step()
        raise Refused("its operators run in a circle; it is damaged")

    def _step(self) -> None:
        readers = self._readers.get(self._value.index, [])
        if not readers:
            raise Refused(f"tensor {self._value.name!r} is read by nobody and is not the output; it is damaged")
        if (last := self._joined(readers)) is not None:
            self._value = self._tensor(last.outputs[0], last.where)
            self._read += [index for reader in readers for index in reader.inputs]
            return
        if len(readers) > 1:
            raise Refused(
                f"{readers[1].where} reads what {readers[0].where} reads, too; MobileNet V1 has no branches, is this"
                " another network?"
            )
        operator = readers[0]
        if len(operator.outputs) != 1:
            raise Refused(f"{operator.where} has {len(operator.outputs)} outputs; MobileNet V1 has no such operator")
        for operation in self._operations(operator):
            self._axes.check(operation)
            self.chain.add(operation)
        self._value = self._tensor(operator.outputs[0], operator.where)
        self._read += operator.inputs

    def _unread(self) -> tuple[str, ...]:
        """Arrays that no operator on the way reads, each with its shape; and graphs of their own behind the first."""
        makers = {index: operator for operator in self._file.operators for index in operator.outputs}
        reached, left = set(), list(self._read)
        while left:
            index = left.pop()
            if index not in reached:
                reached.add(index)
                left += makers[index].inputs if index in makers else ()
        others = [f"graph {place + 1} of {self._file.graphs}" for place in range(1, self._file.graphs)]
        held = [tensor for tensor in self._file.tensors if tensor.data is not None and tensor.index not in reached]
        return (*(f"{t.name[:40]!r} ({'x'.join(map(str, t.shape)) or 'one number'})" for t in held), *others)

    def _operations(self, operator: Operator) -> list[Operation]:
        where, options = operator.where, operator.options
        match operator.code:
            case "CONV_2D" | "DEPTHWISE_CONV_2D":
                return [*self._convolution(operator), *_activation(operator), *self._saturation(operator)]
            case "FULLY_CONNECTED" | "BATCH_MATMUL":
                return [self._dense(operator), *_activation(operator), *self._saturation(operator)]
            case "AVERAGE_POOL_2D":
                self._axes.pooled(where)
                return [_pool(operator), *_activation(operator), *self._saturation(operator)]
            case "MEAN" | "SUM":
                axes = integers(self._constant(operator, 1), where).reshape(-1).tolist()
                keep, total = bool(options.get("KeepDims", 0)), operator.code == "SUM"
                pools = self._axes.reduce(axes, keep=keep, total=total, where=where)
                return [*pools, *(self._saturation(operator) if pools else [])]
            case "PAD" | "PADV2":
                return self._pad(operator)
            case "RELU" | "RELU6":
                return [Clamp(where=where, low=0.0, high=6.0 if operator.code == "RELU6" else math.inf)]
            case "MAXIMUM" | "MINIMUM":
                return [self._limit(operator), *self._saturation(operator)]
            case code if code in _ARITHMETIC:
                return [self._affine(operator), *_activation(operator)]
            case "SOFTMAX" if options.get("Beta", 1.0) == 1.0:
                self._axes.take_channels(-1, where, "compares along another axis")
                return [Softmax(where=where)]
            case "LOG_SOFTMAX":
                self._axes.take_channels(-1, where, "compares along another axis")
                return [Softmax(where=where)]
            case "ARG_MAX":
                axis = int(integers(self._constant(operator, 1), where).reshape(-1)[:1].sum())
                self._axes.take_channels(axis, where, "compares along another axis")
                return [Choice(where=where)]
            case "LOGISTIC":
                raise Refused(
                    f"{where} is a sigmoid, which gives each label a score of its own, whatever the others get; here"
                    " labels exclude each other: train with a softmax"
                )
            case "CAST":
                return []
            case "QUANTIZE" | "DEQUANTIZE":
                return self._saturation(operator) if operator.code == "QUANTIZE" else []
            case _:
                return self._reshaped(operator)

    def _reshaped(self, operator: Operator) -> list[Operation]:
        """Operators that leave numbers as they are and change their axes, or the order of channels."""
        where, result = operator.where, self._tensor(operator.outputs[0], operator.where)
        match operator.code:
            case "TRANSPOSE":
                self._axes.transpose(integers(self._constant(operator, 1), where).reshape(-1).tolist(), where)
                return []
            case "RESHAPE" | "SQUEEZE" | "EXPAND_DIMS":
                # A size of -1 in the signature is one that the file leaves open.
                return self._axes.reshape(result.sizes, where)
            case code if code in CUTS:
                return self._reorder(self._cut(operator), where)
            case _:
                raise Refused(f"{where} is not part of MobileNet V1")

    def _cut(self, operator: Operator) -> Cut | None:
        """What an operator takes along one axis; None behind the first convolution."""
        if self._axes.begun:
            return None
        numbers: Numbers = lambda of, place: list(map(int, integers(self._constant(of, place), of.where).reshape(-1)))  # noqa: E731
        return cut(operator, self._value.shape, numbers)

    def _reorder(self, found: Cut | None, where: str) -> list[Operation]:
        """Channels in another order before the first convolution."""
        order = None if found is None else order_of(found, self._value.shape[found.axis])
        if found is None or order is None:
            raise Refused(f"{where} takes a part of its data, or turns it; MobileNet V1 does not")
        self._axes.take_channels(found.axis, where, "puts rows or columns in another order")
        return [Reorder(where=where, order=order)]

    def _joined(self, readers: list[Operator]) -> Operator | None:
        """The operator that joins what others cut apart of the data before the first convolution, or None.

        The order of channels is put into the chain.
        """
        if self._axes.begun or not (len(readers) > 1 or readers[0].code in SEVERAL):
            return None
        behind = {id(b): b for reader in readers for name in reader.outputs for b in self._readers.get(name, [])}
        last = next(iter(behind.values())) if len(behind) == 1 else None
        whole = None if last is None else join(last, len(self._value.shape))
        if last is None or whole is None:
            return None
        found = joined([self._cut(reader) for reader in readers], whole)
        if found is None:
            return None
        self.chain.add(*self._reorder(found, last.where))
        return last

    def _limit(self, operator: Operator) -> Clamp:
        """The larger or the smaller of the data and one number."""
        tensor = self._other(operator)
        values = real(tensor, -1, operator.where) if tensor.shape else real(tensor, 0, operator.where)
        if values.size != 1:
            raise Refused(f"{operator.where} has a limit for each of {values.size} values; MobileNet V1 has one")
        value = float(values.reshape(()))
        low, high = (value, math.inf) if operator.code == "MAXIMUM" else (-math.inf, value)
        return Clamp(where=operator.where, low=low, high=high)

    def _dense(self, operator: Operator) -> Dense:
        self._axes.take_channels(-1, operator.where, "multiplies along another axis")
        if operator.code == "BATCH_MATMUL":
            return self._batched(operator)
        weight = self._weight(operator, axis=0, dimensions=2)
        return Dense(
            where=operator.where,
            weight=weight,
            bias=self._bias(operator, weight.shape[0]),
            integers=self._integers(operator),
        )

    def _batched(self, operator: Operator) -> Dense:
        """A product whose weight lies as (C, N), or turned."""
        turned, tensor = bool(operator.options.get("AdjY", 0)), self._constant(operator, 1)
        if operator.options.get("AdjX", 0) or len(tensor.shape) < 2 or any(n != 1 for n in tensor.shape[:-2]):
            raise Refused(f"{operator.where}: its weight has shape {tensor.shape}; MobileNet V1's is a matrix")
        weight = real(tensor, -2 if turned else -1, operator.where).reshape(tensor.shape[-2:])
        return Dense(where=operator.where, weight=weight if turned else weight.T)

    def _convolution(self, operator: Operator) -> list[Operation]:
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
            channels = self._axes.channels if self._axes.begun else self._axes.size(-1)
            if weight.shape[1] != 1 or (channels not in (1, weight.shape[0])):
                raise Refused(f"{where} makes several channels of each one; MobileNet V1 makes one")
            by_channel = channels == weight.shape[0]
        made = Convolution(
            where=where,
            weight=weight,
            bias=self._bias(operator, weight.shape[0]),
            stride=(int(options.get("StrideH", 0)), int(options.get("StrideW", 0))),
            padding="same" if options.get("Padding", SAME) == SAME else NO_PADDING,
            depthwise=by_channel,
            integers=integers,
        )
        return [*self._axes.convolve(LAST, self.chain, weight.shape[0], where), made]

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
        """The weight as it is, where it is of signed bytes with zero point 0, or of unsigned ones with any."""
        tensor = self._constant(operator, 1)
        # The runtime takes signed ones to be of zero point 0, whatever the file says.
        if not tensor.quantised or (tensor.kind == "int8" and tensor.zero_points.any()):
            return None
        return Integers.of(integers(tensor, operator.where), tensor.scales, tensor.zero_points)

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

    def _pad(self, operator: Operator) -> list[Operation]:
        sides = integers(self._constant(operator, 1), operator.where)
        filled = operator.code == "PADV2" and real(self._constant(operator, 2), 0, operator.where).any()
        if sides.shape != (4, 2) or (sides < 0).any() or filled:
            raise Refused(f"{operator.where} is no padding of height and width with zeros; MobileNet V1 has no other")
        return self._axes.pad([(int(before), int(behind)) for before, behind in sides], operator.where)

    def _other(self, operator: Operator) -> Tensor:
        """The constant of an operator that joins a constant with the data."""
        places = [place for place, index in enumerate(operator.inputs) if index != self._value.index]
        if len(operator.inputs) != 2 or len(places) != 1:
            raise Refused(f"{operator.where} joins two branches; MobileNet V1 has none, is this MobileNet V2?")
        return self._constant(operator, places[0])

    def _affine(self, operator: Operator) -> Affine:
        tensor, where = self._other(operator), operator.where
        first = operator.inputs[0] == self._value.index
        values = self._along_channels(real(tensor, -1, where).astype(np.float64), where)
        one, nothing = np.ones(()), np.zeros(())
        match operator.code:
            case "MUL":
                return Affine(where=where, scale=values, shift=nothing)
            case "DIV" if first:
                with np.errstate(all="ignore"):
                    return Affine(where=where, scale=one / values, shift=nothing)
            case "DIV":
                raise Refused(f"{where} divides a constant by its data; MobileNet V1 does not")
            case "SUB" if first:
                return Affine(where=where, scale=one, shift=-values)
        return Affine(where=where, scale=-one if operator.code == "SUB" else one, shift=values)

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
