"""Layers of a Keras model that make three equal channels of a grey one."""

from __future__ import annotations

from typing import Any

from depthwise.interop.chain import Copies
from depthwise.interop.keras.cuts import names_read
from depthwise.interop.keras.model import Layer

_LAST = (-1, 3)
# The function that Keras 2 has in a layer of its own, by the class of Keras 3 that does the same.
_FUNCTION = "TFOpLambda"
_CLASSES = {
    "image.grayscale_to_rgb": "RGB", "concat": "Concatenate", "tile": "Tile", "repeat": "Repeat",
    "broadcast_to": "BroadcastTo",
}  # fmt: skip


def copies(layer: Layer) -> Copies | None:
    """The copying that a layer does along the channels; None where it is none, which is looked at elsewhere."""
    kind = _CLASSES.get(str(layer.config.get("function")), "") if layer.kind == _FUNCTION else layer.kind
    called = {**layer.config, **_named(layer.inbound)}
    times = 1
    match kind:
        case "RGB":
            times = 3
        case "Concatenate" if called.get("axis", -1) in _LAST:
            times = len(list(names_read(layer.inbound)))
        case "Repeat" if called.get("axis") in _LAST and isinstance(called.get("repeats"), int):
            times = called["repeats"]
        case "Tile":
            times = _last(called.get("multiples", called.get("repeats")), others=(1,))
        case "BroadcastTo":
            times = _last(called.get("shape"), others=None)
    return Copies(where=layer.where, times=times) if times > 1 else None


def _last(sizes: Any, others: tuple[int, ...] | None) -> int:
    """The last of four numbers, 1 where those before are none that may stand there."""
    if not isinstance(sizes, list) or len(sizes) != 4 or not isinstance(sizes[-1], int):
        return 1
    return sizes[-1] if others is None or all(size in others for size in sizes[:-1]) else 1


def _named(node: Any) -> dict[str, Any]:
    """What a function is called with by name."""
    if isinstance(node, dict):
        return dict(node.get("kwargs") or {})
    if isinstance(node, list):
        if len(node) > 3 and isinstance(node[0], str) and isinstance(node[3], dict):
            return dict(node[3])
        for value in node:
            if found := _named(value):
                return found
    return {}
