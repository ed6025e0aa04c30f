"""How the products of the kernels for ARM are cut into tiles and panels."""

from __future__ import annotations

from depthwise.kernels.arm.instructions import FLOATS, NEON
from depthwise.kernels.instructions import Instructions
from depthwise.kernels.machine import Machine
from depthwise.kernels.tiling import Panels, Product, Tiling

# Pixels of a tile of a pointwise convolution of bytes, by name of the instructions, of one of floats, and of a
# convolution 3x3. Sums of six pixels and 16 channels, values and factors fill the registers.
_PIXELS = {"dotprod": 6, "i8mm": 6, "neon": 4}
_FLOAT_PIXELS = 6
_DIRECT_PIXELS = 4
# Of all of these where there are 16 registers.
_FEW_PIXELS = 2
# Vectors of four channels in a panel.
_VECTORS = 4
# Channels of a depthwise convolution or a pool at a time, of bytes and of floats.
_CHANNELS = 8
_FLOAT_CHANNELS = 4


def tiling(product: Product, machine: Machine, of: Instructions) -> Tiling:
    """Panels of 16 channels, and where that leaves some, one of 8."""
    pixels = _pixels(product, machine, of)
    # Kernels that take pairs of pixels, or windows of 3x3, count themselves what is left of a row.
    rest = product.width % pixels if of == NEON and product.taps == 1 else 0
    return Tiling(pixels=pixels, rest=rest, panels=_panels(product.channels))


def vector_lanes(channels: int, machine: Machine, of: Instructions) -> int:
    """Channels at a time; layers have them by eights."""
    return _FLOAT_CHANNELS if of == FLOATS else _CHANNELS


def _pixels(product: Product, machine: Machine, of: Instructions) -> int:
    if machine.registers < of.registers:
        return _FEW_PIXELS
    if product.taps > 1:
        return _DIRECT_PIXELS
    return _FLOAT_PIXELS if of == FLOATS else _PIXELS[of.name]


def _panels(channels: int) -> tuple[Panels, ...]:
    whole, rest = divmod(channels, _VECTORS * 4)
    sizes = ((whole, _VECTORS), (1 if rest else 0, rest // 4))
    return tuple(Panels(count=count, vectors=vectors, lanes=4) for count, vectors in sizes if count)
