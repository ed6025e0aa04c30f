"""The steps of a network: which layers go together, and the kernels, tiles and rows of each.

Sizes: H W C of an input, N output channels; distances are in values, floats or bytes, unless a name says bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from depthwise.compiler.choices import DEFAULT, Choices
from depthwise.compiler.plan.forms import calls_of
from depthwise.compiler.plan.maps import APART, CONFLICT, border_of, spread
from depthwise.compiler.plan.selection import kernel_of
from depthwise.compiler.step import Map, Step, StepKind
from depthwise.kernels.machine import Machine
from depthwise.kernels.portable.strassen import strassen
from depthwise.kernels.portable.tiles import WHOLE_WIDTH, vectors_at_a_time
from depthwise.kernels.table import beside, family_of, fastest
from depthwise.kernels.tiling import Panels, Product, Tiling, cut
from depthwise.kernels.ways import way
from depthwise.kernels.weights import Weights
from depthwise.kernels.x86 import amx
from depthwise.network.layers import Layer, Shape
from depthwise.precision import PRECISIONS, Precision, Row

# Rows at a time on wider maps (width, rows): the depthwise output of so many stays in the nearest caches. Measured on
# Zen 4 (32 KiB and 1 MiB); 1, 2 and 4 differ by a few per cent.
_ROWS = ((WHOLE_WIDTH + 1, 4), (20, 2))
# The same where products are computed on tiles, whose blocks of pixels go on from row to row.
_ROWS_ON_TILES = ((WHOLE_WIDTH + 1, 4), (32, 2))
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


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What steps of one network share.

    Attributes:
        activation: the network's.
        logits: what an int8 network makes of its last sums, "products" or "bytes"; else empty.
        numbers: of each layer by its name, where they are known.
    """

    machine: Machine
    activation: str
    choices: Choices = DEFAULT
    logits: str = ""
    numbers: Mapping[str, Weights] = field(default_factory=dict)

    @property
    def precision(self) -> Precision:
        """Of the network."""
        return self.choices.precision or "float32"

    @property
    def row(self) -> Row:
        """What is to be known of it."""
        return PRECISIONS[self.precision]


def make_step(group: tuple[Layer, ...], source: Map | None, following: Layer | None, setting: Setting) -> Step:
    """The step of a group of layers.

    Args:
        source: the output of the step before; None for the first.
        following: the first layer of the step behind, whose padding stands around the output; None for the last.
    """
    shape = group[-1].output
    kernels = tuple(kernel_of(layer, setting.precision, setting.machine.features) for layer in group)
    # There is no kernel that brings values from one layout into another.
    assert len({(kernel.layout, kernel.hands_on) for kernel in kernels}) == 1
    layout = kernels[0].layout
    assert source is None or source.layout == layout
    output = Map(shape=shape, border=border_of(following), layout=layout)
    step = Step(
        kind=_STEPS[group[0].kind],
        name=group[0].name,
        layers=group,
        input=source or Map(shape=group[0].input, border=border_of(group[0]), layout=layout),
        output=spread(output, setting.row.value),
        kernels=kernels,
        ways=tuple(
            way(kernel, setting.numbers.get(layer.name), setting.machine)
            for kernel, layer in zip(kernels, group, strict=True)
        ),
    )
    step = _made(step, setting)
    step = _shared(step, setting) if setting.choices.threads > 1 else step
    step = _on_tiles(step, setting.precision) if step.kernels[-1].operation == "product_tiles" else step
    return replace(step, calls=calls_of(step, setting.activation, setting.logits))


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
            return replace(step, lanes=_lanes(step, step.output.shape.channels, setting))
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
        line = APART // setting.row.value
        return replace(step, split="blocks", scratch=-(-step.scratch // line) * line)
    if step.rows < _SHARED_ROWS:
        return replace(step, split="channels")
    # Kernels for bf16 sum two rows in different orders, and Strassen's products those of two tiles; pairs are of rows.
    tiles = step.output.shape.width // step.strassen.pixels if step.strassen else 0
    by_two = tiles % 2 or step.kernels[0].hands_on == "pairs" or _fills_tiles_by_two(step)
    return replace(step, split="rows", grain=2 if by_two else setting.row.grain)


def _fills_tiles_by_two(step: Step) -> bool:
    """Whether two rows fill a tile that one does not, and two or four threads still have as many rows each."""
    height, width = step.output.shape.height, step.output.shape.width
    return step.kernels[-1].operation == "product_tiles" and height % 4 == 0 and width < amx.ROWS <= 2 * width


def _stem(step: Step, setting: Setting) -> Step:
    (layer,) = step.layers
    rows = min(_STEM_ROWS, layer.output.height)
    # Portable kernels too take together what lies in one word.
    behind = max(step.kernels[0].instructions.behind, setting.row.together - 1)
    return replace(
        step,
        rows=rows,
        tiling=_tiling(step, setting),
        scratch=((rows - 1) * layer.stride + 3) * step.input.row + behind,
    )


def _separable(step: Step, setting: Setting) -> Step:
    shape, between = step.output.shape, step.layers[0].output.channels
    on_tiles = step.kernels[-1].operation == "product_tiles"
    rows = _rows_at_a_time(shape, _ROWS_ON_TILES if on_tiles else _ROWS)
    rows = shape.height if setting.choices.whole_maps else rows
    size = setting.row.value
    in_pairs = step.kernels[0].hands_on == "pairs"
    pitch = between + (APART // size if between * size % CONFLICT == 0 and not in_pairs else 0)
    found = None
    if setting.choices.strassen and setting.row.strassen:
        found = strassen(shape.width, rows, between, shape.channels, setting.machine)
    if found is not None:
        kernel = fastest("strassen", setting.precision, setting.machine.features)
        step = replace(step, strassen=found, kernels=(step.kernels[0], kernel))
    return replace(
        step,
        name=step.name.rsplit(".", 1)[0],
        rows=rows,
        tiling=_tiling(step, setting),
        lanes=_lanes(step, between, setting),
        vectors=_vectors(step, between, setting),
        scratch=_pixels(rows * shape.width, in_pairs) * (pitch + (between if found else 0)),
        scratch_step=pitch,
    )


def _on_tiles(step: Step, precision: Precision) -> Step:
    """The step with the blocks of its channels on tiles; no call may have fewer pixels than a block.

    Pixels under the kernel of a first convolution are one list in each row alone.
    """
    shape = step.output.shape
    rows = 1 if step.kind == "stem" else step.rows
    at_least = step.grain if step.split == "rows" else rows
    fewest = shape.height % at_least or at_least
    found = amx.tiles(_depth(step), shape.channels, rows * shape.width, fewest * shape.width, precision)
    return replace(step, tiles=found)


def _depth(step: Step) -> int:
    """Values in a row under the kernel of a product."""
    return step.layers[-1].kernel * step.layers[-1].input.channels


def _pixels(count: int, in_pairs: bool) -> int:
    """Pixels for which there is room; the last pair may have one pixel alone."""
    return count + count % 2 if in_pairs else count


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
    )


def _tiling(step: Step, setting: Setting) -> Tiling:
    shape = step.output.shape
    if step.kernels[-1].operation == "stem_abreast":
        return Tiling(pixels=16, rest=shape.width % 16, panels=(Panels(count=1, vectors=1, lanes=shape.channels),))
    done = sum(p.count * p.channels for p in step.strassen.panels) if step.strassen else 0
    kernel = step.kernels[-1]
    if kernel.operation == "product_tiles":
        done = amx.channels_on_tiles(_depth(step), shape.channels, kernel.precision)
        kernel = beside(kernel)
    product = Product(
        width=shape.width,
        channels=shape.channels - done,
        depth=step.layers[-1].kernel ** 2 * step.layers[-1].input.channels,
        taps=step.layers[-1].kernel,
        together=PRECISIONS[kernel.precision].together,
        value=PRECISIONS[kernel.precision].value,
    )
    return family_of(kernel.instructions).tiling(product, setting.machine, kernel.instructions)


def _lanes(step: Step, channels: int, setting: Setting) -> int:
    """Of the vectors of a depthwise layer or a pool."""
    of = step.kernels[0].instructions
    return family_of(of).lanes(channels, setting.machine, of)


def _vectors(step: Step, channels: int, setting: Setting) -> int:
    """Of a depthwise layer, at a time."""
    kernel = step.kernels[0]
    return vectors_at_a_time(channels, setting.machine) if "VECTORS" in kernel.macros else 1


def _rows_at_a_time(shape: Shape, table: tuple[tuple[int, int], ...] = _ROWS) -> int:
    rows = [rows for width, rows in table if shape.width >= width]
    return min(rows[-1], shape.height) if rows else shape.height
