"""TFLite's operators without weights as operations: limits, sums and products with constants, padding."""

from __future__ import annotations

import math

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.chain import Affine, Clamp, Operation
from depthwise.interop.tflite.file import Operator, Tensor
from depthwise.interop.tflite.reading import Reading
from depthwise.interop.tflite.tensors import integers, real


def clamp(of: Reading, operator: Operator, value: Tensor) -> Clamp:
    """The larger or the smaller of the data and one number."""
    tensor = of.tensors.other(operator, value)
    values = real(tensor, -1, operator.where)
    if values.size != 1:
        raise Refused(f"{operator.where} has a limit for each of {values.size} values; MobileNet V1 has one")
    limit = float(values.reshape(()))
    low, high = (limit, math.inf) if operator.code == "MAXIMUM" else (-math.inf, limit)
    return Clamp(where=operator.where, low=low, high=high)


def affine(of: Reading, operator: Operator, value: Tensor) -> Affine:
    """A sum, difference, product or quotient with a constant: one number, or one a channel."""
    tensor, where = of.tensors.other(operator, value), operator.where
    first = operator.inputs[0] == value.index
    values = of.axes.along_channels(real(tensor, -1, where).astype(np.float64), where)
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


def pad(of: Reading, operator: Operator) -> list[Operation]:
    """Rows and columns of zeros."""
    sides = integers(of.tensors.constant(operator, 1), operator.where)
    filled = operator.code == "PADV2" and real(of.tensors.constant(operator, 2), 0, operator.where).any()
    if sides.shape != (4, 2) or (sides < 0).any() or filled:
        raise Refused(f"{operator.where} is no padding of height and width with zeros; MobileNet V1 has no other")
    return of.axes.pad([(int(before), int(behind)) for before, behind in sides], operator.where)
