"""How pixels become a foreign network's input: what the user, the file or its first operations say, or the usual."""

from __future__ import annotations

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.source import Source
from depthwise.network.preprocessing import Preprocessing
from depthwise.network.spec import Spec
from depthwise.network.weights import Array

# TensorFlow's, Keras's and timm's MobileNets take pixels from -1 to 1.
USUAL = (127.5, 1 / 127.5)
# MLPerf Tiny's visual wake words network, which no file of it says, takes them from 0 to 1.
WAKE_WORDS = (0.0, 1 / 255)
# A network's input seldom spans more than this; if 0 to 255 would, then its first operation takes 0 to 1.
WIDEST = 64.0


def preprocessing(spec: Spec, before: tuple[Array, Array] | None, source: Source) -> Preprocessing:
    """The preprocessing of an imported model.

    In this order: what the user gives; what stands before the first convolution; what this project wrote into the
    file; what its format says; the usual. The crop is 7/8 of the resized shorter side where the file does not say.

    Args:
        before: scale and shift of what stands before the first convolution.
    Raises: Refused, when what is said fits no image.
    """
    own = _own(spec, source)
    if own is not None and before is None and source.given.mean is None and source.given.scale is None:
        return own
    mean, scale = _said(spec, before, source)
    mean, scale = source.given.mean or mean, source.given.scale or scale
    return Preprocessing(
        resize=max(source.resize or (spec.resolution * 8 + 3) // 7, spec.resolution),
        crop=spec.resolution,
        mean=_spread(mean, spec.channels),
        scale=_spread(scale, spec.channels),
    )


def _own(spec: Spec, source: Source) -> Preprocessing | None:
    try:
        own = Preprocessing.from_dict(source.own["preprocessing"])
    except (KeyError, TypeError, ValueError, Refused):
        return None
    return own if (own.crop, own.channels) == (spec.resolution, spec.channels) else None


def _said(
    spec: Spec, before: tuple[Array, Array] | None, source: Source
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if before is not None:
        return _from_operations(*before)
    if source.mean is not None and source.scale is not None:
        return source.mean, source.scale
    looks = (spec.width, spec.resolution, spec.channels, spec.classes, spec.activation)
    mean, scale = WAKE_WORDS if looks == (0.25, 96, 3, 2, "relu") else USUAL
    return (mean,), (scale,)


def _from_operations(scale: Array, shift: Array) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """`pixel * scale + shift` as a mean and a scale."""
    scales, shifts = np.broadcast_arrays(np.atleast_1d(scale), np.atleast_1d(shift))
    if scales.ndim != 1 or not (np.isfinite(scales).all() and (scales > 0).all()):
        raise Refused(f"the operations before the first convolution scale pixels by {scale}; it must be above 0")
    means = -shifts / scales
    if (scales * 255 > WIDEST).all():
        means, scales = means * 255, scales / 255
    return tuple(float(m) for m in means), tuple(float(s) for s in scales)


def _spread(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    return values * channels if len(values) == 1 else values
