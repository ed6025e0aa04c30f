"""How an image becomes the network's input, as data; nothing is carried out here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from depthwise.errors import Refused
from depthwise.network.spec import LARGEST_RESOLUTION, is_number, shown

Mode = Literal["crop", "squash", "fit"]
MODES: tuple[Mode, ...] = ("crop", "squash", "fit")
Filter = Literal["bilinear", "bicubic"]
FILTERS: tuple[Filter, ...] = ("bilinear", "bicubic")


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Resize to a square in one of three ways, then `(pixel - mean) * scale`.

    `crop`: the shorter side becomes `resize`, and the centre is cut out. `squash`: both sides become `crop`. `fit`: the
    longer side becomes `crop`, and the picture lies in the middle of a square of one colour.

    The resize is Pillow's, antialiased; docs/preprocessing.md has the rule for sizes, `edge.pixels.prepare` and
    kernels/artifact/dwk_prepare.h carry it out. Up to the crop pixels are bytes, and the same bytes in all three.

    Attributes:
        resize: length of the shorter side after the resize, in pixels, at least `crop`.
        crop: side of the square that the network takes, in pixels.
        mean: one number a channel, 0 to 255. Whole numbers keep zero padding exact in int8.
        scale: one number a channel, above 0.
        mode: which of the three ways; in the latter two `resize` is `crop`.
        fill: the colour around a picture that is fitted, a byte a channel; () in the other ways.
        filter: of the resize, by Pillow's name.
    """

    resize: int
    crop: int
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    mode: Mode = "crop"
    fill: tuple[int, ...] = ()
    filter: Filter = "bilinear"

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

        self._check_mode()

    def _check_mode(self) -> None:
        if self.mode not in MODES:
            raise Refused(f"mode is {shown(self.mode)}; it must be one of {', '.join(MODES)}")
        if self.filter not in FILTERS:
            raise Refused(f"filter is {shown(self.filter)}; it must be one of {', '.join(FILTERS)}")
        if self.mode != "crop" and self.resize != self.crop:
            raise Refused(f"resize is {self.resize} and crop {self.crop}; to {self.mode} they must be one number")
        fill = tuple(self.fill) if isinstance(self.fill, list | tuple) else (None,)
        bytes_ = all(isinstance(byte, int) and not isinstance(byte, bool) and 0 <= byte <= 255 for byte in fill)
        if not bytes_ or len(fill) != (self.channels if self.mode == "fit" else 0):
            raise Refused(
                f"fill is {shown(self.fill)}; to fit it must be a whole number from 0 to 255 for each of"
                f" {self.channels} channels, and to crop or squash nothing"
            )
        object.__setattr__(self, "fill", fill)

    @property
    def channels(self) -> int:
        """Channels of the image, 1 (grey) or 3 (RGB)."""
        return len(self.mean)

    @property
    def sizes(self) -> str:
        """How a picture becomes square, in words."""
        by = "" if self.filter == "bilinear" else f" by a {self.filter} filter"
        match self.mode:
            case "squash":
                return f"both sides squashed to {self.crop}{by}"
            case "fit":
                return f"all of it fitted into {self.crop}x{self.crop}{by} on colour {','.join(map(str, self.fill))}"
        return f"shorter side to {self.resize}{by} and the middle {self.crop}x{self.crop} cut out"

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values; the mode where it is not `crop`, and the filter where it is not bilinear."""
        fields: dict[str, Any] = {"resize": self.resize, "crop": self.crop}
        fields |= {"mean": list(self.mean), "scale": list(self.scale)}
        if self.mode != "crop":
            fields |= {"mode": self.mode, "fill": list(self.fill)}
        return fields if self.filter == "bilinear" else fields | {"filter": self.filter}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Preprocessing:
        """What `to_dict` describes; unknown fields are refused by name."""
        unknown = sorted(set(fields) - {"resize", "crop", "mean", "scale", "mode", "fill", "filter"})
        if unknown:
            raise Refused(f"preprocessing has unknown fields {', '.join(map(shown, unknown))}")
        return cls(**dict(fields))


def default_preprocessing(resolution: int, channels: int) -> Preprocessing:
    """What our own models use: the shorter side to 8/7 of the crop, mean 128 and scale 1/64."""
    return Preprocessing(
        resize=(resolution * 8 + 3) // 7, crop=resolution, mean=(128.0,) * channels, scale=(1 / 64,) * channels
    )


def squared(pixels: Preprocessing, text: str) -> Preprocessing:
    """The same with another way to a square.

    Args:
        text: `crop`, a number (the shorter side before the crop), `squash`, `fit`, `fit:GREY` or `fit:R,G,B`; and
            behind a comma, or alone, a filter.
    Raises: Refused, when it is none of these.
    """
    way, comma, last = text.strip().rpartition(",")
    found = next((name for name in FILTERS if name == last.strip()), None)
    if found is None:
        return _in_a_way(pixels, text.strip(), text)
    asked = replace(pixels, filter=found)
    return _in_a_way(asked, way.strip(), text) if comma else asked


def _in_a_way(pixels: Preprocessing, way: str, text: str) -> Preprocessing:
    mode, colon, colour = way.partition(":")
    refused = Refused(
        f"--resize is {text!r}; give crop, squash, fit, fit:R,G,B or the pixels of the shorter side, and behind a comma"
        f" one of {', '.join(FILTERS)} where another filter is meant"
    )
    if colon and mode != "fit":
        raise refused
    try:
        if mode == "crop":
            return replace(pixels, mode="crop", fill=(), resize=(pixels.crop * 8 + 3) // 7)
        if mode == "squash":
            return replace(pixels, mode="squash", fill=(), resize=pixels.crop)
        if mode == "fit":
            fill = tuple(int(part) for part in (colour or "0").split(","))
            whole = fill * pixels.channels if len(fill) == 1 else fill
            return replace(pixels, mode="fit", fill=whole, resize=pixels.crop)
        return replace(pixels, mode="crop", fill=(), resize=int(mode))
    except ValueError:
        raise refused from None


def _numbers(name: str, values: Any) -> tuple[float, ...]:
    given = tuple(values) if isinstance(values, list | tuple) else ()
    if len(given) not in (1, 3) or not all(map(is_number, given)):
        raise Refused(f"{name} is {shown(values)}; it must be a list of 1 or 3 finite numbers")
    return tuple(float(v) for v in given)
