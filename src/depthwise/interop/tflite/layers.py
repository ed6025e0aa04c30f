"""TFLite's operators with weights as operations, with the activation and the levels of their output."""

from __future__ import annotations

import dataclasses

from depthwise.errors import Refused
from depthwise.interop.axes import LAST
from depthwise.interop.chain import NO_PADDING, Clamp, Convolution, Dense, Operation, Pool, Saturation
from depthwise.interop.tflite.file import Operator
from depthwise.interop.tflite.reading import Reading
from depthwise.interop.tflite.tensors import levels, real
from depthwise.network.spec import ACTIVATIONS

# Of the schema: the padding that grows an image, and the activations that we have.
SAME = 0
_FUSED = {1: "relu", 3: "relu6"}


def dense(of: Reading, operator: Operator) -> Dense:
    """A product with a constant."""
    of.axes.take_channels(-1, operator.where, "multiplies along another axis")
    if operator.code == "BATCH_MATMUL":
        return _batched(of, operator)
    weight = of.tensors.weight(operator, axis=0, dimensions=2)
    return Dense(
        where=operator.where,
        weight=weight,
        bias=of.tensors.bias(operator, weight.shape[0]),
        integers=of.tensors.integers(operator),
    )


def _batched(of: Reading, operator: Operator) -> Dense:
    """A product whose weight lies as (C, N), or turned."""
    turned, tensor = bool(operator.options.get("AdjY", 0)), of.tensors.constant(operator, 1)
    if operator.options.get("AdjX", 0) or len(tensor.shape) < 2 or any(n != 1 for n in tensor.shape[:-2]):
        raise Refused(f"{operator.where}: its weight has shape {tensor.shape}; MobileNet V1's is a matrix")
    weight = real(tensor, -2 if turned else -1, operator.where).reshape(tensor.shape[-2:])
    return Dense(where=operator.where, weight=weight if turned else weight.T)


def convolution(of: Reading, operator: Operator) -> list[Operation]:
    """A convolution, with what came before it where it is the first."""
    options, where = operator.options, operator.where
    if options.get("DilationHFactor", 1) != 1 or options.get("DilationWFactor", 1) != 1:
        raise Refused(f"{where} is dilated; MobileNet V1 has no dilated convolution")
    by_channel = operator.code == "DEPTHWISE_CONV_2D"
    weight = of.tensors.weight(operator, axis=3 if by_channel else 0, dimensions=4)
    # (1, K, K, N) or (N, K, K, C).
    order = (3, 0, 1, 2) if by_channel else (0, 3, 1, 2)
    weight, integers = weight.transpose(order), of.tensors.integers(operator)
    if integers is not None:
        integers = dataclasses.replace(integers, weight=integers.weight.transpose(order))
    if by_channel:
        # Of one grey channel it is a plain convolution to N.
        channels = of.axes.channels if of.axes.begun else of.axes.size(-1)
        if weight.shape[1] != 1 or (channels not in (1, weight.shape[0])):
            raise Refused(f"{where} makes several channels of each one; MobileNet V1 makes one")
        by_channel = channels == weight.shape[0]
    made = Convolution(
        where=where,
        weight=weight,
        bias=of.tensors.bias(operator, weight.shape[0]),
        stride=(int(options.get("StrideH", 0)), int(options.get("StrideW", 0))),
        padding="same" if options.get("Padding", SAME) == SAME else NO_PADDING,
        depthwise=by_channel,
        integers=integers,
    )
    return [*of.axes.convolve(LAST, of.chain, weight.shape[0], where), made]


def saturation(of: Reading, operator: Operator) -> list[Operation]:
    """The range of an integer output, with which older converters replaced ReLU6."""
    result = of.tensors.tensor(operator.outputs[0], operator.where)
    found = levels(result)
    return [] if found is None else [Saturation(where=operator.where, levels=found)]


def activation(operator: Operator) -> list[Operation]:
    """The activation that an operator ends with."""
    number = operator.options.get("FusedActivationFunction", 0)
    if number == 0:
        return []
    if number not in _FUSED:
        raise Refused(f"{operator.where} has activation {number}; MobileNet V1 has RELU6 or RELU")
    return [Clamp(where=operator.where, low=0.0, high=ACTIVATIONS[_FUSED[int(number)]])]


def pool(operator: Operator) -> Pool:
    """A mean over a whole image."""
    options = operator.options
    kernel = int(options.get("FilterHeight", 0)), int(options.get("FilterWidth", 0))
    stride = int(options.get("StrideH", 0)), int(options.get("StrideW", 0))
    # With SAME and a small stride there would be as many results as pixels.
    if options.get("Padding", SAME) == SAME and (stride[0] < kernel[0] or stride[1] < kernel[1]):
        raise Refused(f"{operator.where} pads its image; MobileNet V1 takes the mean of the whole image once")
    return Pool(where=operator.where, kernel=kernel)
