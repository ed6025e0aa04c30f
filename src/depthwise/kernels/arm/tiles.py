"""How the products of the kernels for ARM are cut into tiles and panels."""

from __future__ import annotations

from depthwise.kernels.arm.instructions import NEON
from depthwise.kernels.instructions import Instructions
from depthwise.kernels.machine import Machine
from depthwise.kernels.tiling import Panels, Product, Tiling

# Pixels of a tile of a pointwise convolution of bytes, by name of the instructions, and of a convolution 3x3.
_PIXELS = {"dotprod": 6, "i8mm": 6, "neon": 4}
_DIRECT_PIXELS = 4
# Most pixels of a tile of floats: with 16 channels their sums, their values and a vector of factors fill the registers.
_FLOAT_PIXELS = 6
# Vectors of four channels in a panel.
_VECTORS = 4
# Channels of a depthwise convolution or a pool at a time.
_CHANNELS = 8


def tiling(product: Product, machine: Machine, of: Instructions) -> Tiling:
    """Panels of 16 channels, and where that leaves some, one of 8."""
    pixels = _pixels(product, of)
    # Kernels that take pairs of pixels, or windows of 3x3, count themselves what is left of a row.
    rest = product.width % pixels if of.name == NEON.name and product.taps == 1 else 0
    return Tiling(pixels=pixels, rest=rest, panels=_panels(product.channels))


def vector_lanes(channels: int, machine: Machine, of: Instructions) -> int:
    """Channels at a time; layers have them by eights."""
    return _CHANNELS


def _pixels(product: Product, of: Instructions) -> int:
    if product.taps > 1:
        return _DIRECT_PIXELS
    if product.value == 1:
        return _PIXELS[of.name]
    # As few tiles in a row as possible, of sizes as equal as possible.
    tiles = -(-product.width // _FLOAT_PIXELS)
    return -(-product.width // tiles)


def _panels(channels: int) -> tuple[Panels, ...]:
    whole, rest = divmod(channels, _VECTORS * 4)
    sizes = ((whole, _VECTORS), (1 if rest else 0, rest // 4))
    return tuple(Panels(count=count, vectors=vectors, lanes=4) for count, vectors in sizes if count)
