"""A quantised chain as an int8 model that keeps the file's own integers and ranges (docs/int8.md).

A network keeps its bytes: weights and biases are the file's, and each layer's multiplier is made of the file's scales.
What may differ is the rounding: the owner of the format may round a sum in two steps, or halves another way.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.chain import Chain, Copies, Integers, Levels, Pool, Saturation
from depthwise.interop.grids import upwards
from depthwise.interop.match import model_of, understood
from depthwise.interop.source import Source
from depthwise.interop.units import Network, Unit
from depthwise.network.layers import Layer, layers
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedLayer, QuantizedModel
from depthwise.network.spec import ACTIVATIONS
from depthwise.network.weights import Array

_ELSE = "leave out --keep-int8 to read it as float"
BYTE = 255
DIGITS = 9


def to_quantized(chain: Chain, source: Source) -> QuantizedModel:
    """The int8 model that a chain is.

    Raises: Refused, naming the first layer that does not fit, or whose weight is not of bytes with one zero point.
    """
    found = understood(chain, source)
    copying = next((operation for operation in chain.operations if isinstance(operation, Copies)), None)
    if copying is not None:
        raise Refused(
            f"{copying.where} copies a grey channel, and the bytes that copies are multiplied with are more than a byte"
            f" together; {_ELSE}"
        )
    network, model = found.network, model_of(found, source)
    scales = set(model.preprocessing.scale)
    if len(scales) > 1:
        raise Refused(
            f"its pixels are scaled by {sorted(scales)}; int8 weights take one scale for all channels; {_ELSE}"
        )
    return QuantizedModel(
        spec=model.spec,
        layers={name: _exact(name, numbers, source) for name, numbers in _layers(network, model, source)},
        border=tuple(round(mean) for mean in model.preprocessing.mean),
        labels=model.labels,
        preprocessing=model.preprocessing,
        provenance=model.provenance,
    )


def _layers(network: Network, model: Model, source: Source) -> Iterator[tuple[str, QuantizedLayer]]:
    """Each row of the table with its numbers."""
    rows = layers(model.spec)
    high = ACTIVATIONS[model.spec.activation]
    # The first input is the pixel itself, whatever levels the file gives it: more of them, if anything.
    zero, scale = np.array(model.preprocessing.mean), model.preprocessing.scale[0]
    levels = Levels(scale=scale, zero=0)
    for row, unit in zip((row for row in rows if row.norm), network.units, strict=True):
        made = _levels(unit.saturation, unit.where)
        numbers = _sums(unit.where, unit.integers, _bias(unit), zero, levels.scale)
        top = min(BYTE, made.zero + round(min(BYTE, high / made.scale)))
        yield row.name, _layer(row, numbers, made, low=made.zero, high=top)
        levels, zero = made, np.array(float(made.zero))
    pool, classifier = rows[-2:]
    pooled = levels if network.head.pooled is None else network.head.pooled.levels
    halves_up = source.format == "tflite" and levels == pooled
    yield pool.name, _pool(pool, network.pool, levels, pooled, halves_up=halves_up)
    if network.head.classifier is None:
        yield classifier.name, _silent(classifier)
        return
    where, bias = network.head.where, network.head.classifier[1]
    if network.head.inner is not None:
        raise Refused(f"{where}: its bytes are made before its bias is added, and int8 adds first; {_ELSE}")
    if network.head.single:
        raise Refused(f"{where} gives one score, of which only float weights make two classes; {_ELSE}")
    numbers = _sums(where, network.head.integers, bias, np.array(float(pooled.zero)), pooled.scale)
    if network.head.scored is None:
        yield classifier.name, _layer(classifier, numbers, Levels(scale=1.0, zero=0), low=0, high=BYTE, rounded=False)
    else:
        yield classifier.name, _layer(classifier, numbers, network.head.scored.levels, low=0, high=BYTE)


def _exact(name: str, numbers: QuantizedLayer, source: Source) -> QuantizedLayer:
    """A layer with the multipliers that the file's scales could not say, where this project wrote them beside."""
    found = source.own.get("multipliers")
    noted = found.get(name) if isinstance(found, dict) else None
    if not isinstance(noted, dict):
        return numbers
    multiplier = numbers.multiplier.copy()
    for channel, value in noted.items():
        c = int(channel) if channel.isdecimal() and len(channel) < DIGITS else len(multiplier)
        # Only a neighbour of the one that the scales make is believed.
        if c < len(multiplier) and isinstance(value, float):
            near = (np.nextafter(multiplier[c], np.float32(end)) for end in (-np.inf, np.inf))
            multiplier[c] = value if np.float32(value) in near else multiplier[c]
    return dataclasses.replace(numbers, multiplier=multiplier)


def _levels(saturation: Saturation | None, where: str) -> Levels:
    if saturation is None:
        raise Refused(f"{where} does not put out bytes; it is not an int8 network; {_ELSE}")
    if not 0 <= saturation.levels.zero <= BYTE or not saturation.levels.scale > 0:
        raise Refused(f"{where} has zero point {saturation.levels.zero} or no scale; it is damaged")
    return saturation.levels


def _bias(unit: Unit) -> Array | None:
    """What is added to the products of a unit, (N,), None where that is nothing."""
    found = unit.scaling
    if unit.inner is not None or found.epsilon is not None or np.any(found.weight != 1):
        raise Refused(
            f"{unit.where}: its batch normalisation stands apart from it, and int8 has none; fold it into the"
            f" convolution before the network is quantised, or {_ELSE}"
        )
    bias = found.bias - found.mean
    return bias if bias.any() else None


class _Sums(NamedTuple):
    """Weight, its zero point and bias of a layer's sums, and what a step of them is worth, (N,) float64."""

    weight: Array
    zero_point: int
    bias: Array
    step: Array


def _sums(where: str, integers: Integers | None, bias: Array | None, zero: Array, scale: float) -> _Sums:
    """The sums of a layer whose input bytes stand for `(byte - zero) * scale`.

    Args:
        zero: one number, or one for each input channel.
    """
    if integers is None:
        raise Refused(f"{where}: its weight is not of bytes with one zero point; {_ELSE}")
    weight = integers.factors
    N = weight.shape[0]
    step = np.broadcast_to(integers.scales * scale, (N,))
    real = np.zeros(N) if bias is None else bias.astype(np.float64)
    zeros = zero if zero.ndim and weight.ndim == 4 and weight.shape[1] == len(zero) else zero.reshape(-1)[:1]
    shaped = zeros.reshape(1, -1, *[1] * (weight.ndim - 2))
    offset = (weight.astype(np.float64) * shaped).reshape(N, -1).sum(axis=1)
    with np.errstate(all="ignore"):
        whole = np.rint(real / step - offset)
    if not (np.isfinite(whole).all() and (np.abs(whole) < 2.0**31).all()):
        raise Refused(f"{where}: its bias does not fit into 32 bits in steps of its input and weight; {_ELSE}")
    return _Sums(np.ascontiguousarray(integers.weight), integers.zero, whole.astype(np.int32), step)


def _layer(row: Layer, sums: _Sums, made: Levels, *, low: int, high: int, rounded: bool = True) -> QuantizedLayer:
    N = row.output.channels
    return QuantizedLayer(
        weight=sums.weight,
        bias=sums.bias,
        multiplier=(sums.step / made.scale).astype(np.float32),
        scale=np.full(N, made.scale, np.float32),
        zero_point=made.zero,
        low=low,
        high=high,
        rounded=rounded,
        weight_zero_point=sums.zero_point,
    )


def _silent(row: Layer) -> QuantizedLayer:
    """The classifier of zeros that a network without one is given."""
    N = row.output.channels
    ones = np.ones(N, np.float32)
    weight, bias = np.zeros((N, row.input.channels), np.int8), np.zeros(N, np.int32)
    return QuantizedLayer(weight=weight, bias=bias, multiplier=ones, scale=ones, rounded=False)


def _pool(row: Layer, pool: Pool | None, levels: Levels, made: Levels, *, halves_up: bool) -> QuantizedLayer:
    """The mean of each channel.

    Args:
        halves_up: whether the file's runtime rounds halves up, and not to even. A multiplier one step above 1 / area
            does so for every sum of bytes, and changes no other.
    """
    N, area = row.output.channels, row.input.height * row.input.width
    step, bias = np.full(N, levels.scale / area), np.full(N, -area * levels.zero)
    if pool is not None and pool.integers is not None:
        sums = _sums(pool.where, pool.integers, pool.bias, np.array(float(levels.zero)), levels.scale)
        step, bias = sums.step, sums.bias
    multiplier = (step / made.scale).astype(np.float32)
    if halves_up and (pool is None or pool.integers is None):
        multiplier = upwards(multiplier)
    return QuantizedLayer(
        weight=np.zeros(0, np.int8),
        bias=bias.astype(np.int32),
        multiplier=multiplier,
        scale=np.full(N, made.scale, np.float32),
        zero_point=made.zero,
    )
