"""How pictures become a foreign network's pixels, and what is assumed of them where neither user nor file says it."""

from __future__ import annotations

import dataclasses

from depthwise.errors import Refused
from depthwise.interop.meaning import UNIT, USUAL, Convention, How, Meaning
from depthwise.interop.source import Source
from depthwise.network.preprocessing import FILTERS, Preprocessing, squared
from depthwise.network.spec import Spec


def known(spec: Spec) -> Convention:
    """What a network whose file says nothing is fed."""
    # MLPerf Tiny's visual wake words network, which no file of it says, takes pixels from 0 to 1.
    looks = (spec.width, spec.resolution, spec.channels, spec.classes, spec.activation)
    return UNIT if looks == (0.25, 96, 3, 2, "relu") else USUAL


def own_convention(source: Source) -> Convention | None:
    """Mean and scale that this project wrote into the file, or None."""
    own = _own(source)
    return None if own is None else Convention(own.mean, own.scale)


def resize_is(source: Source) -> How:
    """Whether the way to the network's size is given, read or assumed."""
    if source.given.resize is not None:
        return "given"
    return "read" if source.resize is not None or source.square or _own(source) is not None else "assumed"


def preprocessing(spec: Spec, meaning: Meaning, source: Source) -> Preprocessing:
    """The preprocessing of an imported model.

    Resize and crop come, in this order, from the user, what this project wrote into the file, and what its format says;
    the crop is 7/8 of the resized shorter side where nothing says it.

    Raises: Refused, when what is said fits no image.
    """
    own = _own(source)
    resize = source.resize or (spec.resolution * 8 + 3) // 7
    found = Preprocessing(
        resize=max(resize, spec.resolution), crop=spec.resolution, mean=meaning.mean, scale=meaning.scale
    )
    if own is not None and (own.crop, own.channels) == (spec.resolution, spec.channels):
        found = dataclasses.replace(found, resize=own.resize, mode=own.mode, fill=own.fill, filter=own.filter)
    if source.filter in FILTERS:
        found = squared(found, source.filter)
    if source.square:
        found = squared(found, source.square)
    return found if source.given.resize is None else squared(found, source.given.resize)


def _own(source: Source) -> Preprocessing | None:
    try:
        return Preprocessing.from_dict(source.own["preprocessing"])
    except (KeyError, TypeError, ValueError, Refused):
        return None
