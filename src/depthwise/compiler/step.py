"""One step of a plan: its kernels, its tiles, and the maps in which its input and output lie.

Sizes: H W C of an input, N output channels; distances are in values, floats or bytes, unless a name says bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from depthwise.kernels.kernel import Kernel
from depthwise.kernels.layout import PIXELS, Layout
from depthwise.kernels.tiling import UNTILED, Tiling
from depthwise.network.layers import Layer, Padding, Shape

NO_BORDER = Padding()
StepKind = Literal["stem", "separable", "standard", "pool", "classifier"]
Split = Literal["", "blocks", "rows", "channels"]


@dataclass(frozen=True, kw_only=True)
class Map:
    """An activation in memory, inside the padding that the next layer's kernel meets.

    Value (y, x, c) is `start + y * row + x * pixel + c * channel` values from the beginning. `apart` values more lie
    between a row and the next.
    """

    shape: Shape
    border: Padding = NO_BORDER
    apart: int = 0
    layout: Layout = PIXELS

    @property
    def channel(self) -> int:
        """From a channel to the next: 1, or a whole plane."""
        return 1 if self.layout.order == "pixels" else self._rows * self.row

    @property
    def pixel(self) -> int:
        """From a pixel to the next."""
        return self.shape.channels if self.layout.order == "pixels" else 1

    @property
    def row(self) -> int:
        """From a row to the next."""
        return (self.border.left + self.shape.width + self.border.right) * self.pixel + self.apart

    @property
    def start(self) -> int:
        """From the first value of the border to that of the activation."""
        return self.border.top * self.row + self.border.left * self.pixel

    @property
    def size(self) -> int:
        """Values, border included."""
        return self._rows * self.row * (1 if self.layout.order == "pixels" else self.shape.channels)

    @property
    def _rows(self) -> int:
        return self.border.top + self.shape.height + self.border.bottom


@dataclass(frozen=True, kw_only=True)
class Form:
    """One inclusion of a kernel's header.

    Attributes:
        name: of the function, which says all of it; docs/kernel-names.md has the grammar.
        header: the file that is included.
        macros: what is defined before, by name.
        vocabulary: a file that is included once before it, or empty.
    """

    name: str
    header: str
    macros: tuple[tuple[str, str], ...] = ()
    vocabulary: str = ""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of a kernel in a step.

    Attributes:
        form: the kernel.
        layer: name of the layer whose weights it reads.
        units: panels that it computes one by one, or pairs of them; 1 where its kernel knows no panels.
        size: output channels of a unit.
        room: channels that a unit's weights have room for, where `size` is fewer.
    """

    form: Form
    layer: str
    units: int
    size: int
    room: int


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one emitted function does.

    Attributes:
        name: the layer's name, or the block's, which its two layers share.
        layers: one row of the table, or the depthwise and the pointwise one of a block.
        input, output: where it reads and writes; the stem's input are pixels, without border.
        rows: rows of outputs that are computed at a time; 0 where the step is not cut into rows.
        kernels: one for each layer.
        ways: in which each of them rounds, where it knows several; else empty.
        tiling: of its matrix product, of all channels that `strassen` and `tiles` leave; a pool has none.
        strassen: of its first channels, where seven multiplications of matrices take the place of eight.
        tiles: of its first channels, where they are computed on a processor's tiles.
        lanes: of a depthwise layer's or a pool's vectors, else 0.
        vectors: of so many lanes that a depthwise layer computes at a time.
        scratch: values that it needs for itself.
        scratch_step: values from pixel to pixel of a depthwise layer's output in the scratch, else 0.
        split: what several threads share: "blocks" of rows, each with a scratch of its own; "rows" of a map that is
            computed at once; or "channels" of each layer, between which they meet. Empty where there is one thread.
        calls: of its kernels, in their order; each reads its weights behind those of the calls before it.
        grain: where threads share rows, so many go together, so that the order of no sum depends on their number.
    """

    kind: StepKind
    name: str
    layers: tuple[Layer, ...]
    input: Map
    output: Map
    kernels: tuple[Kernel, ...]
    ways: tuple[str, ...] = ()
    rows: int = 0
    tiling: Tiling = UNTILED
    strassen: Tiling | None = None
    tiles: Tiling | None = None
    lanes: int = 0
    vectors: int = 1
    scratch: int = 0
    scratch_step: int = 0
    split: Split = ""
    grain: int = 1
    calls: tuple[Call, ...] = ()
