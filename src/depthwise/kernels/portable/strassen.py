"""Which products of float32 are computed with seven multiplications of matrices for eight, and in which tiles."""

from __future__ import annotations

from depthwise.kernels.machine import Machine
from depthwise.kernels.portable.tiles import BYTES, vector_lanes
from depthwise.kernels.tiling import Panels, Tiling

# Strassen's products: pixels of a tile by lanes of the machine, the first that divides a row; vectors of a panel; and
# from how many values of a pixel on they pay. On maps up to a width more weights than so many, 7/4 as large, take as
# long to read as is saved.
_STRASSEN_PIXELS = {16: (7, 8, 10, 5, 9, 6, 12, 11, 13, 4), 8: (5, 4, 6)}
_STRASSEN_VECTORS = 2
_STRASSEN_DEPTH = 64
# The same where two products begin a cycle. What stands beside them then weighs twice as much, so that tiles are large,
# and have at least so many values. Measured on an Intel Xeon (Emerald Rapids).
_TWO_PIXELS = (14, 12, 10, 13, 11, 9, 8)
_TWO_VALUES = 1280
_SMALL_MAP = 7
_SMALL_MAP_WEIGHTS = 1 << 18


def strassen(width: int, rows: int, depth: int, channels: int, machine: Machine) -> Tiling | None:
    """How many of a pointwise convolution's channels are computed with seven multiplications for eight, and in which
    tiles; None where that does not pay (measured on Zen 4, where nothing else is said) or is not known to.

    Args:
        rows: of outputs at a time; there must be two tiles in them.
        depth: values of a pixel that are multiplied. Of fewer, the sums beside the products take as long as is saved.
    """
    lanes = vector_lanes(channels, machine)
    pairs = channels // (2 * _STRASSEN_VECTORS * lanes)
    two = machine.begins_two
    if lanes != machine.lanes or lanes not in _STRASSEN_PIXELS or depth < _STRASSEN_DEPTH or not pairs:
        return None
    if width <= _SMALL_MAP and depth * channels > _SMALL_MAP_WEIGHTS:
        return None
    choice = _TWO_PIXELS if two else _STRASSEN_PIXELS[lanes]
    even = next((p for p in choice if width % p == 0), 0)
    pixels = even or -(-width // -(-width // choice[0]))
    if pixels < min(choice) or rows * (width // pixels) < 2 or (two and depth * pixels < _TWO_VALUES):
        return None
    panels = Panels(count=2 * pairs, vectors=_STRASSEN_VECTORS, lanes=lanes)
    return Tiling(pixels=pixels, rest=width % pixels, panels=(panels,), bytes=BYTES if two else 0)
