"""How matrix products are cut into tiles and panels, for the registers of a machine."""

from __future__ import annotations

from depthwise.kernels.instructions import PORTABLE, Instructions
from depthwise.kernels.machine import Machine
from depthwise.kernels.tiling import Product, Tiling, cut
from depthwise.precision import FLOAT

# Up to this width a block runs over the whole map at once: its weights are large then, and are read once.
WHOLE_WIDTH = 14
# Where two products begin a cycle, instructions beside them take their place. So of each pixel that many bytes are
# multiplied at a time, whose addresses need none, in tiles of at most so many pixels (dwk_rows.h). With few values to
# multiply small tiles, which overlap their stores with the next one, remain better.
BYTES = 16
_MOST_PIXELS = 14
_FEW_VALUES = 64


def tiling(product: Product, machine: Machine, of: Instructions = PORTABLE) -> Tiling:
    """How a product is cut for a machine.

    Accumulators, one row of weights and (where an instruction cannot broadcast from memory) one value must fit into
    the registers; weights and values of two to a word become two vectors, with a mask. On wide maps fewer accumulators
    are as fast, and the end of a tile overlaps the next one better.
    """
    width, channels, in_pairs = product.width, product.channels, product.together > 1
    if not channels:
        return Tiling(pixels=width, rest=0, panels=())
    lanes = vector_lanes(channels, machine)
    vectors = channels // lanes
    panels = cut(vectors, lanes, 4 if machine.registers >= 32 else 2)
    most = panels[0].vectors
    spare = 3 if in_pairs else 0 if machine.lanes == 16 else 1
    fit = (machine.registers - spare) // most - (2 if in_pairs else 1)
    by_four = product.value == FLOAT and machine.begins_two and lanes == machine.lanes and product.taps == 1
    limit = fit if width <= WHOLE_WIDTH else min(fit, max(machine.registers // 2 // most, 1))
    if by_four:
        limit = min(fit if product.depth > _FEW_VALUES else limit, _MOST_PIXELS)
    pixels = -(-width // -(-width // limit))
    return Tiling(pixels=pixels, rest=width % pixels, panels=panels, bytes=BYTES if by_four else 0)


def vector_lanes(channels: int, machine: Machine, of: Instructions = PORTABLE) -> int:
    """Lanes of the widest vector that divides the channels, which are always a multiple of 8."""
    return next(lanes for lanes in (16, 8, 4) if lanes <= machine.lanes and channels % lanes == 0)


def vectors_at_a_time(channels: int, machine: Machine) -> int:
    """Vectors that a depthwise layer computes at a time, where a kernel knows several.

    Intel's caches bring two lines at once, and one line of each pixel takes nearly as long to come. Measured on a Xeon
    (Emerald Rapids): of 1.0-224 all depthwise layers take 0.70 to 0.78 of the time that they take one by one.
    """
    return 2 if machine.begins_two and channels % (2 * machine.lanes) == 0 else 1
