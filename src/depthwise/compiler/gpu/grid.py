"""How the work of a kernel is cut into blocks of threads: pure numbers, on which no int8 result depends.

Tiles are by arithmetic and not by trial. Sizes: C input channels, N output channels, P output pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

THREADS = 128
# What a block may share without asking for more, on every GPU.
SHARED_BYTES = 48 * 1024
# Pixels whose sums a thread has in registers.
_ABREAST = 8
# Blocks that keep the processors of a large GPU busy.
_BLOCKS = 128
# Labels of a block; four threads share one.
_LABELS = 32


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Blocks in both directions, and threads of each."""

    blocks_x: int
    blocks_y: int = 1
    threads: int = THREADS


@dataclass(frozen=True, kw_only=True)
class Tile:
    """What a block of a separable layer computes.

    Attributes:
        outputs: channels.
        groups: groups of threads that have these channels of different pixels.
        abreast: pixels of each thread.
    """

    outputs: int
    groups: int
    abreast: int

    @property
    def pixels(self) -> int:
        """Of a block."""
        return self.groups * self.abreast


def parts(count: int, size: int) -> int:
    """How many parts of a size hold a count."""
    return -(-count // size)


def along(count: int) -> Grid:
    """A grid in which each thread has one of so many things."""
    return Grid(blocks_x=parts(count, THREADS))


def labels(count: int) -> tuple[int, Grid]:
    """Labels of a block of a classifier, and its grid."""
    return _LABELS, Grid(blocks_x=parts(count, _LABELS))


def separable(pixels: int, channels: int, outputs: int, value: int) -> tuple[Tile, Grid]:
    """The tile and the grid of a depthwise and pointwise layer.

    Args:
        value: bytes of what lies between the two, in the memory that a block shares.
    """
    columns = min(THREADS, 1 << (outputs - 1).bit_length())
    groups, abreast = THREADS // columns, _ABREAST
    most = SHARED_BYTES // (channels * value)

    def blocks() -> int:
        return parts(pixels, groups * abreast) * parts(outputs, columns)

    while abreast > 1 and (groups * abreast > most or groups * abreast >= 2 * pixels):
        abreast //= 2
    while abreast > 2 and blocks() < _BLOCKS:
        abreast //= 2
    while groups > 1 and groups * abreast > most:
        groups //= 2
    grid = Grid(blocks_x=parts(pixels, groups * abreast), blocks_y=parts(outputs, columns), threads=columns * groups)
    return Tile(outputs=columns, groups=groups, abreast=abreast), grid
