"""Operations of a Keras model that turn red, green and blue round, or the axes of its image."""

from __future__ import annotations

from collections.abc import Sequence

from depthwise.errors import Refused
from depthwise.interop.chain import Copies, Reorder
from depthwise.interop.keras.cuts import TURNED, indices
from depthwise.interop.keras.model import Layer

# `x[..., ::-1]` in Keras 3 and Keras 2, the function of Keras 3 that is made for it, and parts that are joined again.
KINDS = frozenset(("GetItem", "SlicingOpLambda", "Flip", TURNED))
_TURNED = (2, 1, 0)
_LAST = (-1, 3, [-1], [3])
# What `Permute` makes of an image whose channels come first, counted from 1.
CHANNELS_LAST = [2, 3, 1]


def reorder(layer: Layer) -> Reorder | Copies:
    """The order of channels behind a layer of `KINDS`, or the copies that it makes of a single one.

    Raises: Refused, when it does anything but turn the channels round.
    """
    if layer.kind == TURNED and layer.config["times"]:
        return Copies(where=layer.where, times=layer.config["times"])
    if layer.kind == TURNED:
        return Reorder(where=layer.where, order=tuple(layer.config["order"]))
    if layer.kind == "Flip":
        turned = layer.config.get("axis") in _LAST
    else:
        *others, last = indices(layer.inbound)
        turned = last == slice(None, None, -1) and all(index == slice(None) for index in others)
    if not turned:
        raise Refused(f"{layer.where} takes a part of its image or mirrors it; MobileNet V1 has no such layer")
    return Reorder(where=layer.where, order=_TURNED)


def channels_first(layers: Sequence[Layer]) -> bool:
    """Whether a model takes its channels first and puts them last itself, before all other layers that compute."""
    first = next((layer for layer in layers if layer.kind not in ("InputLayer", "Rescaling")), None)
    return first is not None and first.kind == "Permute" and list(first.config.get("dims", ())) == CHANNELS_LAST
