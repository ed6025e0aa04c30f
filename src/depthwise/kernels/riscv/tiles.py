"""How the products of the kernels for RISC-V are cut into tiles and panels."""

from __future__ import annotations

from depthwise.kernels.instructions import Instructions
from depthwise.kernels.machine import Machine
from depthwise.kernels.tiling import Product, Tiling, cut

# Registers of the largest group, and of all sums of a tile: the rest holds factors.
_GROUP = 8
_SUMS = 24
# Registers of the sums of kernels whose factors stay in registers.
_HALF_GROUP = 4


def tiling(product: Product, machine: Machine, of: Instructions) -> Tiling:
    """How a product is cut: panels of as many channels as a group of registers has sums, and tiles of as many pixels as
    there are groups, which divide no row: the last tile of a map overlaps the one before."""
    panels = cut(product.channels // of.lanes, of.lanes, _GROUP)
    group = next(size for size in (2, 4, _GROUP) if panels[0].vectors <= size)
    return Tiling(pixels=_SUMS // group, rest=0, panels=panels)


def vector_lanes(channels: int, machine: Machine, of: Instructions) -> int:
    """Channels that a depthwise layer's or a pool's kernel takes at a time; of the last ones fewer."""
    return _HALF_GROUP * of.lanes
