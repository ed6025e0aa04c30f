"""Each operator of a TFLite file as the operations that it does."""

from __future__ import annotations

from collections.abc import Callable

from depthwise.errors import Refused
from depthwise.interop.chain import Choice, Clamp, Operation, Reorder, Sigmoid, Softmax
from depthwise.interop.parts import RESIZED, Cut, copies_of, joined, order_of
from depthwise.interop.tflite import arithmetic, layers
from depthwise.interop.tflite.cuts import CUTS, SEVERAL, cut, join
from depthwise.interop.tflite.file import Operator, Tensor
from depthwise.interop.tflite.reading import Reading
from depthwise.interop.tflite.tensors import integers
from depthwise.network.spec import ACTIVATIONS

# Who reads the tensor of a number.
Readers = Callable[[int], list[Operator]]
_ARITHMETIC = ("ADD", "SUB", "MUL", "DIV")


def operations(of: Reading, operator: Operator, value: Tensor) -> list[Operation]:
    """What an operator does with `value`, one of its inputs.

    Raises: Refused, when no MobileNet V1 has such an operator.
    """
    where, options = operator.where, operator.options
    match operator.code:
        case "CONV_2D" | "DEPTHWISE_CONV_2D":
            return [*layers.convolution(of, operator), *layers.activation(operator), *layers.saturation(of, operator)]
        case "FULLY_CONNECTED" | "BATCH_MATMUL":
            return [layers.dense(of, operator), *layers.activation(operator), *layers.saturation(of, operator)]
        case "AVERAGE_POOL_2D":
            of.axes.pooled(where)
            return [layers.pool(operator), *layers.activation(operator), *layers.saturation(of, operator)]
        case "MEAN" | "SUM":
            axes = of.tensors.numbers(operator, 1)
            keep, total = bool(options.get("KeepDims", 0)), operator.code == "SUM"
            pools = of.axes.reduce(axes, keep=keep, total=total, where=where)
            return [*pools, *(layers.saturation(of, operator) if pools else [])]
        case "PAD" | "PADV2":
            return arithmetic.pad(of, operator)
        case "RELU" | "RELU6":
            return [Clamp(where=where, low=0.0, high=ACTIVATIONS[operator.code.lower()])]
        case "MAXIMUM" | "MINIMUM":
            return [arithmetic.clamp(of, operator, value), *layers.saturation(of, operator)]
        case code if code in _ARITHMETIC:
            return [arithmetic.affine(of, operator, value), *layers.activation(operator)]
        case "SOFTMAX" if options.get("Beta", 1.0) == 1.0:
            of.axes.take_channels(-1, where, "compares along another axis")
            return [Softmax(where=where)]
        case "LOG_SOFTMAX":
            of.axes.take_channels(-1, where, "compares along another axis")
            return [Softmax(where=where)]
        case "ARG_MAX":
            axis = int(integers(of.tensors.constant(operator, 1), where).reshape(-1)[:1].sum())
            of.axes.take_channels(axis, where, "compares along another axis")
            return [Choice(where=where)]
        case "LOGISTIC":
            return [Sigmoid(where=where)]
        case "CAST":
            return []
        case "QUANTIZE" | "DEQUANTIZE":
            return layers.saturation(of, operator) if operator.code == "QUANTIZE" else []
        case _:
            return _reshaped(of, operator, value)


def _reshaped(of: Reading, operator: Operator, value: Tensor) -> list[Operation]:
    """Operators that leave numbers as they are and change their axes, or the order of channels."""
    where, options = operator.where, operator.options
    result = of.tensors.tensor(operator.outputs[0], where)
    match operator.code:
        case "TRANSPOSE":
            of.axes.transpose(of.tensors.numbers(operator, 1), where)
            return []
        case "RESHAPE" | "SQUEEZE" | "EXPAND_DIMS":
            # A size of -1 in the signature is one that the file leaves open.
            return of.axes.reshape(result.sizes, where)
        case "TILE" | "BROADCAST_TO":
            sizes = of.tensors.numbers(operator, 1)
            if operator.code == "BROADCAST_TO" and len(sizes) == len(of.axes.now):
                sizes = [new // old if old else new for new, old in zip(sizes, value.shape, strict=True)]
            return of.axes.copy(sizes, where)
        case "CONCATENATION" if not of.axes.begun and set(operator.inputs) == {value.index}:
            axis = of.axes.place(int(options.get("Axis", 0)), where)
            places = range(len(of.axes.now))
            made = of.axes.copy([len(operator.inputs) if place == axis else 1 for place in places], where)
            return [*made, *layers.activation(operator)]
        case code if code in CUTS:
            return _reordered(of, _cut(of, operator, value), value, where)
        case "RESIZE_BILINEAR" | "RESIZE_NEAREST_NEIGHBOR":
            raise Refused(f"{where} resizes its image inside the network; {RESIZED}")
        case _:
            raise Refused(f"{where} is not part of MobileNet V1")


def _cut(of: Reading, operator: Operator, value: Tensor) -> Cut | None:
    """What an operator takes along one axis; None behind the first convolution."""
    if of.axes.begun:
        return None
    return cut(operator, value.shape, of.tensors.numbers)


def _reordered(of: Reading, found: Cut | None, value: Tensor, where: str) -> list[Operation]:
    """Channels in another order before the first convolution."""
    if found is not None and (times := copies_of(found, value.shape[found.axis])):
        return of.axes.copy([times if axis == found.axis else 1 for axis in range(len(of.axes.now))], where)
    order = None if found is None else order_of(found, value.shape[found.axis])
    if found is None or order is None:
        raise Refused(f"{where} takes a part of its data, or turns it; MobileNet V1 does not")
    of.axes.take_channels(found.axis, where, "puts rows or columns in another order")
    return [Reorder(where=where, order=order)]


def joining(of: Reading, readers: list[Operator], reading: Readers, value: Tensor) -> Operator | None:
    """The operator that joins what others cut apart of the data before the first convolution, or None.

    The order of channels is put into the chain.
    """
    if of.axes.begun or not (len(readers) > 1 or readers[0].code in SEVERAL):
        return None
    behind = {id(b): b for reader in readers for name in reader.outputs for b in reading(name)}
    last = next(iter(behind.values())) if len(behind) == 1 else None
    whole = None if last is None else join(last, len(value.shape))
    if last is None or whole is None:
        return None
    found = joined([_cut(of, reader, value) for reader in readers], whole)
    if found is None:
        return None
    of.chain.add(*_reordered(of, found, value, last.where))
    return last
