"""The forms of kernels that are tested: rows of `kernels.table.KERNELS`, each cut in several ways.

A family of processors joins with a row of `TILES`. Its kernels are found in the table, and run wherever this machine
has their instructions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product as every

from depthwise.compiler.plan import forms
from depthwise.compiler.step import Form
from depthwise.kernels.kernel import Kernel
from depthwise.kernels.machine import Machine
from depthwise.kernels.table import KERNELS, family_of
from depthwise.kernels.tiling import Panels, Tiling
from depthwise.kernels.weights import Cut
from depthwise.kernels.x86 import amx
from depthwise.precision import PRECISIONS, Precision

# By family: pixels of a tile, of the last one, vectors of a panel, and the lanes of portable C; where the instructions
# say the lanes, instead of these how many channels the panel lacks, for kernels that can do with fewer.
TILES: dict[str, tuple[tuple[int, int, int, int], ...]] = {
    "portable": (
        (1, 0, 1, 8),
        (4, 3, 2, 4),
        (7, 0, 4, 16),
        (3, 2, 3, 8),
        (8, 1, 2, 16),
        (8, 1, 1, 16),
        (6, 5, 2, 8),
        (5, 4, 4, 16),
        (2, 1, 3, 4),
    ),
    "x86": (
        (4, 2, 4, 0),
        (4, 3, 4, 8),
        (3, 1, 2, 3),
        (8, 5, 1, 0),
        (5, 2, 1, 5),
        (4, 1, 3, 0),
        (2, 1, 3, 7),
        (1, 0, 4, 61),
        (7, 0, 4, 0),
        (6, 5, 2, 0),
    ),
}
# The same of portable C with bytes of a pixel at a time, of a kernel that may do so: with these bytes at the end.
BYTES: dict[str, tuple[tuple[int, int, int, int, int], ...]] = {
    "portable": ((14, 0, 2, 16, 16), (7, 3, 4, 16, 16), (15, 14, 1, 8, 8), (6, 5, 3, 4, 16)),
}
# Vectors of a depthwise kernel that may take several.
VECTORS = (1, 2)
# Panels of labels: how many, vectors, lanes of portable C.
LABELS = ((2, 1, 4), (2, 3, 8), (2, 7, 16))
LANES = (4, 8, 16)
# A pixel of one row of a kernel with pixels abreast.
ABREAST = 16
# On the tiles of a processor, by precision: way to round, pixels of a block, bytes of a pixel at a time, vectors of a
# panel, and its channels where they are fewer than these have.
BLOCKS: dict[Precision, tuple[tuple[str, int, int, int, int], ...]] = {
    "int8": (("converted", 16, 64, 4, 0), ("fused", 16, 64, 4, 0), ("fused", 13, 36, 4, 0), ("converted", 1, 4, 4, 0)),
    "bf16": (
        ("", 16, 64, 4, 0),
        ("", 16, 64, 2, 0),
        ("", 16, 64, 1, 0),
        ("", 13, 36, 4, 0),
        ("", 14, 20, 2, 0),
        ("", 15, 20, 1, 8),
        ("", 1, 4, 4, 0),
        ("", 1, 4, 2, 0),
        ("", 1, 4, 1, 0),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A form of a kernel.

    Attributes:
        pixels, rest: of a tile of a product, else 0.
        panels: of a product or a classifier.
        cut: as packing is told of it.
    """

    kernel: Kernel
    form: Form
    cut: Cut
    pixels: int = 0
    rest: int = 0

    def __str__(self) -> str:
        return self.form.name

    @property
    def panels(self) -> Panels:
        """Of a product or a classifier."""
        (panels,) = self.cut.groups
        return panels

    @property
    def behind(self) -> int:
        """Values behind the last one of a row that may be read, as several are multiplied together."""
        if self.kernel.operation in ("stem_abreast", "product_tiles"):
            return 0
        return max(self.kernel.instructions.behind, PRECISIONS[self.kernel.precision].together - 1)

    def whole(self, features: int) -> int:
        """As many features as whole words hold that are multiplied one by one."""
        return features + features % PRECISIONS[self.kernel.precision].together

    @property
    def values(self) -> int:
        """Values of a pixel of which the depth of a product must be a multiple."""
        bytes_ = self.macro("BYTES")
        return int(bytes_) // PRECISIONS[self.kernel.precision].value if bytes_ else 1

    @property
    def at_a_time(self) -> int:
        """Channels that a depthwise kernel computes at a time."""
        return self.cut.lanes * int(self.macro("VECTORS") or 1)

    @property
    def before(self) -> str:
        """C of what a network does before it calls the kernel."""
        if self.kernel.operation != "product_tiles":
            return ""
        values = amx.VALUES[self.kernel.precision]
        return f"dwk_tiles_begin({self.macro('PIXELS')}, {self.macro('BYTES')}, {values}); "

    def macro(self, name: str) -> str:
        """The value of a macro of its form, or nothing where it has none of that name."""
        return dict(self.form.macros).get(f"DWK_{name}", "")


def cases(*operations: str) -> list[Case]:
    """The forms of all kernels for these operations."""
    rows = (kernel for kernel in KERNELS if kernel.operation in operations and kernel.instructions.family in TILES)
    return [case for kernel in rows for case in _MAKERS[kernel.operation](kernel)]


def _products(kernel: Kernel) -> Iterator[Case]:
    of = kernel.instructions
    for (pixels, rest, vectors, last), activation in every(TILES[of.family], _activations(kernel)):
        lanes = of.lanes or last
        missing = last % lanes if "SOME" in kernel.macros else 0
        some = vectors * lanes - missing if missing else 0
        panels = Panels(count=1 if some else 2, vectors=vectors, lanes=lanes, some=some)
        yield _product(kernel, pixels, rest, panels, activation)
    tiles = BYTES.get(of.family, ()) if "BYTES" in kernel.macros else ()
    for (pixels, rest, vectors, lanes, bytes_), activation in every(tiles, _activations(kernel)):
        yield _product(kernel, pixels, rest, Panels(count=2, vectors=vectors, lanes=lanes), activation, bytes_)


def _abreast(kernel: Kernel) -> Iterator[Case]:
    for channels, rest in every((8, 16, 24, 40), (0, 1, 2, 7, 8, 9, 15)):
        yield _product(kernel, ABREAST, rest, Panels(count=1, vectors=1, lanes=channels))


def _on_tiles(kernel: Kernel) -> Iterator[Case]:
    for way, pixels, bytes_, vectors, some in BLOCKS[kernel.precision]:
        panels = Panels(count=1 if some else 2, vectors=vectors, lanes=kernel.instructions.lanes, some=some)
        tiling = Tiling(pixels=pixels, rest=0, panels=(panels,), bytes=bytes_)
        yield Case(
            kernel=kernel,
            form=forms.product(kernel, tiling, panels, way=way),
            cut=Cut(instructions=kernel.instructions, groups=tiling.panels, way=way),
            pixels=pixels,
        )


def _product(kernel: Kernel, pixels: int, rest: int, panels: Panels, activation: str = "", bytes_: int = 0) -> Case:
    tiling = Tiling(pixels=pixels, rest=rest, panels=(panels,), bytes=bytes_)
    return Case(
        kernel=kernel,
        form=forms.product(kernel, tiling, panels, activation),
        cut=Cut(instructions=kernel.instructions, groups=tiling.panels),
        pixels=pixels,
        rest=rest,
    )


def _depthwise(kernel: Kernel) -> Iterator[Case]:
    stride = int(kernel.operation[-1])
    several = VECTORS if "VECTORS" in kernel.macros else (1,)
    for lanes, activation, vectors in every(_lanes(kernel), _activations(kernel), several):
        cut = Cut(instructions=kernel.instructions, lanes=lanes, stride=stride)
        yield Case(kernel=kernel, form=forms.depthwise(kernel, lanes, activation, vectors=vectors), cut=cut)


def _pools(kernel: Kernel) -> Iterator[Case]:
    for lanes in _lanes(kernel):
        cut = Cut(instructions=kernel.instructions, lanes=lanes)
        yield Case(kernel=kernel, form=forms.pool(kernel, lanes), cut=cut)


def _classifiers(kernel: Kernel) -> Iterator[Case]:
    of = kernel.instructions
    for (count, vectors, lanes), logits in every(LABELS, ("products", "bytes") if "LOGITS" in kernel.macros else ("",)):
        panels = Panels(count=count, vectors=vectors, lanes=of.lanes or lanes)
        cut = Cut(instructions=of, groups=(panels,))
        yield Case(kernel=kernel, form=forms.classifier(kernel, panels, logits), cut=cut)


def _activations(kernel: Kernel) -> tuple[str, ...]:
    return ("relu6", "relu") if "ACTIVATION" in kernel.macros else ("",)


def _lanes(kernel: Kernel) -> tuple[int, ...]:
    of = kernel.instructions
    if not of.lanes:
        return LANES
    machine = Machine(lanes=of.lanes, registers=of.registers, features=of.needs, family=of.family)
    return (family_of(of).lanes(64, machine, of),)


_MAKERS = {
    "product": _products,
    "stem": _products,
    "stem_abreast": _abreast,
    "product_tiles": _on_tiles,
    "depthwise3x3s1": _depthwise,
    "depthwise3x3s2": _depthwise,
    "pool": _pools,
    "classifier": _classifiers,
}
