"""Tiles and panels: how a matrix product is cut into calls of a kernel."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Product:
    """A matrix product, as whoever cuts it sees it.

    Attributes:
        width: pixels in a row of outputs.
        channels: outputs a pixel.
        depth: values that are multiplied for each output.
        taps: rows of the kernel, 1 or 3.
        together: of the values that one word holds, how many are multiplied one by one: two of bfloat16.
        value: bytes of a value.
    """

    width: int
    channels: int
    depth: int = 0
    taps: int = 1
    together: int = 1
    value: int = 4


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
    channels. `bytes` of a pixel's values are multiplied at a time, where a kernel's form says so; else it is 0.
    """

    pixels: int
    rest: int
    panels: tuple[Panels, ...]
    bytes: int = 0


# Of what has no matrix product.
UNTILED = Tiling(pixels=0, rest=0, panels=())


def cut(vectors: int, lanes: int, most: int) -> tuple[Panels, ...]:
    """Vectors in as few panels of at most `most` as possible, of sizes as equal as possible, the large ones first."""
    count = -(-vectors // most)
    small, larger = divmod(vectors, count)
    sizes = ((larger, small + 1), (count - larger, small))
    return tuple(Panels(count=number, vectors=size, lanes=lanes) for number, size in sizes if number)
