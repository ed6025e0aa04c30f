"""Operations of a Keras model that turn red, green and blue round."""

from __future__ import annotations

from typing import Any

from depthwise.errors import Refused
from depthwise.interop.chain import Reorder
from depthwise.interop.keras.model import Layer

# `x[..., ::-1]` in Keras 3 and Keras 2, and the function of Keras 3 that is made for it.
KINDS = frozenset(("GetItem", "SlicingOpLambda", "Flip"))
_TURNED = (2, 1, 0)
_LAST = (-1, 3, [-1], [3])


def reorder(layer: Layer) -> Reorder:
    """The order of channels behind a layer of `KINDS`.

    Raises: Refused, when it does anything but turn the channels round.
    """
    if layer.kind == "Flip":
        turned = layer.config.get("axis") in _LAST
    else:
        slices = _slices(layer.inbound)
        turned = bool(slices) and slices[-1] == -1 and not any(slices[:-1])
    if not turned:
        raise Refused(f"{layer.where} takes a part of its image or mirrors it; MobileNet V1 has no such layer")
    return Reorder(where=layer.where, order=_TURNED)


def _slices(inbound: Any) -> list[int | None]:
    """The step of each slice, None for all of an axis; [] where there is another index.

    Keras 3 gives them as the second operand, Keras 2 as `slice_spec`.
    """
    node = inbound[0]
    spec = (
        node["args"][1] if isinstance(node, dict) else next(e for e in (node, node[0]) if len(e) > 3)[3]["slice_spec"]
    )
    steps: list[int | None] = []
    for index in spec if isinstance(spec, list) else [spec]:
        if index == "..." or (isinstance(index, dict) and index.get("class_name") == "__ellipsis__"):
            steps.append(None)
            continue
        found = index.get("config", index) if isinstance(index, dict) else {"start": 0}
        if found.get("start") is not None or found.get("stop") is not None:
            return []
        steps.append(found.get("step"))
    return steps
