"""One step of a plan: its kernels, its tiles, and the maps in which its input and output lie.

Sizes: H W C of an input, N output channels; distances are in values, floats or bytes, unless a name says bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from depthwise.compiler.choices import DEFAULT, Choices
from depthwise.compiler.selection import kernel_of
from depthwise.compiler.targets import Machine
from depthwise.compiler.tiles import WHOLE_WIDTH, Panels, Tiling, cut, strassen, tiling, vector_lanes
from depthwise.kernels.table import Kernel, Precision, fastest
from depthwise.network.layers import Layer, Padding, Shape

FLOAT = 4
# Bytes of a value of an activation.
VALUE: dict[Precision, int] = {"float32": FLOAT, "bf16": 2, "int8": 1}
NO_BORDER = Padding()
StepKind = Literal["stem", "separable", "standard", "pool", "classifier"]
Split = Literal["", "blocks", "rows", "channels"]
# Rows at a time on wider maps (width, rows): the depthwise output of so many stays in the nearest caches. Measured on
# Zen 4 (32 KiB and 1 MiB); 1, 2 and 4 differ by a few per cent.
_ROWS = ((WHOLE_WIDTH + 1, 4), (20, 2))
_STEM_ROWS = 4
# Of a map that is computed at once threads share the rows where there are so many.
_SHARED_ROWS = 8
# The step that begins with a layer of a kind.
_STEPS: dict[str, StepKind] = {
    "stem": "stem",
    "depthwise": "separable",
    "standard": "standard",
    "pool": "pool",
    "classifier": "classifier",
}
# Tiles read pixels of the depthwise output side by side; at multiples of this many bytes they would fall into the same
# set of a first-level cache.
_CONFLICT = 2048
_APART = 64


@dataclass(frozen=True, kw_only=True)
class Map:
    """An activation in memory: rows of pixels of C values, inside the padding that the next layer's kernel meets.

    `apart` values more lie between a row and the next.
    """

    shape: Shape
    border: Padding = NO_BORDER
    apart: int = 0

    @property
    def row(self) -> int:
        """From a row to the next."""
        return (self.border.left + self.shape.width + self.border.right) * self.shape.channels + self.apart

    @property
    def start(self) -> int:
        """From the first value of the border to that of the activation."""
        return self.border.top * self.row + self.border.left * self.shape.channels

    @property
    def size(self) -> int:
        """Values, border included."""
        return (self.border.top + self.shape.height + self.border.bottom) * self.row


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one emitted function does.

    Attributes:
        name: the layer's name, or the block's, which its two layers share.
        layers: one row of the table, or the depthwise and the pointwise one of a block.
        input, output: where it reads and writes; the stem's input are pixels, without border.
        rows: rows of outputs that are computed at a time; 0 where the step is not cut into rows.
        kernels: one for each layer.
        tiling: of its matrix product, of all channels that `strassen` leaves; None for a pool.
        strassen: of its first channels, where seven multiplications of matrices take the place of eight.
        lanes: of a depthwise layer's or a pool's vectors, else 0.
        logits: of an int8 classifier, "products" or "bytes" (docs/int8.md Q8), else empty.
        scratch: values that it needs for itself.
        scratch_step: values from pixel to pixel of a depthwise layer's output in the scratch, else 0.
        split: what several threads share: "blocks" of rows, each with a scratch of its own; "rows" of a map that is
            computed at once; or "channels" of each layer, between which they meet. Empty where there is one thread.
        grain: where threads share rows, so many go together, so that the order of no sum depends on their number.
    """

    kind: StepKind
    name: str
    layers: tuple[Layer, ...]
    input: Map
    output: Map
    kernels: tuple[Kernel, ...]
    rows: int = 0
    tiling: Tiling | None = None
    strassen: Tiling | None = None
    lanes: int = 0
    logits: str = ""
    scratch: int = 0
    scratch_step: int = 0
    split: Split = ""
    grain: int = 1


def groups(table: tuple[Layer, ...]) -> list[tuple[Layer, ...]]:
    """The layers of each step: a depthwise layer goes together with the pointwise one behind it."""
    groups: list[tuple[Layer, ...]] = []
    for layer in table:
        if groups and groups[-1][-1].kind == "depthwise":
            groups[-1] += (layer,)
        else:
            groups.append((layer,))
    return groups


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What steps of one network share.

    Attributes:
        logits: what an int8 network makes of its last sums, "products" or "bytes"; else empty.
    """

    machine: Machine
    choices: Choices = DEFAULT
    logits: str = ""

    @property
    def precision(self) -> Precision:
        """Of the network."""
        return self.choices.precision or "float32"


def make_step(group: tuple[Layer, ...], source: Map | None, following: Layer | None, setting: Setting) -> Step:
    """The step of a group of layers.

    Args:
        source: the output of the step before; None for the first.
        following: the first layer of the step behind, whose padding stands around the output; None for the last.
    """
    shape = group[-1].output
    output = _spread(Map(shape=shape, border=_border(following) if following is not None else NO_BORDER), setting)
    kernels = tuple(kernel_of(layer, setting.precision, setting.machine.features) for layer in group)
    step = Step(
        kind=_STEPS[group[0].kind],
        name=group[0].name,
        layers=group,
        input=source or Map(shape=group[0].input, border=_border(group[0])),
        output=output,
        kernels=kernels,
    )
    step = _made(step, setting)
    return _shared(step, setting) if setting.choices.threads > 1 else step


def _made(step: Step, setting: Setting) -> Step:
    """What belongs to its kind."""
    match step.kind:
        case "stem":
            return _stem(step, setting)
        case "separable":
            return _separable(step, setting)
        case "standard":
            return _standard(step, setting)
        case "pool":
            lanes = vector_lanes(step.output.shape.channels, setting.machine, step.kernels[0].instructions)
            return replace(step, lanes=lanes)
        case _:
            return _classifier(step, setting)


def _shared(step: Step, setting: Setting) -> Step:
    """The step for several threads.

    They share blocks of rows where there are several, and the rows of a map that is computed at once: what a thread
    wrote, it mostly reads itself in the next step. On the smallest maps they share channels, as weights are large there
    and each thread then reads only its own.
    """
    if step.kind == "stem" or 0 < step.rows < step.output.shape.height:
        # Nobody writes to a cache line of another thread's scratch.
        line = _APART // VALUE[setting.precision]
        return replace(step, split="blocks", scratch=-(-step.scratch // line) * line)
    if step.rows < _SHARED_ROWS:
        return replace(step, split="channels")
    # Kernels for bf16 sum two rows in different orders, and Strassen's products those of two tiles.
    tiles = step.output.shape.width // step.strassen.pixels if step.strassen else 0
    return replace(step, split="rows", grain=2 if setting.precision == "bf16" or tiles % 2 else 1)


def _stem(step: Step, setting: Setting) -> Step:
    (layer,) = step.layers
    rows = min(_STEM_ROWS, layer.output.height)
    # In bf16 the portable kernels take pairs too.
    behind = max(step.kernels[0].instructions.behind, 1 if setting.precision == "bf16" else 0)
    return replace(
        step,
        rows=rows,
        tiling=_tiling(step, setting),
        scratch=((rows - 1) * layer.stride + 3) * step.input.row + behind,
    )


def _separable(step: Step, setting: Setting) -> Step:
    shape, between = step.output.shape, step.layers[0].output.channels
    rows = shape.height if setting.choices.whole_maps else _rows_at_a_time(shape)
    size = VALUE[setting.precision]
    pitch = between + (_APART // size if between * size % _CONFLICT == 0 else 0)
    found = None
    if setting.choices.strassen and setting.precision == "float32":
        found = strassen(shape.width, rows, between, shape.channels, setting.machine)
    if found is not None:
        kernel = fastest("strassen", setting.precision, setting.machine.features)
        step = replace(step, strassen=found, kernels=(step.kernels[0], kernel))
    return replace(
        step,
        name=step.name.rsplit(".", 1)[0],
        rows=rows,
        tiling=_tiling(step, setting),
        lanes=vector_lanes(between, setting.machine, step.kernels[0].instructions),
        scratch=rows * shape.width * (pitch + (between if found else 0)),
        scratch_step=pitch,
    )


def _standard(step: Step, setting: Setting) -> Step:
    return replace(
        step,
        name=step.name.rsplit(".", 1)[0],
        rows=_rows_at_a_time(step.output.shape),
        tiling=_tiling(step, setting),
    )


def _classifier(step: Step, setting: Setting) -> Step:
    """Labels are padded to whole vectors with weights of 0."""
    machine, labels = setting.machine, step.output.shape.channels
    lanes = machine.lanes if labels > machine.lanes // 2 else max(4, machine.lanes // 2)
    lanes = step.kernels[0].instructions.lanes or lanes
    panels = cut(-(-labels // lanes), lanes, 8 if machine.registers >= 32 else 4)
    padded = Shape(height=1, width=1, channels=sum(p.count * p.channels for p in panels))
    return replace(
        step,
        output=Map(shape=padded),
        tiling=Tiling(pixels=1, rest=0, panels=panels),
        logits=setting.logits,
    )


def _tiling(step: Step, setting: Setting) -> Tiling:
    shape = step.output.shape
    if step.kernels[-1].operation == "stem_abreast":
        return Tiling(pixels=16, rest=shape.width % 16, panels=(Panels(count=1, vectors=1, lanes=shape.channels),))
    done = sum(p.count * p.channels for p in step.strassen.panels) if step.strassen else 0
    kernel = step.kernels[-1]
    in_pairs = kernel.precision == "bf16"
    depth = step.layers[-1].kernel ** 2 * step.layers[-1].input.channels
    channels, of = shape.channels - done, kernel.instructions
    return tiling(shape.width, channels, setting.machine, of, depth=depth, in_pairs=in_pairs)


def _border(layer: Layer) -> Padding:
    """The zeros that a layer's kernel really meets."""
    if layer.kernel != 3 or layer.kind in ("pool", "classifier"):
        return NO_BORDER
    top, left = layer.padding.top, layer.padding.left
    return Padding(
        top=top,
        left=left,
        bottom=max(0, (layer.output.height - 1) * layer.stride + 3 - top - layer.input.height),
        right=max(0, (layer.output.width - 1) * layer.stride + 3 - left - layer.input.width),
    )


def _spread(place: Map, setting: Setting) -> Map:
    """The map with rows that do not fall into the same set of a first-level cache, as a kernel reads four at once."""
    size = VALUE[setting.precision]
    has_conflict = place.border != NO_BORDER and place.row * size % _CONFLICT == 0
    return replace(place, apart=_APART // size) if has_conflict else place


def _rows_at_a_time(shape: Shape) -> int:
    rows = [rows for width, rows in _ROWS if shape.width >= width]
    return min(rows[-1], shape.height) if rows else shape.height
