"""How the products of the kernels for x86 are cut into tiles and panels."""

from __future__ import annotations

from dataclasses import replace

from depthwise.kernels.instructions import Instructions
from depthwise.kernels.machine import Machine
from depthwise.kernels.tiling import Panels, Product, Tiling, cut
from depthwise.kernels.x86.instructions import AVX512VNNI
from depthwise.kernels.x86.makers import INTEL

# Most pixels of a tile whose panels have 1, 2, 3 and 4 vectors, by name of the instructions. With AVX2 a large tile is
# faster although it does not fit into the registers: its two products take longer than to fetch a sum.
_PIXELS = {
    "avx512vnni": (8, 4, 5, 5),
    "avx512bf16": (8, 8, 5, 5),
    "avx512bf16vl": (14, 8, 5, 4),
    "avxvnni": (8, 5, 4, 3),
    "avx2": (8, 6, 4, 6),
}

# With AVX512-VNNI tiles of two pixels by four vectors, where they divide a row, overlap their rounding best. Each reads
# all factors of its panel, which stay in the nearest cache up to so many values of a pixel. Not so on Intel, which
# begins two dot products a cycle and has each after five: eight sums are too few to keep it busy.
_PAIR = 2
_PAIR_DEPTH = 448


def tiling(product: Product, machine: Machine, of: Instructions) -> Tiling:
    """How a product is cut for kernels whose vectors need not divide the channels.

    What limits them is the dot product, whose latency is 4 cycles; few accumulators are enough, and the smaller the
    tile, the better the rounding at its end overlaps the next one. Measured on Zen 4.
    """
    width, channels = product.width, product.channels
    if not channels:
        return Tiling(pixels=width, rest=0, panels=())
    vectors = -(-channels // of.lanes)
    panels = list(_fours(vectors, of.lanes) if of == AVX512VNNI else cut(vectors, of.lanes, 4))
    spare = sum(p.count * p.channels for p in panels) - channels
    if spare:
        last = panels.pop()
        if last.count > 1:
            panels.append(replace(last, count=last.count - 1))
        panels.append(replace(last, count=1, some=last.channels - spare))
    limit = _PIXELS[of.name][panels[0].vectors - 1]
    deepest = 0 if machine.maker == INTEL else _PAIR_DEPTH
    if of == AVX512VNNI and panels[0].vectors == 4 and panels[-1].vectors > 1 and product.depth <= deepest:
        limit = limit if width % _PAIR else _PAIR
    even = next((p for p in (limit, limit - 1) if p > 0 and width % p == 0), 0)
    pixels = even or -(-width // -(-width // limit))
    return Tiling(pixels=pixels, rest=width % pixels, panels=tuple(panels))


def vector_lanes(channels: int, machine: Machine, of: Instructions) -> int:
    """As many values as there are in a vector; of the last ones a kernel takes fewer."""
    return of.together * of.lanes


def _fours(vectors: int, lanes: int) -> tuple[Panels, ...]:
    """As many panels of four vectors as possible, whose bytes are in order when they are packed; of the rest those of
    two and one, which permute the bytes of several pixels at once. Those of three would do so pixel by pixel."""
    sizes = ((vectors // 4, 4), (vectors % 4 // 2, 2), (vectors % 2, 1))
    return tuple(Panels(count=number, vectors=size, lanes=lanes) for number, size in sizes if number)
