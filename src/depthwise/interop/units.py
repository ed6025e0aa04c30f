"""A chain of operations as the units of a network: convolutions with all that belongs to them, then the classifier."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Literal

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
    Norm,
    Operation,
    Pad,
    Pool,
    Reshape,
    Saturation,
    Softmax,
)
from depthwise.interop.norms import Scaling, nothing
from depthwise.network.layers import Padding
from depthwise.network.weights import Array


@dataclass(kw_only=True)
class Unit:
    """One convolution with its padding, bias, normalisation and activation.

    Attributes:
        where: its place in the file.
        weight: (N, C, K, K), or (C, 1, K, K) where `depthwise`.
        low, high: the activation's limits, None where there is none.
        saturation: what its outputs become, where they are quantised.
        integers, bias: of its weight, where that is quantised, and its own bias, real and (N,).
    """

    where: str
    weight: Array
    depthwise: bool
    stride: tuple[int, int]
    padding: Padding | Literal["same"]
    scaling: Scaling
    low: float | None = None
    high: float | None = None
    saturation: Saturation | None = None
    integers: Integers | None = None
    bias: Array | None = None

    @property
    def channels(self) -> int:
        """Output channels."""
        return int(self.weight.shape[0])


@dataclass(kw_only=True)
class Network:
    """A chain as units.

    Attributes:
        before: scale and shift of what comes before the first convolution, or None.
        units: the convolutions up to the pool.
        pool: the pool, or None where the file ends before it.
        classifier: weight (N, C) and bias (N,), or None where the file has none.
        classifier_where: its place in the file.
        classifier_integers: of its weight, where that is quantised.
        pooled, scored: what the pool's and the classifier's results become, where they are quantised.
    """

    before: tuple[Array, Array] | None = None
    units: list[Unit] = field(default_factory=list)
    pool: Pool | None = None
    classifier: tuple[Array, Array] | None = None
    classifier_where: str = ""
    classifier_integers: Integers | None = None
    pooled: Saturation | None = None
    scored: Saturation | None = None
    ended: bool = False


def units(chain: Chain) -> Network:
    """The units of a chain.

    Raises: Refused, naming the first operation that stands where MobileNet V1 has none of its kind.
    """
    network, pending = Network(), None
    for operation in map(_sum_as_pool, chain.operations):
        if pending is not None and not isinstance(operation, Convolution):
            raise Refused(f"{pending.where} pads what is no convolution's input; MobileNet V1 has no such layer")
        if isinstance(operation, Pad):
            pending = operation
            continue
        _take(network, operation, pending)
        pending = None
    if pending is not None:
        raise Refused(f"{pending.where} is the last operation; MobileNet V1 does not end with padding")
    if not network.units:
        raise Refused("the file holds no convolution before a pool; it is not a MobileNet V1, or only its last layers")
    return network


def _take(network: Network, operation: Operation, pad: Pad | None) -> None:
    """Add one operation to what there is."""
    match operation:
        case Reshape() | Softmax():
            if network.pool is None and network.units:
                raise _misplaced(operation, "before the global average pool")
            network.ended |= isinstance(operation, Softmax)
        case Convolution() if network.pool is None:
            network.units.append(_unit(operation, pad))
        case Convolution() | Dense():
            _classify(network, operation)
        case Pool():
            if network.pool is not None or not network.units:
                raise _misplaced(operation, "twice or before any convolution")
            network.pool = operation
        case Affine() if not network.units:
            scale, shift = network.before or (np.ones(()), np.zeros(()))
            network.before = scale * operation.scale, shift * operation.scale + operation.shift
        case Affine():
            _scale(network, operation)
        case Saturation():
            _saturate(network, operation)
        case Norm():
            _normalise(network, operation)
        case Clamp():
            _activate(network, operation)
        case _:
            raise _misplaced(operation, "here")


def _sum_as_pool(operation: Operation) -> Operation:
    """A depthwise convolution without padding whose weights are all the byte 1 is a pool with scales of its own."""
    match operation:
        case Convolution(depthwise=True, integers=Integers() as integers) if (
            operation.padding == NO_PADDING and (integers.weight == 1).all()
        ):
            height, width = operation.weight.shape[2:]
            return Pool(
                where=operation.where,
                kernel=(height, width),
                integers=integers,
                bias=operation.bias,
            )
    return operation


def _saturate(network: Network, operation: Saturation) -> None:
    """Keep what a value becomes; a second time only if it stays what it is."""
    if network.ended or not network.units:
        return
    if network.classifier is not None:
        before, network.scored = network.scored, operation
    elif network.pool is not None:
        before, network.pooled = network.pooled, operation
    else:
        before, network.units[-1].saturation = network.units[-1].saturation, operation
    if before is not None and before.levels != operation.levels:
        raise Refused(f"{operation.where} quantises a second time; MobileNet V1 is quantised once a layer")


def _misplaced(operation: Operation, place: str) -> Refused:
    return Refused(f"{operation.where} stands {place}, which no MobileNet V1 has")


def _unit(operation: Convolution, pad: Pad | None) -> Unit:
    weight = operation.weight
    _same_length(operation.where, weight.shape[0], bias=operation.bias)
    padding: Padding | Literal["same"] = operation.padding
    if pad is not None:
        if padding == "same":
            raise Refused(f"{operation.where} pads its input a second time after {pad.where}; MobileNet V1 pads once")
        padding = _sum(padding, pad.padding)
    scaling = nothing(weight.shape[0])
    if operation.bias is not None:
        scaling = scaling.then(np.ones(()), operation.bias.astype(np.float64))
    return Unit(
        where=operation.where,
        weight=weight,
        depthwise=operation.depthwise,
        stride=operation.stride,
        padding=padding,
        scaling=scaling,
        integers=operation.integers,
        bias=operation.bias,
    )


def _sum(one: Padding, other: Padding) -> Padding:
    return Padding(
        top=one.top + other.top,
        bottom=one.bottom + other.bottom,
        left=one.left + other.left,
        right=one.right + other.right,
    )


def _classify(network: Network, operation: Convolution | Dense) -> None:
    if network.pool is None:
        raise _misplaced(operation, "before the global average pool")
    if network.classifier is not None:
        raise Refused(f"{operation.where} is a second classifier; MobileNet V1 has one")
    weight = operation.weight
    if isinstance(operation, Convolution):
        if weight.shape[2:] != (1, 1) or operation.depthwise:
            raise Refused(f"{operation.where} is no 1x1 convolution; after the pool MobileNet V1 has its classifier")
        weight = weight[:, :, 0, 0]
    _same_length(operation.where, weight.shape[0], bias=operation.bias)
    bias = np.zeros(weight.shape[0], dtype=np.float32) if operation.bias is None else operation.bias
    network.classifier, network.classifier_where = (weight, bias), operation.where
    if operation.integers is not None:
        flat = operation.integers.weight.reshape(weight.shape)
        network.classifier_integers = dataclasses.replace(operation.integers, weight=flat)


def _scale(network: Network, operation: Affine) -> None:
    if network.classifier is not None:
        weight, bias = network.classifier
        if np.any(operation.scale != 1):
            raise Refused(f"{operation.where} multiplies the classifier's sums; MobileNet V1 does not")
        _same_length(operation.where, weight.shape[0], shift=operation.shift)
        network.classifier = weight, bias + operation.shift
        return
    unit = _open_unit(network, operation)
    _same_length(operation.where, unit.channels, scale=operation.scale, shift=operation.shift)
    unit.scaling = unit.scaling.then(operation.scale, operation.shift)


def _normalise(network: Network, operation: Norm) -> None:
    unit = _open_unit(network, operation)
    if unit.scaling.epsilon is not None:
        raise Refused(f"{operation.where} is a second batch normalisation of {unit.where}; MobileNet V1 has one")
    parts = {name: getattr(operation, name) for name in ("weight", "bias", "mean", "variance")}
    _same_length(operation.where, unit.channels, **parts)
    # Damaged numbers are refused further on, where all weights are looked at.
    with np.errstate(invalid="ignore"):
        weight, bias, mean, variance = (part.astype(np.float64) for part in parts.values())
    if not operation.epsilon > 0:
        raise Refused(f"{operation.where} has epsilon {operation.epsilon}; it must be above 0")
    before = unit.scaling
    if np.any(before.weight != 1):
        # A scale between the two leaves no statistics of its own: both become one scale and one shift.
        slope = weight / np.sqrt(variance + operation.epsilon)
        unit.scaling = before.then(slope, bias - mean * slope)
        return
    # The convolution's own bias moves into the mean, so that the statistics stay those of the file.
    unit.scaling = Scaling(
        weight=weight, bias=bias, mean=mean - before.bias, variance=variance, epsilon=operation.epsilon
    )


def _activate(network: Network, operation: Clamp) -> None:
    if network.pool is not None or not network.units:
        raise _misplaced(operation, "outside the convolutions")
    unit = network.units[-1]
    unit.low = operation.low if unit.low is None else max(unit.low, operation.low)
    unit.high = operation.high if unit.high is None else min(unit.high, operation.high)


def _open_unit(network: Network, operation: Affine | Norm) -> Unit:
    """The convolution to which a scaling belongs."""
    if network.pool is not None or not network.units:
        raise _misplaced(operation, "outside the convolutions")
    unit = network.units[-1]
    if unit.low is not None:
        raise Refused(f"{operation.where} stands after the activation of {unit.where}; MobileNet V1 normalises before")
    return unit


def _same_length(where: str, channels: int, **arrays: Array | None) -> None:
    for name, array in arrays.items():
        if array is not None and np.shape(array) not in ((), (1,), (channels,)):
            raise Refused(f"{where}: its {name} has shape {np.shape(array)} for {channels} channels; it is damaged")
