"""A chain of operations as the units of a network: convolutions with all that belongs to them, then the classifier."""

from __future__ import annotations

import dataclasses
import math
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
    Copies,
    Dense,
    Integers,
    Norm,
    Operation,
    Pad,
    Pool,
    Reorder,
    Reshape,
    Saturation,
)
from depthwise.interop.entry import Entry
from depthwise.interop.head import Head, refuse_second, same_length
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
        inner: what they become before they are normalised, where a file quantises there, too.
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
    inner: Saturation | None = None
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
        entry: what comes before the first convolution.
        units: the convolutions up to the pool.
        pool: the pool, or None where the file ends before it.
        head: what comes behind the pool.
        unread: of `Chain.unread`.
        initial: how many normalisations have the statistics that they are made with, the place of the first, and how
            many there are.
    """

    entry: Entry = field(default_factory=Entry)
    units: list[Unit] = field(default_factory=list)
    pool: Pool | None = None
    head: Head = field(default_factory=Head)
    unread: tuple[str, ...] = ()
    initial: tuple[int, str, int] = (0, "", 0)


def units(chain: Chain) -> Network:
    """The units of a chain.

    Raises: Refused, naming the first operation that stands where MobileNet V1 has none of its kind.
    """
    network = Network(entry=Entry(channels=chain.channels), unread=chain.unread, initial=_initial(chain))
    pending: Pad | None = None
    operations = _pool_before_classifier([_sum_as_pool(operation) for operation in chain.operations])
    last = max((place for place, operation in enumerate(operations) if _before_flattening(operation)), default=0)
    product = max((place for place, operation in enumerate(operations) if isinstance(operation, Dense)), default=0)
    for place, operation in enumerate(operations):
        if isinstance(operation, Reshape) and network.units and not last < place < product:
            if network.pool is None:
                raise _misplaced(operation, "before the global average pool")
            continue
        upright = _upright(operation) if chain.turned else operation
        if pending is not None and isinstance(upright, Saturation):
            # Levels are stated behind the padding once more; zero is one of them.
            _take(network, upright, None)
            continue
        if pending is not None and not isinstance(upright, Convolution):
            raise Refused(f"{pending.where} pads what is no convolution's input; MobileNet V1 has no such layer")
        if isinstance(upright, Pad):
            pending = upright
            continue
        _take(network, upright, pending)
        pending = None
    if pending is not None:
        raise Refused(f"{pending.where} is the last operation; MobileNet V1 does not end with padding")
    network.head.finish()
    if not network.units:
        raise Refused("the file holds no convolution before a pool; it is not a MobileNet V1, or only its last layers")
    return network


def _initial(chain: Chain) -> tuple[int, str, int]:
    """Of `Network.initial`: a mean of exactly 0 and a variance of exactly 1 in every channel are no measurement."""
    norms = [operation for operation in chain.operations if isinstance(operation, Norm)]
    found = [norm.where for norm in norms if not norm.mean.any() and (norm.variance == 1).all()]
    return len(found), found[0] if found else "", len(norms)


def _take(network: Network, operation: Operation, pad: Pad | None) -> None:
    """Add one operation to what there is."""
    match operation:
        case _ if network.pool is not None and not isinstance(operation, Pool):
            network.head.take(operation, _top(network.units[-1]))
        case Convolution() if not network.units and _is_of_pixels(operation) and pad is None:
            network.entry = network.entry.mixed(operation)
        case Convolution() if not network.units and network.entry.is_copied(operation):
            network.entry, operation = network.entry.grey(operation)
            network.units.append(_unit(operation, pad))
        case Convolution():
            network.units.append(_unit(operation, pad))
        case Affine() | Norm() | Reorder() | Copies() | Saturation() if not network.units:
            network.entry = network.entry.then(operation)
        case _ if not network.units:
            raise _misplaced(operation, "outside the convolutions")
        case Pool() if network.pool is None:
            network.pool = operation
        case Reshape():
            # Of one pixel this is the mean, too; `match` refuses it where there are more.
            network.pool = Pool(where=operation.where, kernel=(1, 1))
        case Affine():
            _scale(network, operation)
        case Saturation():
            before, network.units[-1].saturation = network.units[-1].saturation, operation
            refuse_second(before, operation)
        case Norm():
            _normalise(network, operation)
        case Clamp():
            _activate(network, operation)
        case Pool():
            raise _misplaced(operation, "twice or before any convolution")
        case _:
            raise _misplaced(operation, "before the global average pool")


def _is_of_pixels(operation: Convolution) -> bool:
    """Whether a convolution before all others computes each pixel's channels anew, as exporters write a scale."""
    channels, each, *kernel = operation.weight.shape
    plain = operation.stride == (1, 1) and operation.padding in ("same", NO_PADDING)
    # One channel may become three.
    fits = each == 1 if operation.depthwise else each in (1, channels)
    return plain and kernel == [1, 1] and channels in (1, 3) and fits


def _before_flattening(operation: Operation) -> bool:
    """Whether an operation stands before rows, columns and channels become one line."""
    return isinstance(operation, Pool) or (isinstance(operation, Convolution) and operation.depthwise)


def _top(unit: Unit) -> float:
    """The largest value that a unit's outputs have."""
    if unit.high is None or unit.high == math.inf:
        return math.inf if unit.saturation is None else unit.saturation.high
    return unit.high


def _upright(operation: Operation) -> Operation:
    """The operation for an image whose rows are rows again: a kernel turned the other way."""
    match operation:
        case Convolution():
            padding, integers = operation.padding, operation.integers
            if integers is not None:
                integers = dataclasses.replace(integers, weight=integers.weight.swapaxes(2, 3))
            return dataclasses.replace(
                operation,
                weight=operation.weight.swapaxes(2, 3),
                integers=integers,
                stride=operation.stride[::-1],
                padding=padding if padding == "same" else _swapped(padding),
            )
        case Pad():
            return dataclasses.replace(operation, padding=_swapped(operation.padding))
        case Pool():
            kernel = operation.kernel
            return dataclasses.replace(operation, kernel=None if kernel is None else kernel[::-1])
    return operation


def _swapped(padding: Padding) -> Padding:
    return Padding(top=padding.left, bottom=padding.right, left=padding.top, right=padding.bottom)


def _sum_as_pool(operation: Operation) -> Operation:
    """A depthwise convolution without padding whose weights are all the byte 1 is a pool with scales of its own."""
    match operation:
        case Convolution(depthwise=True, integers=Integers() as integers) if (
            operation.padding == NO_PADDING and (integers.factors == 1).all()
        ):
            height, width = operation.weight.shape[2:]
            return Pool(
                where=operation.where,
                kernel=(height, width),
                integers=integers,
                bias=operation.bias,
            )
    return operation


def _pool_before_classifier(operations: list[Operation]) -> list[Operation]:
    """The same, where a 1x1 convolution without an activation comes last before the pool: the mean of what it makes of
    pixels is what it makes of their mean."""
    place = next((place for place, operation in enumerate(operations) if isinstance(operation, Pool)), 0)
    before = [operation for operation in operations[:place] if isinstance(operation, Convolution)]
    pool, last = operations[place : place + 1], operations[place - 1] if place else None
    if len(before) < 2 or last is not before[-1] or before[-2].depthwise or not isinstance(last, Convolution):
        return operations
    plain = last.weight.shape[2:] == (1, 1) and last.stride == (1, 1) and last.padding in ("same", NO_PADDING)
    total = any(isinstance(one, Pool) and (one.total or one.integers is not None) for one in pool)
    if last.depthwise or not plain or total:
        return operations
    return [*operations[: place - 1], *pool, last, *operations[place + 1 :]]


def _misplaced(operation: Operation, place: str) -> Refused:
    return Refused(f"{operation.where} stands {place}, which no MobileNet V1 has")


def _unit(operation: Convolution, pad: Pad | None) -> Unit:
    weight = operation.weight
    same_length(operation.where, weight.shape[0], bias=operation.bias)
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


def _scale(network: Network, operation: Affine) -> None:
    unit = _open_unit(network, operation)
    same_length(operation.where, unit.channels, scale=operation.scale, shift=operation.shift)
    unit.scaling = unit.scaling.then(operation.scale, operation.shift)


def _normalise(network: Network, operation: Norm) -> None:
    unit = _open_unit(network, operation)
    if unit.scaling.epsilon is not None:
        raise Refused(f"{operation.where} is a second batch normalisation of {unit.where}; MobileNet V1 has one")
    parts = {name: getattr(operation, name) for name in ("weight", "bias", "mean", "variance")}
    same_length(operation.where, unit.channels, **parts)
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
    unit = network.units[-1]
    unit.low = operation.low if unit.low is None else max(unit.low, operation.low)
    unit.high = operation.high if unit.high is None else min(unit.high, operation.high)


def _open_unit(network: Network, operation: Affine | Norm) -> Unit:
    """The convolution to which a scaling belongs."""
    unit = network.units[-1]
    # Bytes that begin at 0 are an activation.
    if unit.low is not None or (unit.saturation is not None and unit.saturation.low == 0):
        raise Refused(f"{operation.where} stands after the activation of {unit.where}; MobileNet V1 normalises before")
    if unit.saturation is not None:
        unit.inner, unit.saturation = unit.saturation, None
    return unit
