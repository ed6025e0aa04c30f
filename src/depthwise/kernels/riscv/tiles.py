"""How the products of the kernels for RISC-V are cut into tiles and panels."""

from __future__ import annotations

from depthwise.kernels.instructions import Instructions
from depthwise.kernels.machine import Machine
from depthwise.kernels.riscv.instructions import RV64
from depthwise.kernels.tiling import Product, Tiling, cut

# Without vectors: pixels and channels of a tile, of bytes, two pixels to a register, and of floats.
_TILE = (6, 4)
_TILE_OF_FLOATS = (3, 8)
# Channels that portable C lays side by side for a depthwise layer.
_SIDE_BY_SIDE = 8
# Registers of the largest group; of the groups of kernels that need registers for more than sums; and of all sums of a
# tile, where the rest holds factors: those of floats take a whole group, and compilers find none in the last one.
_GROUP = 8
_SMALL_GROUP = 4
_SUMS = 24
_SUMS_OF_FLOATS = 16


def tiling(product: Product, machine: Machine, of: Instructions) -> Tiling:
    """How a product is cut: panels of as many channels as a group of registers has sums, and tiles of as many pixels as
    there are groups. They need not divide a row: the last tile overlaps the one before."""
    if of == RV64:
        pixels, channels = _TILE_OF_FLOATS if product.value > 1 else _TILE
        return Tiling(pixels=pixels, rest=0, panels=cut(product.channels // channels, channels, 1))
    panels = cut(product.channels // of.lanes, of.lanes, _GROUP)
    group = next(size for size in (2, _SMALL_GROUP, _GROUP) if panels[0].vectors <= size)
    sums = _SUMS_OF_FLOATS if product.value > 1 and group == _GROUP else _SUMS
    return Tiling(pixels=sums // group, rest=0, panels=panels)


def vector_lanes(channels: int, machine: Machine, of: Instructions) -> int:
    """Channels that a depthwise layer's or a pool's kernel takes at a time; of the last ones fewer."""
    return _SIDE_BY_SIDE if of == RV64 else _SMALL_GROUP * of.lanes
