"""The chain of a foreign file against the table of layers: which MobileNet V1 it is, or which layer does not fit."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.chain import Chain
from depthwise.interop.labels import distinct, numbered
from depthwise.interop.meaning import Meaning, meaning
from depthwise.interop.norms import EXACT_EPSILON
from depthwise.interop.said import listed
from depthwise.interop.source import Source
from depthwise.interop.units import Network, Unit, units
from depthwise.interop.usual import known, own_convention, preprocessing, resize_is
from depthwise.network.layers import Layer, Padding, layers
from depthwise.network.model import Model
from depthwise.network.preprocessing import FILTERS
from depthwise.network.spec import (
    ACTIVATIONS,
    BLOCKS,
    LARGEST_WIDTH,
    PADDINGS,
    ROUNDINGS,
    SHALLOW_LEAVES_OUT,
    STEM_CHANNELS,
    STRIDED,
    Spec,
    scaled,
)
from depthwise.network.weights import Array

# A file without a classifier is given one of zeros for as many classes, if nobody says how many there are.
FEWEST_CLASSES = 2
USUAL_RESOLUTION = 224
# How far the last byte of a range may stand for something else than where ReLU6 ends.
_NEARLY = 0.1
_BY_LIMITS: dict[tuple[float | None, float | None], str] = {(0, top): name for name, top in ACTIVATIONS.items()}


def to_model(chain: Chain, source: Source) -> Model:
    """The model that a chain is.

    Raises: Refused, naming the first layer that does not fit.
    """
    return model_of(understood(chain, source), source)


@dataclass(frozen=True, kw_only=True)
class Understood:
    """A chain as a network: its units, the first one's weights turned to red, green and blue; and what it takes."""

    network: Network
    spec: Spec
    meaning: Meaning


def understood(chain: Chain, source: Source) -> Understood:
    """What a chain is, before its layers are compared with the table.

    Raises: Refused, when there is no network near, or what is said of pixels does not fit.
    """
    network = units(chain)
    spec = _own_spelling(infer(network, chain, source), source)
    found = meaning(network, chain, source, own_convention(source), known(spec))
    first, *rest = network.units
    return Understood(
        network=dataclasses.replace(network, units=[found.turned(first), *rest]), spec=spec, meaning=found
    )


def model_of(found: Understood, source: Source) -> Model:
    """The model of a chain that is understood.

    Raises: Refused, naming the first layer that does not fit.
    """
    network, spec = found.network, found.spec
    rows = [layer for layer in layers(spec) if layer.norm]
    _compare(network, rows)
    weights = _weights(network.units, rows, spec)
    features = rows[-1].output.channels
    if network.head.classifier is None:
        weights |= {
            "classifier.weight": np.zeros((spec.classes, features), np.float32),
            "classifier.bias": np.zeros(spec.classes, np.float32),
        }
    else:
        weight, bias = network.head.classifier
        if weight.shape[1] == features:
            weight, bias = _with_pool(network, weight, bias, rows[-1])
        if weight.shape[1] != features:
            raise Refused(
                f"{network.head.where} takes {weight.shape[1]} features and the last block gives {features};"
                " it is not the classifier of a MobileNet V1"
            )
        weights |= {"classifier.weight": _float32(weight), "classifier.bias": _float32(bias)}
    return Model(
        spec=spec,
        weights=weights,
        labels=_labels(spec, network, source),
        preprocessing=preprocessing(spec, found.meaning, source),
        provenance=_provenance(network, found.meaning, source),
    )


def _with_pool(network: Network, weight: Array, bias: Array, last: Layer) -> tuple[Array, Array]:
    """The classifier with the scales that a pool of its own has multiplied in, behind the last convolution."""
    features, area = last.output.channels, last.output.height * last.output.width
    pool = network.pool
    if pool is not None and pool.total:
        return weight * area, bias
    if pool is None or pool.integers is None or pool.kernel is None:
        return weight, bias
    scale = np.broadcast_to(pool.integers.scales * pool.kernel[0] * pool.kernel[1], (features,))
    shift = np.zeros(features) if pool.bias is None else pool.bias
    return weight * scale, bias + weight.astype(np.float64) @ shift


def infer(network: Network, chain: Chain, source: Source) -> Spec:
    """The network that fits best; `_compare` then says whether it fits.

    Raises: Refused, when there is no network near.
    """
    stem, rest = network.units[0], network.units[1:]
    separable = not rest or rest[0].depthwise
    blocks = _blocks(rest, separable)
    shallow = len(blocks) == len(BLOCKS) - len(SHALLOW_LEAVES_OUT)
    numbers = [n for n in range(1, len(BLOCKS) + 1) if not (shallow and n in SHALLOW_LEAVES_OUT)]
    strides = {0: stem.stride, **{n: unit.stride for n, (unit, _) in zip(numbers, blocks, strict=False)}}
    bases = [STEM_CHANNELS, *(BLOCKS[n - 1][1] for n in numbers)]
    found = [stem.channels, *(channels for _, channels in blocks)]
    epsilons = Counter(e for unit in network.units if (e := unit.scaling.epsilon) is not None)
    width, rounding = scaling_of(list(zip(bases, found, strict=False)))
    spec = Spec(
        width=width,
        resolution=_resolution(chain, source),
        classes=_classes(network, source),
        channels=_channels(stem),
        bn_epsilon=epsilons.most_common(1)[0][0] if epsilons else EXACT_EPSILON,
        activation=_activation(network.units),
        convolution="separable" if separable else "standard",
        shallow=shallow,
        unit_strides=tuple(n for n in STRIDED if strides.get(n) == (1, 1)),
        rounding=rounding,
    )
    return dataclasses.replace(spec, padding=_padding(network.units, spec, source.padding))


def scaling_of(channels: Sequence[tuple[int, int]]) -> tuple[float, str]:
    """The width and the rounding that make the found channels of the base ones, or most of them from the start.

    Args:
        channels: (base, found) of the stem and of each block, in order.
    Raises: Refused, when no width comes near.
    """
    return max(((width_of(channels, rounding), rounding) for rounding in ROUNDINGS), key=partial(_fitting, channels))


def width_of(channels: Sequence[tuple[int, int]], rounding: str = ROUNDINGS[0]) -> float:
    """The width multiplier with the fewest digits that makes the found channels of the base ones.

    Args:
        channels: (base, found) of the stem and of each block, in order.
    Returns: where none makes all of them, one that makes as many from the start as can be made.
    """

    candidates: dict[float, int] = {}
    for (base, found), digits in itertools.product(sorted(set(channels)), range(5)):
        for step in (-1, 0, 1, 2):
            width = (math.floor(found / base * 10**digits) + step) / 10**digits
            if 0 < width <= LARGEST_WIDTH:
                candidates.setdefault(width, digits)
    if not candidates:
        raise Refused(f"the first convolution has {channels[0][1]} channels; no MobileNet V1 is that wide")
    return max(candidates, key=lambda width: (_fitting(channels, (width, rounding)), -candidates[width], -width))


def _fitting(channels: Sequence[tuple[int, int]], scaling: tuple[float, str]) -> int:
    """How many channels from the start a width with its rounding makes."""
    wrong = (i for i, (base, found) in enumerate(channels) if scaled(base, *scaling) != found)
    return next(wrong, len(channels))


def _blocks(rest: Sequence[Unit], separable: bool) -> list[tuple[Unit, int]]:
    """First convolution and output channels of each block."""
    if not separable:
        return [(unit, unit.channels) for unit in rest]
    return [(first, second.channels) for first, second in zip(rest[::2], rest[1::2], strict=False)]


def _resolution(chain: Chain, source: Source) -> int:
    given = source.given.resolution
    if chain.height is None or chain.width is None:
        return given or USUAL_RESOLUTION
    if chain.height != chain.width:
        raise Refused(f"the input is {chain.height}x{chain.width}; MobileNet V1 here takes square images")
    if given not in (None, chain.height):
        raise Refused(f"the file takes images of {chain.height} pixels, not {given}; leave --resolution out")
    return chain.height


def _classes(network: Network, source: Source) -> int:
    if network.head.classifier is not None:
        return int(network.head.classifier[0].shape[0])
    return len(source.given.labels or ()) or FEWEST_CLASSES


def _channels(stem: Unit) -> int:
    if stem.weight.shape[1] not in (1, 3) or stem.depthwise:
        raise Refused(f"{stem.where} is a {_named(stem)}; MobileNet V1 begins with a convolution of 1 or 3 channels")
    return int(stem.weight.shape[1])


def _activation(found: Sequence[Unit]) -> str:
    reach = [unit.saturation.high for unit in found if unit.saturation is not None]
    # Ranges that all end where ReLU6 does or before, and one of them there, are what is left of it.
    saturated = "relu6" if reach and abs(max(reach) - ACTIVATIONS["relu6"]) < _NEARLY else "relu"
    first = ""
    for unit in found:
        name = _BY_LIMITS.get((unit.low, unit.high))
        if unit.low is None and unit.saturation is not None and unit.saturation.low == 0:
            name = saturated
        if name is None:
            shown = "no activation" if unit.low is None else f"an activation from {unit.low:g} to {unit.high:g}"
            raise Refused(f"{unit.where} has {shown}; MobileNet V1 has ReLU6 or ReLU after every convolution")
        if first and name != first:
            raise Refused(f"{unit.where} has {name} where those before have {first}; MobileNet V1 has one of them")
        first = first or name
    return first


def _padding(found: Sequence[Unit], spec: Spec, usual: str) -> str:
    """The padding that agrees with most units from the start; of several, the one that is usual in such files."""

    def fitting(padding: str) -> tuple[int, bool]:
        rows = [row for row in layers(dataclasses.replace(spec, padding=padding)) if row.norm]
        pairs = enumerate(zip(found, rows, strict=False))
        first = next((i for i, (unit, row) in pairs if not _padded_alike(unit, row)), len(rows))
        return first, padding == usual

    return max(PADDINGS, key=fitting)


def _padded_alike(unit: Unit, row: Layer) -> bool:
    """Whether the windows of a convolution meet the same zeros as those of its row."""
    if unit.padding == "same":
        return row.kernel == 1 or all(_zeros(*side, row) == _same(side[0], row) for side in _sides_of(row, row.padding))
    pairs = zip(_sides_of(row, unit.padding), _sides_of(row, row.padding), strict=True)
    return all(_zeros(*ours, row) == _zeros(*theirs, row) for ours, theirs in pairs)


def _sides_of(row: Layer, padding: Padding) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Size and zeros before and after, of rows and of columns."""
    return (row.input.height, padding.top, padding.bottom), (row.input.width, padding.left, padding.right)


def _zeros(size: int, before: int, after: int, row: Layer) -> tuple[int, int, int]:
    """How many windows there are, and the zeros before and after that some window meets."""
    windows = (size + before + after - row.kernel) // row.stride + 1
    return windows, before, max((windows - 1) * row.stride + row.kernel - size - before, 0)


def _same(size: int, row: Layer) -> tuple[int, int, int]:
    """The same by TensorFlow's `SAME`, which gives the odd zero to the end."""
    windows = -(-size // row.stride)
    total = max((windows - 1) * row.stride + row.kernel - size, 0)
    return windows, total // 2, total - total // 2


def _compare(network: Network, rows: Sequence[Layer]) -> None:
    """Refuse the first unit that is not its row of the table."""
    for unit, row in itertools.zip_longest(network.units, rows):
        if row is None:
            raise Refused(f"{unit.where} is a {_named(unit)} after the {len(rows)} layers of a MobileNet V1")
        if unit is None:
            raise Refused(f"the file ends before layer {row.name}, a {_wanted(row)}; MobileNet V1 has it")
        shape = tuple(int(n) for n in unit.weight.shape)
        depthwise = row.kind == "depthwise"
        wanted = (row.output.channels, 1 if depthwise else row.input.channels, row.kernel, row.kernel)
        if unit.depthwise != depthwise or shape != wanted or unit.stride != (row.stride, row.stride):
            raise Refused(f"{unit.where} is a {_named(unit)}; at {row.name} MobileNet V1 has a {_wanted(row)}")
        if not _padded_alike(unit, row):
            raise Refused(
                f"{unit.where} pads {_sides(unit.padding)}; at {row.name} MobileNet V1 pads {_sides(row.padding)}"
            )
    side = rows[-1].output.height
    if network.pool is not None and network.pool.kernel not in (None, (side, side)):
        height, width = network.pool.kernel or (0, 0)
        if (height, width) == (1, 1):
            raise Refused(
                f"{network.pool.where} leaves the last {side}x{side} pixels apart; MobileNet V1 takes their mean"
            )
        raise Refused(
            f"{network.pool.where} is over {height}x{width}; MobileNet V1 takes the mean of the whole {side}x{side}"
        )


def _named(unit: Unit) -> str:
    kind = "depthwise convolution" if unit.depthwise else f"convolution of {unit.weight.shape[1]} channels"
    high, wide = unit.weight.shape[2:]
    return f"{high}x{wide} {kind} to {unit.channels} channels with stride {'x'.join(map(str, unit.stride))}"


def _wanted(row: Layer) -> str:
    kind = "depthwise convolution" if row.kind == "depthwise" else f"convolution of {row.input.channels} channels"
    return f"{row.kernel}x{row.kernel} {kind} to {row.output.channels} channels with stride {row.stride}x{row.stride}"


def _sides(padding: Padding | str) -> str:
    if not isinstance(padding, Padding):
        return str(padding)
    return f"{padding.top}, {padding.bottom}, {padding.left}, {padding.right} (top, bottom, left, right)"


def _weights(found: Sequence[Unit], rows: Sequence[Layer], spec: Spec) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    for unit, row in zip(found, rows, strict=True):
        arrays[f"{row.name}.weight"] = _float32(unit.weight)
        arrays |= {f"{row.norm}.{part}": array for part, array in unit.scaling.arrays(spec.bn_epsilon).items()}
    return arrays


def _float32(array: Array) -> Array:
    return np.ascontiguousarray(array, dtype=np.float32)


def _own_spelling(spec: Spec, source: Source) -> Spec:
    """The spec as this project wrote it into the file, when it is the same network; so 0.333 does not become 0.33."""
    try:
        own = Spec.from_dict(source.own["spec"])
    except (KeyError, TypeError, ValueError, Refused):
        return spec
    own = dataclasses.replace(own, bn_epsilon=spec.bn_epsilon)
    same = own.activation == spec.activation and own.channels == spec.channels and layers(own) == layers(spec)
    return own if same else spec


def _labels(spec: Spec, network: Network, source: Source) -> tuple[str, ...]:
    if source.given.labels is not None:
        return distinct(source.given.labels)
    if source.labels is not None and len(source.labels) == spec.classes and network.head.classifier is not None:
        return distinct(source.labels)
    return numbered(spec.classes)


def _provenance(network: Network, found: Meaning, source: Source) -> dict[str, Any]:
    record: dict[str, Any] = {"source": source.name, "format": source.format, "sha256": source.sha256}
    record["preprocessing"] = {"pixels": found.pixels, "order": found.order, "resize": resize_is(source)}
    if source.given.bgr or source.bgr:
        record["preprocessing"]["bgr"] = True
    if source.filter not in ("", *FILTERS):
        record["preprocessing"]["filter"] = source.filter
    if source.assumes:
        record["preprocessing"]["layers"] = source.assumes
    if network.unread:
        record["unread"] = listed(network.unread)
    if network.initial[0]:
        count, first, total = network.initial
        record["norms"] = f"{first}, the first of {count} (of {total})" if count > 1 else f"{first} (1 of {total})"
    if network.head.single:
        record["score"] = "one, read as that of the second of two classes"
    if network.head.classifier is None:
        record["classifier"] = "zeros, since the source has none; train before use"
    return record
