"""What a pixel means to a foreign network: what the user or the file says, what its graph shows, or the usual.

A file says it by the type and levels of its input, by levels behind it, by arithmetic before the first convolution, or
by metadata. Where nothing says it, the usual is assumed, which a notice tells; where levels contradict, it is refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.chain import Chain
from depthwise.interop.entry import Entry, Stated
from depthwise.interop.source import Source
from depthwise.interop.units import Network, Unit
from depthwise.network.weights import Array

How = Literal["read", "given", "assumed"]


@dataclass(frozen=True)
class Convention:
    """A way to prepare pixels for a network: `(pixel - mean) * scale`, one number, or one each for red, green, blue."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]

    def arrays(self, channels: int) -> tuple[Array, Array]:
        """Mean and scale, (C,) float64."""
        mean, scale = (np.array(part * channels if len(part) == 1 else part) for part in (self.mean, self.scale))
        if len(mean) != channels or len(scale) != channels:
            raise Refused(f"mean and scale have {len(mean)} and {len(scale)} numbers for {channels} channels")
        return mean, scale


RAW, UNIT, SIGNED = Convention((0.0,), (1.0,)), Convention((0.0,), (1 / 255,)), Convention((127.5,), (1 / 127.5,))
_DEVIATIONS = (0.229, 0.224, 0.225)
IMAGENET = Convention(
    tuple(255 * m for m in (0.485, 0.456, 0.406)), tuple(1 / (255 * deviation) for deviation in _DEVIATIONS)
)
# TensorFlow's, Keras's and timm's MobileNets take pixels from -1 to 1.
USUAL = SIGNED
# The order counts where two fit alike.
CONVENTIONS = (UNIT, SIGNED, RAW, IMAGENET, Convention((127.5,), (1 / 255,)), Convention((128.0,), (1.0,)))
# Shares of a range in common with the levels that a file states, from which on it is that range, or contradicts it.
FITS, NEARLY_AS_WELL, OUTSIDE, FEW = 0.9, 0.01, 0.25, 0.15
# What arithmetic on pixels comes to: a width of the result, 255 where a mean is all, and a mean that pictures may have.
NARROWEST, WIDEST, PLAIN = 0.2, 64.0, (200.0, 300.0)
LEAST_MEAN, LARGEST_MEAN = 16.0, 220.0
MIDDLE = 128


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """How pixels become what the first convolution reads.

    Attributes:
        mean, scale: one a channel of the picture: red, green, blue.
        take: place j of the turned first weights gets channel `take[j]` of the file's, times `sign[j]`.
        pixels, order: whether these are read, given or assumed.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    take: tuple[int, ...]
    sign: tuple[float, ...]
    pixels: How
    order: How

    def turned(self, unit: Unit) -> Unit:
        """The first convolution with its weights in the order of the picture's channels."""
        if self.take == tuple(range(len(self.take))) and min(self.sign) > 0:
            return unit
        weight = unit.weight[:, list(self.take)] * np.array(self.sign, unit.weight.dtype)[None, :, None, None]
        integers = unit.integers
        if integers is not None:
            turned = integers.weight[:, list(self.take)]
            integers = dataclasses.replace(integers, weight=turned) if min(self.sign) > 0 else None
        return dataclasses.replace(unit, weight=weight, integers=integers)


def meaning(network: Network, chain: Chain, source: Source, own: Convention | None, known: Convention) -> Meaning:
    """How pixels become what the first convolution of a network reads.

    Args:
        own: what this project wrote into the file.
        known: what is assumed where nothing says it.
    Raises: Refused, when what is said fits no picture, or contradicts the levels that the file states.
    """
    channels = int(network.units[0].weight.shape[1])
    given, bgr = source.given, source.given.bgr or source.bgr
    if bgr and channels != 3:
        raise Refused(f"its pictures have {channels} channel; only three can be blue, green and red")
    asked = given.mean is not None or given.scale is not None
    view = _View(network.entry, channels, bgr, symmetric=_symmetric(network))
    convention: Convention
    pixels: How
    if given.mean is not None and given.scale is not None and chain.offset is None and not network.entry.computes:
        convention, pixels = Convention(given.mean, given.scale), "given"
    else:
        convention, pixels = _convention(view, chain, source, own, known)
        if asked:
            convention, pixels = _given(view, chain, source, convention), "given"
    for stated in network.entry.stated:
        view.check(stated, convention, pixels)
    mean, scale = view.total(convention)
    if own is not None and not asked and _alike(own.arrays(channels), (mean, scale)):
        mean, scale = own.arrays(channels)
    take, sign = view.places()
    return Meaning(
        mean=tuple(map(_neat, mean.tolist())),
        scale=tuple(scale.tolist()),
        take=take,
        sign=sign,
        pixels=pixels,
        order=_order(source, own, channels),
    )


class _View:
    """The entry of a network, seen from the channels of a picture."""

    def __init__(self, entry: Entry, channels: int, bgr: bool | None, *, symmetric: bool) -> None:
        for name, part in (("scale", entry.scale), ("shift", entry.shift)):
            if part.size not in (1, channels) or not np.isfinite(part).all():
                raise Refused(f"{entry.where}: its {name} of pixels is {part.reshape(-1)[:4]}; it is damaged")
        if not (entry.scale != 0).all():
            raise Refused(f"{entry.where} multiplies pixels by 0; it is damaged")
        self.entry, self.channels, self._bgr, self.symmetric = entry, channels, bool(bgr), symmetric

    def places(self) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """Which channel of the first convolution reads each of the picture's, and with which sign."""
        reads = self._picture(self.entry.order)
        take = tuple(reads.index(place) for place in range(self.channels))
        sign = np.sign(np.broadcast_to(self.entry.scale, (self.channels,)))
        return take, tuple(float(sign[c]) for c in take)

    def _picture(self, order: tuple[int, ...] | None) -> list[int]:
        """The channel of the picture that each channel of a value is."""
        found = list(order or range(self.channels))
        if sorted(found) != list(range(self.channels)):
            raise Refused(f"its graph puts channels in the order {found[:6]}, of {self.channels}; it is damaged")
        return [self.channels - 1 - c for c in found] if self._bgr else found

    def total(self, convention: Convention) -> tuple[Array, Array]:
        """Mean and scale, (C,) by channel of the picture, of a convention followed by the graph's own arithmetic."""
        reads = np.array(self._picture(self.entry.order))
        mean, scale = (part[reads] for part in convention.arrays(self.channels))
        with np.errstate(all="ignore"):
            total = mean - self.entry.shift / (self.entry.scale * scale), abs(self.entry.scale) * scale
        back = np.argsort(reads)
        return np.broadcast_to(total[0], reads.shape)[back], np.broadcast_to(total[1], reads.shape)[back]

    def same_range(self, given: Convention, total: tuple[Array, Array]) -> bool:
        """Whether a convention fills the very range that the file's own arithmetic makes of bytes."""
        ends = [
            ((pixel - mean) * scale) for mean, scale in (given.arrays(self.channels), total) for pixel in (0.0, 255.0)
        ]
        low, high, least, most = ends[0].min(), ends[1].max(), ends[2].min(), ends[3].max()
        return bool(min(high, most) - max(low, least) >= FITS * (max(high, most) - min(low, least)))

    def fed(self, total: Convention) -> Convention:
        """What a file must be fed for a convention to be all that happens to a pixel.

        Raises: Refused, where its arithmetic differs from channel to channel.
        """
        if self.entry.scale.size > 1 or self.entry.shift.size > 1:
            raise Refused(f"{self.entry.where} has numbers for each channel; leave --mean and --scale out")
        mean, scale = total.arrays(self.channels)
        a, b = float(self.entry.scale.reshape(())), float(self.entry.shift.reshape(()))
        return Convention(tuple((mean + b / scale).tolist()), tuple((scale / a).tolist()))

    def plausible(self, convention: Convention) -> bool:
        """Whether networks are fed what comes of a convention: a mean that pictures have, and a usual width."""
        mean, scale = self.total(convention)
        middle = (abs(mean) < 0.05) | (abs(mean - 255) < 0.05) | ((mean >= LEAST_MEAN) & (mean <= LARGEST_MEAN))
        width = 255 * scale
        usual = ((width >= NARROWEST) & (width <= WIDEST)) | ((width >= PLAIN[0]) & (width <= PLAIN[1]))
        return bool(middle.all() and usual.all())

    def reach(self, stated: Stated, convention: Convention) -> tuple[float, float]:
        """The least and largest value that a convention brings where a range is stated."""
        mean, scale = (part[self._picture(stated.order)] for part in convention.arrays(self.channels))
        ends = [((pixel - mean) * scale) * stated.scale + stated.shift for pixel in (0, 255)]
        return float(np.min(ends)), float(np.max(ends))

    def common(self, stated: Stated, convention: Convention) -> float:
        """The share of both ranges, what is stated and what a convention brings, that they have in common."""
        (low, high), (least, most) = self.reach(stated, convention), _range(stated)
        if self.symmetric:
            low, high = -max(-low, high), max(-low, high)
        return max(min(high, most) - max(low, least), 0.0) / (max(high, most) - min(low, least))

    def check(self, stated: Stated, convention: Convention, pixels: How) -> None:
        """Refuse pixels that leave the levels of the file, or fill few of them.

        Raises: Refused, naming both ranges.
        """
        (low, high), (least, most) = self.reach(stated, convention), _range(stated)
        inside = max(min(high, most) - max(low, least), 0.0)
        if inside < (1 - OUTSIDE) * (high - low) or high - low < FEW * (most - least):
            said = "are given" if pixels == "given" else f"are {pixels}"
            raise Refused(
                f"{stated.where} states values from {least:.4g} to {most:.4g}, and with the mean and scale that {said}"
                f" they go from {low:.4g} to {high:.4g}; say by --mean and --scale what the file is fed (and by --bgr"
                " whether blue comes first)"
            )


def _convention(
    view: _View, chain: Chain, source: Source, own: Convention | None, known: Convention
) -> tuple[Convention, How]:
    """What the file is fed, as far as the user does not say it."""
    if chain.offset is not None:
        return Convention((float(-chain.offset),), (1.0,)), "read"
    said = None if source.mean is None or source.scale is None else Convention(source.mean, source.scale)
    if view.entry.computes:
        candidates: Iterable[Convention] = (*([said] if said else ()), RAW, UNIT, SIGNED)
        found = next(filter(view.plausible, candidates), None)
        return (known, "assumed") if found is None else (found, "read")
    for one in (own, said):
        if one is not None:
            return one, "read"
    return _by_levels(view, view.entry.stated[0], known) if view.entry.stated else (known, "assumed")


def _by_levels(view: _View, stated: Stated, known: Convention) -> tuple[Convention, How]:
    """The convention whose range a file states, or what is assumed where it states another one."""
    those = [one for one in CONVENTIONS if len(one.scale) in (1, view.channels)]
    shares = [view.common(stated, one) for one in those]
    best = max(shares)
    if best < FITS:
        # `check` refuses it where it contradicts.
        return known, "assumed"
    fitting = [one for one, share in zip(those, shares, strict=True) if share >= best - NEARLY_AS_WELL]
    # Levels even around 0 hold pixels from 0 to 1 as well as from -1 to 1.
    return (known, "assumed") if view.symmetric and known in fitting else (fitting[0], "read")


def _order(source: Source, own: Convention | None, channels: int) -> How:
    """Whether the order of channels is read, given or assumed; grey has none."""
    if source.given.bgr:
        return "given"
    return "read" if source.bgr is not None or own is not None or channels == 1 else "assumed"


def _given(view: _View, chain: Chain, source: Source, read: Convention) -> Convention:
    """What the user says the file is fed; of a file that does part of it itself he may also say all of it.

    Raises: Refused, when the file says something else.
    """
    given = Convention(source.given.mean or read.mean, source.given.scale or read.scale)
    if not view.entry.computes and chain.offset is None:
        return given
    mean, scale = view.total(read)
    if _alike(given.arrays(view.channels), (mean, scale)):
        return read
    if chain.offset is None and view.plausible(given):
        return given
    # Bytes may be levels of pixels that were prepared before, channel by channel, which one scale cannot say.
    if chain.offset is not None and view.same_range(given, (mean, scale)):
        return view.fed(given)
    does = f"takes bytes and {view.entry.where}" if chain.offset is not None else view.entry.where
    raise Refused(
        f"{does or 'takes bytes, and'} makes (pixel - mean) * scale of them, with mean {_shown(mean)} and scale"
        f" {_shown(scale)}; leave --mean and --scale out"
    )


def _alike(one: tuple[Array, Array], other: tuple[Array, Array]) -> bool:
    return bool((abs(one[0] - other[0]) <= 1).all() and (abs(one[1] / other[1] - 1) <= 0.01).all())


def _symmetric(network: Network) -> bool:
    """Whether all levels of a file lie evenly around 0, which then says nothing of what they hold."""
    found = [unit.saturation.levels.zero == MIDDLE for unit in network.units if unit.saturation is not None]
    return bool(found) and all(found)


def _range(stated: Stated) -> tuple[float, float]:
    levels = stated.levels
    return -levels.zero * levels.scale, (255 - levels.zero) * levels.scale


def _neat(value: float) -> float:
    """A mean without what division left of it: half a step of a byte is the finest that files say."""
    return round(2 * value) / 2 if abs(value - round(2 * value) / 2) < 1e-9 else value


def _shown(values: Array) -> str:
    shown: Callable[[float], str] = lambda value: f"{value:.6g}"  # noqa: E731
    return ",".join(map(shown, values[:1] if (values == values[0]).all() else values))
