"""Which products are computed on the tiles of AMX, and in which blocks: dwk_product_tiles_i8 and _bf16."""

from __future__ import annotations

from depthwise.kernels.tiling import Panels, Tiling
from depthwise.precision import PRECISIONS, Precision

# A tile has so many rows at most, of so many bytes; a panel is four tiles of sums side by side.
ROWS = 16
BYTES = 64
_LANES = 16
# Tiles of sums side by side in a panel: first those of most panels, then those that what is left may have too; a last
# panel of bf16 may have half of its channels alone. Factors of bf16 are read for two tiles of pixels where a panel of
# four would not fit into the nearest cache, from so many values of a pixel on.
_VECTORS: dict[Precision, tuple[int, ...]] = {"int8": (4,), "bf16": (4, 2, 1)}
_DEEP = 257
# Tiles of values that a step's kernels use.
VALUES: dict[Precision, int] = {"int8": 1, "bf16": 2}
# A product of tiles takes as long for 4 bytes as for 64. Where the values of a pixel are cut into more than so many
# times the fewest parts, dot products are no slower.
_MOST_PARTS = 2


def on_tiles(depth: int, channels: int, precision: Precision) -> bool:
    """Whether a product has a whole panel, and values that come in few equal parts."""
    if precision not in _VECTORS:
        return False
    return channels_on_tiles(depth, channels, precision) > 0 and bytes_at_a_time(depth, precision) > 0


def bytes_at_a_time(depth: int, precision: Precision) -> int:
    """Of a pixel's values, the part that is multiplied at once, all parts being of one size: whole words, 64 bytes at
    most; 0 where there would be too many parts. Of an odd number of bf16 one more is read."""
    size = PRECISIONS[precision].value * depth
    size += size % 4 if precision == "bf16" else 0
    fewest = -(-size // BYTES)
    parts = (count for count in range(fewest, _MOST_PARTS * fewest + 1) if size % (4 * count) == 0)
    return size // next(parts, size + 1)


def channels_on_tiles(depth: int, channels: int, precision: Precision) -> int:
    """The first channels of a product, as many as there are whole panels."""
    return sum(group.count * group.channels for group in _panels(depth, channels, precision))


def tiles(depth: int, channels: int, pixels: int, fewest: int, precision: Precision) -> Tiling:
    """How the first channels of a product are computed.

    The last block of pixels begins so early that it is whole, so blocks are as even as can be.

    Args:
        pixels: of one call, mostly; `fewest`: of any call.
    """
    panels = _panels(depth, channels, precision)
    # Panels of two tiles of bf16 take two tiles of pixels at once, and those of one four.
    at_once = _VECTORS[precision][0] // panels[0].vectors
    blocks = -(-pixels // (ROWS * at_once)) * at_once
    rows = min(-(-pixels // blocks), fewest)
    return Tiling(pixels=rows, rest=0, panels=panels, bytes=bytes_at_a_time(depth, precision))


def _panels(depth: int, channels: int, precision: Precision) -> tuple[Panels, ...]:
    sizes = _VECTORS[precision]
    found, left = [], channels
    for vectors in sizes[1:] if depth >= _DEEP and len(sizes) > 1 else sizes:
        count = left // (vectors * _LANES)
        if count:
            found.append(Panels(count=count, vectors=vectors, lanes=_LANES))
        left -= count * vectors * _LANES
    if left and sizes[-1] == 1:
        found.append(Panels(count=1, vectors=1, lanes=_LANES, some=left))
    return tuple(found)
