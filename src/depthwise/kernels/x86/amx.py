"""Which products of int8 are computed on the tiles of AMX by dwk_product_tiles_i8, and in which blocks."""

from __future__ import annotations

from depthwise.kernels.tiling import Panels, Tiling

# A tile has so many rows at most, of so many bytes; a panel is four tiles of sums side by side.
_ROWS = 16
BYTES = 64
_VECTORS, _LANES = 4, 16
CHANNELS = _VECTORS * _LANES
# A product of tiles takes as long for 4 bytes as for 64. Where the values of a pixel are cut into more than so many
# times the fewest parts, dot products are no slower.
_MOST_PARTS = 2


def on_tiles(depth: int, channels: int) -> bool:
    """Whether a pointwise convolution has whole panels, and values that come in few equal parts."""
    return channels >= CHANNELS and bytes_at_a_time(depth) > 0


def bytes_at_a_time(depth: int) -> int:
    """Of a pixel's values, the part that is multiplied at once, all parts being of one size: whole quads, 64 bytes at
    most; 0 where there would be too many parts."""
    fewest = -(-depth // BYTES)
    parts = (count for count in range(fewest, _MOST_PARTS * fewest + 1) if depth % (4 * count) == 0)
    return depth // next(parts, depth + 1)


def tiles(depth: int, channels: int, pixels: int, fewest: int) -> Tiling:
    """How the first channels of a pointwise convolution, as many as there are whole panels, are computed.

    The last block of pixels begins so early that it is whole, so blocks are as even as can be.

    Args:
        pixels: of one call, mostly; `fewest`: of any call.
    """
    blocks = -(-pixels // _ROWS)
    panels = Panels(count=channels // CHANNELS, vectors=_VECTORS, lanes=_LANES)
    rows = min(-(-pixels // blocks), fewest)
    return Tiling(pixels=rows, rest=0, panels=(panels,), bytes=bytes_at_a_time(depth))
