"""How an image becomes the network's input, as data; nothing is carried out here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from depthwise.errors import Refused
from depthwise.network.spec import LARGEST_RESOLUTION, is_number, shown


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Resize the shorter side, cut out the centre, then `(pixel - mean) * scale`.

    The resize is Pillow's antialiased bilinear; docs/preprocessing.md has the rule for sizes, `edge.pixels.prepare`
    and kernels/artifact/dwk_prepare.h carry it out. Up to the crop pixels are bytes, and the same bytes in all three.

    Attributes:
        resize: length of the shorter side after the resize, in pixels, at least `crop`.
        crop: side of the square that the network takes, in pixels.
        mean: one number a channel, 0 to 255. Whole numbers keep zero padding exact in int8.
        scale: one number a channel, above 0.
    """

    resize: int
    crop: int
    mean: tuple[float, ...]
    scale: tuple[float, ...]

    def __post_init__(self) -> None:
        for name, value in (("crop", self.crop), ("resize", self.resize)):
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 2 * LARGEST_RESOLUTION:
                raise Refused(f"{name} is {shown(value)}; it must be a whole number from 1 to {2 * LARGEST_RESOLUTION}")
        if self.resize < self.crop:
            raise Refused(f"resize is {self.resize}, below crop {self.crop}; the shorter side must hold the crop")
        object.__setattr__(self, "mean", _numbers("mean", self.mean))
        object.__setattr__(self, "scale", _numbers("scale", self.scale))
        if len(self.mean) != len(self.scale):
            raise Refused(f"mean has {len(self.mean)} numbers and scale {len(self.scale)}; give one of each a channel")
        if any(not 0 <= m <= 255 for m in self.mean):
            raise Refused(f"mean is {self.mean}; each must be from 0 to 255")
        if any(not s > 0 for s in self.scale):
            raise Refused(f"scale is {self.scale}; each must be above 0")

    @property
    def channels(self) -> int:
        """Channels of the image, 1 (grey) or 3 (RGB)."""
        return len(self.mean)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return {"resize": self.resize, "crop": self.crop, "mean": list(self.mean), "scale": list(self.scale)}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Preprocessing:
        """What `to_dict` describes; unknown fields are refused by name."""
        unknown = sorted(set(fields) - {"resize", "crop", "mean", "scale"})
        if unknown:
            raise Refused(f"preprocessing has unknown fields {', '.join(map(shown, unknown))}")
        return cls(**dict(fields))


def default_preprocessing(resolution: int, channels: int) -> Preprocessing:
    """What our own models use: the shorter side to 8/7 of the crop, mean 128 and scale 1/64."""
    return Preprocessing(
        resize=(resolution * 8 + 3) // 7, crop=resolution, mean=(128.0,) * channels, scale=(1 / 64,) * channels
    )


def _numbers(name: str, values: Any) -> tuple[float, ...]:
    given = tuple(values) if isinstance(values, list | tuple) else ()
    if len(given) not in (1, 3) or not all(map(is_number, given)):
        raise Refused(f"{name} is {shown(values)}; it must be a list of 1 or 3 finite numbers")
    return tuple(float(v) for v in given)
