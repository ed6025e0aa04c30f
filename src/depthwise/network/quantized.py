"""A network in int8: bytes between the layers, to and from a model folder.

docs/int8.md is the specification (its rules have the numbers Q1 to Q9 and R1 to R4); network/reference_int8.py computes
what it says.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeGuard

import numpy as np
from numpy.typing import NDArray

from depthwise.errors import Refused
from depthwise.network.description import (
    check_fit,
    check_precision,
    common_fields,
    part,
    precision_of,
    same_names,
    write_model,
)
from depthwise.network.folder import (
    DESCRIPTION,
    FORMAT,
    FORMAT_OF_ZERO_POINTS,
    WEIGHTS,
    read_arrays,
    read_description,
)
from depthwise.network.layers import Layer, layers
from depthwise.network.model import Model
from depthwise.network.preprocessing import Preprocessing
from depthwise.network.requantize import Reach, check_multiplier
from depthwise.network.spec import Spec
from depthwise.network.weights import Array, weight_shape
from depthwise.precision import Precision

# Names and types of the arrays of a layer. A pool has no weight.
ARRAYS: dict[str, type[np.generic]] = {
    "weight": np.int8,
    "bias": np.int32,
    "multiplier": np.float32,
    "scale": np.float32,
}
# Fields of a layer that stand in model.json.
NUMBERS = ("zero_point", "low", "high", "rounded")
# One that stands there only where it is not 0.
WEIGHT_ZERO_POINT = "weight_zero_point"
# A product of R2 stays below this, so that its conversion to int32 never saturates.
LARGEST_PRODUCT = 2**30


@dataclass(frozen=True, kw_only=True)
class QuantizedLayer:
    """The numbers of one layer; N output channels.

    Attributes:
        weight: int8, shaped as in PyTorch (`weight_shape`); empty for a pool, which only sums.
        bias: (N,) int32, where the accumulator starts; what the input's zero point adds is in it already (Q4).
        multiplier: (N,) float32, of R2.
        scale: (N,) float32, what one step of the output's byte is worth in real numbers.
        zero_point: the byte that stands for real 0, and the byte with which the next layer pads.
        low, high: bytes to clamp to.
        rounded: False for a classifier whose logits are the products of R2 as they are (Q8).
        weight_zero_point: the weight that stands for real 0, -128 to 127; 0 in networks that this project quantises.
    """

    weight: NDArray[np.int8]
    bias: NDArray[np.int32]
    multiplier: NDArray[np.float32]
    scale: NDArray[np.float32]
    zero_point: int = 0
    low: int = 0
    high: int = 255
    rounded: bool = True
    weight_zero_point: int = 0

    @property
    def factors(self) -> NDArray[np.signedinteger[Any]]:
        """What input bytes are multiplied by, `weight - weight_zero_point` (Q4): int16, or int8 where that is 0."""
        if not self.weight_zero_point:
            return self.weight
        return np.asarray(self.weight.astype(np.int16) - np.int16(self.weight_zero_point))

    @property
    def fields(self) -> dict[str, Any]:
        """The fields that stand in model.json."""
        found = {key: getattr(self, key) for key in NUMBERS}
        return found | ({WEIGHT_ZERO_POINT: self.weight_zero_point} if self.weight_zero_point else {})


@dataclass(frozen=True, kw_only=True)
class QuantizedModel:
    """One network in int8.

    Attributes:
        spec: the network.
        layers: by name, for every row of the table.
        border: one byte a channel of the image, with which the first layer pads (Q3).
        labels, preprocessing, provenance, accuracy: as in `Model`.

    Raises: Refused, when a layer is missing or unknown, an array has a wrong shape or type, a number is out of range,
        or a sum could leave int32.
    """

    spec: Spec
    layers: Mapping[str, QuantizedLayer]
    border: tuple[int, ...]
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    provenance: Mapping[str, Any] = field(default_factory=dict)
    accuracy: Mapping[str, Any] = field(default_factory=dict)

    @property
    def precision(self) -> Literal["int8"]:
        """What its numbers are."""
        return "int8"

    def __post_init__(self) -> None:
        check_fit(self)
        if len(self.border) != self.spec.channels or not all(_is_byte(value) for value in self.border):
            raise Refused(f"border is {self.border}; it must be a byte for each of {self.spec.channels} channels")
        table = layers(self.spec)
        same_names({layer.name: None for layer in table}, self.layers)
        for layer in table:
            try:
                _check(layer, self.layers[layer.name])
            except Refused as refusal:
                raise Refused(f"layer {layer.name}: {refusal}") from None

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the model folder, whole or not at all; one that exists is replaced.

        Raises: Refused, when `folder` holds something that is not a model folder, or cannot be written.
        """
        arrays = {
            f"{name}.{kind}": np.ascontiguousarray(getattr(layer, kind))
            for name, layer in self.layers.items()
            for kind in ARRAYS
            if getattr(layer, kind).size
        }
        numbers = {name: layer.fields for name, layer in self.layers.items()}
        quantization = {"border": list(self.border), "layers": numbers}
        has_zero_points = any(layer.weight_zero_point for layer in self.layers.values())
        written_as = FORMAT_OF_ZERO_POINTS if has_zero_points else FORMAT
        write_model(Path(folder), self, "int8", arrays, written_as=written_as, quantization=quantization)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> QuantizedModel:
        """The model in a folder that `save` wrote.

        Raises: Refused, when a file is missing, damaged, too large for its network, or of an unknown version.
        """
        path = Path(folder)
        description = read_description(path / DESCRIPTION)
        try:
            check_precision(description, "int8", "int8 is needed; run `depthwise quantize` on it first")
            fields = common_fields(description)
            numbers = part(description, "quantization", dict)
            return cls(
                layers=_read_layers(path / WEIGHTS, fields["spec"], part(numbers, "layers", dict)),
                border=tuple(part(numbers, "border", list)),
                **fields,
            )
        except Refused as refusal:
            raise Refused(f"{path}: {refusal}") from None
        except (TypeError, RecursionError) as problem:
            raise Refused(f"{path / DESCRIPTION}: a field is missing or of a wrong type ({problem})") from None

    def replace(self, **changes: Any) -> QuantizedModel:
        """A copy with some attributes changed."""
        return dataclasses.replace(self, **changes)


_KINDS: dict[Precision, type[Model | QuantizedModel]] = {"float32": Model, "int8": QuantizedModel}


def load_model(folder: str | os.PathLike[str]) -> Model | QuantizedModel:
    """The model in a folder, of whichever precision.

    Raises: Refused, as the `load` of either does.
    """
    path = Path(folder)
    description = read_description(path / DESCRIPTION)
    try:
        kind = _KINDS[precision_of(description)]
    except Refused as refusal:
        raise Refused(f"{path}: {refusal}") from None
    return kind.load(path)


def expected_arrays(spec: Spec) -> dict[str, tuple[tuple[int, ...], type[np.generic]]]:
    """Shape and type of every array of an int8 network, by `<layer>.<array>`, in the order of the table."""
    return {
        f"{layer.name}.{kind}": (weight_shape(layer) if kind == "weight" else (layer.output.channels,), dtype)
        for layer in layers(spec)
        for kind, dtype in ARRAYS.items()
        if kind != "weight" or layer.kind != "pool"
    }


def reach(layer: Layer, numbers: QuantizedLayer) -> Reach:
    """What the accumulators of a layer can be, for inputs of any bytes: proven from the weights alone."""
    positive, negative = _weight_sums(layer, numbers)
    bias = numbers.bias.astype(np.int64)
    return Reach(bias + 255 * negative, bias + 255 * positive, numbers.zero_point, low=numbers.low, high=numbers.high)


def input_border(model: QuantizedModel, layer: Layer) -> tuple[int, ...]:
    """The byte of each input channel with which a layer pads (Q3)."""
    table = layers(model.spec)
    index = table.index(layer)
    if index == 0:
        return model.border
    return (model.layers[table[index - 1].name].zero_point,) * layer.input.channels


def _weight_sums(layer: Layer, numbers: QuantizedLayer) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(N,) sums of the positive and of the negative factors of each output channel."""
    if layer.kind == "pool":
        ones = np.full(layer.output.channels, layer.input.height * layer.input.width, np.int64)
        return ones, np.zeros_like(ones)
    flat = numbers.factors.reshape(layer.output.channels, -1).astype(np.int64)
    return np.maximum(flat, 0).sum(axis=1), np.minimum(flat, 0).sum(axis=1)


def _check(layer: Layer, numbers: QuantizedLayer) -> None:
    shapes = {
        "weight": (0,) if layer.kind == "pool" else weight_shape(layer),
        **{kind: (layer.output.channels,) for kind in ARRAYS if kind != "weight"},
    }
    for kind, shape in shapes.items():
        array: Array = getattr(numbers, kind)
        if array.shape != shape or array.dtype != ARRAYS[kind]:
            raise Refused(
                f"{kind} is {array.dtype} of shape {array.shape}; it must be {np.dtype(ARRAYS[kind])} of shape {shape}"
            )
    check_multiplier(numbers.multiplier)
    if not (np.isfinite(numbers.scale) & (numbers.scale > 0)).all():
        raise Refused("a scale is not a positive finite number; the file is damaged")
    if not all(_is_byte(value) for value in (numbers.zero_point, numbers.low, numbers.high)):
        found = f"{numbers.zero_point!r}, {numbers.low!r}, {numbers.high!r}"
        raise Refused(f"zero_point, low and high are {found}; each must be a whole number from 0 to 255")
    if not _is_whole(numbers.weight_zero_point) or not -128 <= numbers.weight_zero_point <= 127:
        raise Refused(f"weight_zero_point is {numbers.weight_zero_point!r}; it must be a whole number from -128 to 127")
    if layer.kind == "pool" and numbers.weight_zero_point:
        raise Refused("a pool has no weights, and so weight_zero_point must be 0")
    if numbers.low > numbers.high:
        raise Refused(f"low is {numbers.low} and high {numbers.high}; the clamp is empty")
    if not isinstance(numbers.rounded, bool) or (not numbers.rounded and layer.kind != "classifier"):
        raise Refused("only the logits of a classifier may stay unrounded")
    _check_sums(layer, numbers)


def _check_sums(layer: Layer, numbers: QuantizedLayer) -> None:
    """Prove that no sum leaves int32, in whatever order it is taken, and no product of R2 leaves 2**30 (Q5)."""
    positive, negative = _weight_sums(layer, numbers)
    bias = numbers.bias.astype(np.int64)
    highest = 255 * positive + np.maximum(bias, 0)
    lowest = 255 * negative + np.minimum(bias, 0)
    wrong = np.flatnonzero((highest > 2**31 - 1) | (lowest < -(2**31)))
    if len(wrong):
        c = int(wrong[0])
        raise Refused(f"the sums of channel {c} can be {lowest[c]:,} to {highest[c]:,}, which leaves 32 bits")
    if numbers.rounded:
        ends = reach(layer, numbers)
        largest = np.maximum(np.abs(ends.lowest), np.abs(ends.highest)) * numbers.multiplier.astype(np.float64)
        if (largest > LARGEST_PRODUCT).any():
            c = int(largest.argmax())
            raise Refused(
                f"channel {c} can reach {largest[c]:.3g} before it is clamped, above {LARGEST_PRODUCT:,};"
                " its multiplier or its bias is too large"
            )


def _is_byte(value: object) -> bool:
    return _is_whole(value) and 0 <= value <= 255


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _read_layers(path: Path, spec: Spec, numbers: Mapping[str, Any]) -> dict[str, QuantizedLayer]:
    wanted = expected_arrays(spec)
    found = read_arrays(path, sum(math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in wanted.values()))
    same_names(wanted, found)
    table = layers(spec)
    same_names({layer.name: None for layer in table}, numbers)
    result = {}
    for layer in table:
        arrays: dict[str, Any] = {
            kind: found.get(f"{layer.name}.{kind}", np.zeros(0, dtype)) for kind, dtype in ARRAYS.items()
        }
        fields = numbers[layer.name]
        if not isinstance(fields, dict) or set(fields) - {WEIGHT_ZERO_POINT} != set(NUMBERS):
            raise Refused(
                f"layer {layer.name} in {DESCRIPTION} must have {', '.join(NUMBERS)}, may have {WEIGHT_ZERO_POINT},"
                " and nothing else"
            )
        result[layer.name] = QuantizedLayer(**arrays, **fields)
    return result
