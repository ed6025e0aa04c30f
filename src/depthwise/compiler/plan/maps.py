"""Where activations lie: what stands around a map, and how far apart its rows are."""

from __future__ import annotations

from dataclasses import replace

from depthwise.compiler.step import NO_BORDER, Map
from depthwise.network.layers import Layer, Padding

# Tiles read pixels of the depthwise output side by side; at multiples of this many bytes they would fall into the same
# set of a first-level cache.
CONFLICT = 2048
APART = 64


def border_of(layer: Layer | None) -> Padding:
    """The zeros that a layer's kernel really meets; none where no layer follows."""
    if layer is None or layer.kernel != 3 or layer.kind in ("pool", "classifier"):
        return NO_BORDER
    top, left = layer.padding.top, layer.padding.left
    return Padding(
        top=top,
        left=left,
        bottom=max(0, (layer.output.height - 1) * layer.stride + 3 - top - layer.input.height),
        right=max(0, (layer.output.width - 1) * layer.stride + 3 - left - layer.input.width),
    )


def spread(place: Map, size: int) -> Map:
    """The map with rows that do not fall into the same set of a first-level cache, as a kernel reads four at once.

    Args:
        size: bytes of a value.
    """
    has_conflict = place.border != NO_BORDER and place.row * size % CONFLICT == 0
    return replace(place, apart=APART // size) if has_conflict else place
