"""How matrix products are cut into tiles and panels, for the registers of a machine."""

from __future__ import annotations

from dataclasses import dataclass, replace

from depthwise.compiler.targets import Machine
from depthwise.kernels.instructions import AVX512VNNI, PORTABLE, Instructions

# Up to this width a block runs over the whole map at once: its weights are large then, and are read once.
WHOLE_WIDTH = 14
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
# all factors of its panel, which stay in the nearest cache up to so many values of a pixel.
_PAIR = 2
_PAIR_DEPTH = 448

# Strassen's products: pixels of a tile by lanes of the machine, the first that divides a row; vectors of a panel; and
# from how many values of a pixel on they pay. On maps up to a width more weights than so many, 7/4 as large, take as
# long to read as is saved.
_STRASSEN_PIXELS = {16: (7, 8, 10, 5, 9, 6, 12, 11, 13, 4), 8: (5, 4, 6)}
_STRASSEN_VECTORS = 2
_STRASSEN_DEPTH = 64
_SMALL_MAP = 7
_SMALL_MAP_WEIGHTS = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Panels:
    """Output channels that are computed together: `count` panels, each of `vectors` vectors of `lanes` channels.

    `some`, where it is not 0, is how many of its channels a single panel really has.
    """

    count: int
    vectors: int
    lanes: int
    some: int = 0

    @property
    def channels(self) -> int:
        """Channels of one panel."""
        return self.some or self.vectors * self.lanes


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """How a matrix product is cut: each row of outputs into tiles of `pixels`, the last of `rest` where that is not 0.

    `panels` has an entry for each size of panels, the larger ones first; the last panel may stand alone, with fewer
    channels.
    """

    pixels: int
    rest: int
    panels: tuple[Panels, ...]


def tiling(
    width: int,
    channels: int,
    machine: Machine,
    of: Instructions = PORTABLE,
    *,
    depth: int = 0,
    in_pairs: bool = False,
) -> Tiling:
    """How a product with `channels` outputs a pixel, in rows of `width` pixels, is cut for a machine.

    Accumulators, one row of weights and (where an instruction cannot broadcast from memory) one value must fit into
    the registers. On wide maps fewer accumulators are as fast, and the end of a tile overlaps the next one better.

    Args:
        depth: values that are multiplied for each output; only kernels for x86 ask for them.
        in_pairs: whether weights and values are two bfloat16 each in a word, which become two vectors, with a mask.
    """
    if of.name:
        return tiling_x86(width, channels, depth, of)
    if not channels:
        return Tiling(pixels=width, rest=0, panels=())
    lanes = vector_lanes(channels, machine)
    vectors = channels // lanes
    panels = cut(vectors, lanes, 4 if machine.registers >= 32 else 2)
    most = panels[0].vectors
    spare = 3 if in_pairs else 0 if machine.lanes == 16 else 1
    fit = (machine.registers - spare) // most - (2 if in_pairs else 1)
    limit = fit if width <= WHOLE_WIDTH else min(fit, max(machine.registers // 2 // most, 1))
    pixels = -(-width // -(-width // limit))
    return Tiling(pixels=pixels, rest=width % pixels, panels=panels)


def strassen(width: int, rows: int, depth: int, channels: int, machine: Machine) -> Tiling | None:
    """How many of a pointwise convolution's channels are computed with seven multiplications for eight, and in which
    tiles; None where that does not pay (measured on Zen 4) or is not known to.

    Args:
        rows: of outputs at a time; there must be two tiles in them.
        depth: values of a pixel that are multiplied. Of fewer, the sums beside the products take as long as is saved.
    """
    lanes = vector_lanes(channels, machine)
    pairs = channels // (2 * _STRASSEN_VECTORS * lanes)
    if lanes != machine.lanes or lanes not in _STRASSEN_PIXELS or depth < _STRASSEN_DEPTH or not pairs:
        return None
    if width <= _SMALL_MAP and depth * channels > _SMALL_MAP_WEIGHTS:
        return None
    choice = _STRASSEN_PIXELS[lanes]
    even = next((p for p in choice if width % p == 0), 0)
    pixels = even or -(-width // -(-width // choice[0]))
    if pixels < min(choice) or rows * (width // pixels) < 2:
        return None
    panels = Panels(count=2 * pairs, vectors=_STRASSEN_VECTORS, lanes=lanes)
    return Tiling(pixels=pixels, rest=width % pixels, panels=(panels,))


def tiling_x86(width: int, channels: int, depth: int, of: Instructions) -> Tiling:
    """The same for the int8 kernels of x86, whose vectors need not divide the channels.

    What limits them is the dot product, whose latency is 4 cycles; few accumulators are enough, and the smaller the
    tile, the better the rounding at its end overlaps the next one. Measured on Zen 4.
    """
    vectors = -(-channels // of.lanes)
    panels = list(_fours(vectors, of.lanes) if of == AVX512VNNI else cut(vectors, of.lanes, 4))
    spare = sum(p.count * p.channels for p in panels) - channels
    if spare:
        last = panels.pop()
        if last.count > 1:
            panels.append(replace(last, count=last.count - 1))
        panels.append(replace(last, count=1, some=last.channels - spare))
    limit = _PIXELS[of.name][panels[0].vectors - 1]
    if of == AVX512VNNI and panels[0].vectors == 4 and panels[-1].vectors > 1 and depth <= _PAIR_DEPTH:
        limit = limit if width % _PAIR else _PAIR
    even = next((p for p in (limit, limit - 1) if p > 0 and width % p == 0), 0)
    pixels = even or -(-width // -(-width // limit))
    return Tiling(pixels=pixels, rest=width % pixels, panels=tuple(panels))


def _fours(vectors: int, lanes: int) -> tuple[Panels, ...]:
    """As many panels of four vectors as possible, whose bytes are in order when they are packed; of the rest those of
    two and one, which permute the bytes of several pixels at once. Those of three would do so pixel by pixel."""
    sizes = ((vectors // 4, 4), (vectors % 4 // 2, 2), (vectors % 2, 1))
    return tuple(Panels(count=number, vectors=size, lanes=lanes) for number, size in sizes if number)


def vector_lanes(channels: int, machine: Machine, of: Instructions = PORTABLE) -> int:
    """Lanes of the widest vector that divides the channels, which are always a multiple of 8.

    Kernels for x86 take as many values as there are in a vector, and of the last ones fewer.
    """
    if of.name:
        return of.together * of.lanes
    return next(lanes for lanes in (16, 8, 4) if lanes <= machine.lanes and channels % lanes == 0)


def cut(vectors: int, lanes: int, most: int) -> tuple[Panels, ...]:
    """Vectors in as few panels of at most `most` as possible, of sizes as equal as possible, the large ones first."""
    count = -(-vectors // most)
    small, larger = divmod(vectors, count)
    sizes = ((larger, small + 1), (count - larger, small))
    return tuple(Panels(count=number, vectors=size, lanes=lanes) for number, size in sizes if number)
