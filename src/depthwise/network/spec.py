"""The frozen description of one network, validated when it is made."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from depthwise.errors import Refused

# (stride, channels) of the 13 separable blocks, arXiv:1704.04861 Table 1. Its last row prints
# stride 2, but the 7x7 output beside it needs stride 1, as Keras and timm have it.
BLOCKS = ((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), *((1, 512),) * 5, (2, 1024), (1, 1024))
STEM_CHANNELS = 32
# The five 14x14x512 blocks that the paper's "shallow" network leaves out (section 4.1, Table 5), counted from 1.
SHALLOW_LEAVES_OUT = (7, 8, 9, 10, 11)
# Layers of stride 2 that `unit_strides` may run at stride 1: 0 is the stem, the others are blocks counted from 1.
STRIDED = (0, *(number for number, (stride, _) in enumerate(BLOCKS, start=1) if stride == 2))

# The sixteen networks of the paper and of the published checkpoints.
WIDTHS = (0.25, 0.5, 0.75, 1.0)
RESOLUTIONS = (128, 160, 192, 224)

# Activations behind every batch normalisation, and where each ends; all begin at 0.
ACTIVATIONS = {"relu6": 6.0, "relu": math.inf}
PADDINGS = ("symmetric", "same", "keras", "end")
ROUNDINGS = ("multiple-of-8", "cut-off")

LARGEST_RESOLUTION = 4096
LARGEST_WIDTH = 8.0
MOST_CLASSES = 1_000_000
LONGEST_SHOWN = 80


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One network of the MobileNet V1 family.

    Attributes:
        width: the width multiplier alpha (arXiv:1704.04861 section 3.3), above 0 and at most 8.
        resolution: height and width of the input in pixels, 32 to 4096; the paper's rho is resolution / 224.
        classes: number of labels, from 2.
        channels: channels of the input image, 1 (grey) or 3 (RGB).
        padding: zeros around 3x3 kernels, one of `PADDINGS`: "symmetric" has 1 on every side (PyTorch); "same" as
            TensorFlow does; "end" has 1 at the bottom and right of every convolution of stride 2, whatever the side;
            "keras" as keras.applications does, "same" for the stem and "end" for the blocks.
        bn_epsilon: the constant that batch normalisation adds to the variance.
        activation: one of `ACTIVATIONS`, after every batch normalisation.
        convolution: "separable", or "standard" for the twin whose blocks are one 3x3 standard convolution.
        shallow: leave out the five 14x14x512 blocks, as the paper's Table 5 does.
        unit_strides: which layers of stride 2 run at stride 1, for small images: 0 is the stem,
            2, 4, 6 and 12 are blocks. (0,) is the form that CIFAR models use.
        rounding: how channels times the width become whole, one of `ROUNDINGS`: "multiple-of-8", as the paper's code
            and timm do, or "cut-off", as Keras does.

    Raises: Refused, when a value is outside these ranges.
    """

    width: float = 1.0
    resolution: int = 224
    classes: int = 1000
    channels: int = 3
    padding: str = "symmetric"
    bn_epsilon: float = 1e-5
    activation: str = "relu6"
    convolution: str = "separable"
    shallow: bool = False
    unit_strides: tuple[int, ...] = ()
    rounding: str = "multiple-of-8"

    def __post_init__(self) -> None:
        _number("width", self.width, low=0, high=LARGEST_WIDTH, low_is_open=True)
        _whole("resolution", self.resolution, low=32, high=LARGEST_RESOLUTION)
        _whole("classes", self.classes, low=2, high=MOST_CLASSES)
        _one_of("channels", self.channels, (1, 3))
        _one_of("padding", self.padding, PADDINGS)
        _number("bn_epsilon", self.bn_epsilon, low=0, high=1, low_is_open=True)
        _one_of("activation", self.activation, tuple(ACTIVATIONS))
        _one_of("convolution", self.convolution, ("separable", "standard"))
        _one_of("shallow", self.shallow, (False, True))
        _one_of("rounding", self.rounding, ROUNDINGS)
        if self.rounding == "cut-off" and int(STEM_CHANNELS * self.width) < 1:
            raise Refused(
                f"width is {self.width:g}, which cuts the {STEM_CHANNELS} channels of the first layer to none"
            )
        given = self.unit_strides
        if not isinstance(given, tuple) or any(type(i) is not int or i not in STRIDED for i in given):
            raise Refused(
                f"unit_strides is {shown(given)}; it must be a tuple of numbers among {STRIDED} (0 is the stem)"
            )
        # One spelling for one network, so that equal networks compare and print as equal.
        object.__setattr__(self, "unit_strides", tuple(sorted(set(given))))
        object.__setattr__(self, "width", float(self.width))

    @property
    def rho(self) -> float:
        """The resolution multiplier of the paper: resolution / 224."""
        return self.resolution / 224

    def twin(self) -> Spec:
        """The same network with each separable block as one 3x3 standard convolution."""
        return dataclasses.replace(self, convolution="standard")

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values, defaults included; but the usual `rounding` is left out.

        Versions that know no other rounding then read the networks that they can compute.
        """
        fields = {**dataclasses.asdict(self), "unit_strides": list(self.unit_strides)}
        if self.rounding == Spec.rounding:
            del fields["rounding"]
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Spec:
        """The network that `to_dict` describes; unknown fields are refused by name."""
        known = {f.name for f in dataclasses.fields(cls)}
        unknown = sorted(set(fields) - known)
        if unknown:
            raise Refused(
                f"the network has unknown fields {', '.join(map(shown, unknown))}; known are {', '.join(sorted(known))}"
            )
        values = dict(fields)
        if isinstance(values.get("unit_strides"), list):
            values["unit_strides"] = tuple(values["unit_strides"])
        return cls(**values)


def scaled(channels: int, width: float, rounding: str = "multiple-of-8") -> int:
    """Channels at a width.

    Args:
        rounding: "multiple-of-8" for the nearest one, at least 8, never below 90% of the exact product; "cut-off" for
            the whole part of the product.
    Source: the rounding of MobileNet's published code, as timm's `make_divisible`; `int(filters * alpha)` of
    keras.applications.
    """
    exact = channels * width
    if rounding == "cut-off":
        return int(exact)
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * exact else rounded


def shown(value: object) -> str:
    """A value as a message shows it; a damaged file may hold a very long one."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}... ({len(text):,} characters)"


def is_number(value: object) -> bool:
    """Whether a value, which may come from a file, is a finite number that a float can hold."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def _number(name: str, value: object, *, low: float, high: float, low_is_open: bool) -> None:
    if not is_number(value) or value > high or (value <= low if low_is_open else value < low):  # type: ignore[operator]
        edge = "above" if low_is_open else "from"
        raise Refused(f"{name} is {shown(value)}; it must be a number {edge} {low} and at most {high}")


def _whole(name: str, value: object, *, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Refused(f"{name} is {shown(value)}; it must be a whole number from {low} to {high}")


def _one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    # `1 == True` in Python, so the type is compared too.
    if not any(value == a and type(value) is type(a) for a in allowed):
        raise Refused(f"{name} is {shown(value)}; it must be one of {', '.join(map(repr, allowed))}")
