"""How a network runs on a machine: steps, tiles of the matrix products, and where everything lies in the arena.

Sizes: H W C of an input, N output channels; distances are in values, floats or bytes, unless a name says bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from depthwise.compiler.arena import Region, Value, place
from depthwise.compiler.targets import Machine
from depthwise.errors import Refused
from depthwise.kernels.table import PORTABLE, Instructions, Kernel, Operation, Precision, fastest, half
from depthwise.network.layers import Layer, Padding, Shape, layers
from depthwise.network.preprocessing import Preprocessing
from depthwise.network.spec import Spec

FLOAT = 4
# Bytes of a value of an activation.
VALUE: dict[Precision, int] = {"float32": FLOAT, "int8": 1}
NO_BORDER = Padding()
StepKind = Literal["stem", "separable", "standard", "pool", "classifier"]


@dataclass(frozen=True, kw_only=True)
class Map:
    """An activation in memory: rows of pixels of C values, inside the padding that the next layer's kernel meets."""

    shape: Shape
    border: Padding = NO_BORDER

    @property
    def row(self) -> int:
        """From a row to the next."""
        return (self.border.left + self.shape.width + self.border.right) * self.shape.channels

    @property
    def start(self) -> int:
        """From the first value of the border to that of the activation."""
        return self.border.top * self.row + self.border.left * self.shape.channels

    @property
    def size(self) -> int:
        """Values, border included."""
        return (self.border.top + self.shape.height + self.border.bottom) * self.row


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

    `panels` has one entry, or two that differ by one vector; the last panel may stand alone, with fewer channels.
    """

    pixels: int
    rest: int
    panels: tuple[Panels, ...]


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one emitted function does.

    Attributes:
        name: the layer's name, or the block's, which its two layers share.
        layers: one row of the table, or the depthwise and the pointwise one of a block.
        input, output: where it reads and writes; the stem's input are pixels, without border.
        rows: rows of outputs that are computed at a time; 0 where the step is not cut into rows.
        kernels: one for each layer.
        tiling: of its matrix product; None for a pool.
        lanes: of a depthwise layer's or a pool's vectors, else 0.
        logits: of an int8 classifier, "products" or "bytes" (docs/int8.md Q8), else empty.
        scratch: values that it needs for itself.
        scratch_step: values from pixel to pixel of a depthwise layer's output in the scratch, else 0.
    """

    kind: StepKind
    name: str
    layers: tuple[Layer, ...]
    input: Map
    output: Map
    kernels: tuple[Kernel, ...]
    rows: int = 0
    tiling: Tiling | None = None
    lanes: int = 0
    logits: str = ""
    scratch: int = 0
    scratch_step: int = 0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Steps in the order in which data flows, and the arena.

    `regions` has one entry for each of `prepare`, `pixels`, the output of each step by its name, `<name>.rows`
    for the scratch of a step, and `probabilities`.
    """

    precision: Precision
    machine: Machine
    steps: tuple[Step, ...]
    regions: dict[str, Region]
    arena_bytes: int


def plan(
    spec: Spec,
    preprocessing: Preprocessing,
    machine: Machine,
    precision: Precision = "float32",
    *,
    logits: str = "",
    whole_maps: bool = False,
    table: tuple[Layer, ...] | None = None,
) -> Plan:
    """The plan of a network for a machine.

    Args:
        table: the layers to run, where they are not all of the network's in full.
        logits: what an int8 network makes of its last sums, "products" or "bytes".
        whole_maps: compute every block over its whole map at once, so that all depthwise outputs can be looked at.
    Raises: Refused, when its activations take more memory than the emitted C can address.
    """
    groups = _groups(table or layers(spec))
    steps: list[Step] = []
    for index, group in enumerate(groups):
        following = groups[index + 1][0] if index + 1 < len(groups) else None
        shape = group[-1].output
        output = Map(shape=shape, border=_border(following) if following is not None else NO_BORDER)
        source = steps[-1].output if steps else Map(shape=group[0].input)
        kernels = tuple(_kernel(layer, precision, machine) for layer in group)
        step = _step(group, source, output, machine, kernels, VALUE[precision], whole_maps)
        steps.append(replace(step, logits=logits) if step.kind == "classifier" else step)
    values = _values(steps, preprocessing, VALUE[precision])
    regions, arena_bytes = place(values)
    if arena_bytes > _LARGEST_ARENA:
        raise Refused(
            f"this network needs {arena_bytes:,} bytes of memory for activations and at most {_LARGEST_ARENA:,} can be"
            " addressed; choose a smaller resolution or width"
        )
    return Plan(precision=precision, machine=machine, steps=tuple(steps), regions=regions, arena_bytes=arena_bytes)


def tiling(width: int, channels: int, machine: Machine, of: Instructions = PORTABLE) -> Tiling:
    """How a product with `channels` outputs a pixel, in rows of `width` pixels, is cut for a machine.

    Accumulators, one row of weights and (where an instruction cannot broadcast from memory) one value must fit into
    the registers. On wide maps fewer accumulators are as fast, and the end of a tile overlaps the next one better.
    """
    if of.name:
        return tiling_x86(width, channels, of)
    lanes = vector_lanes(channels, machine)
    vectors = channels // lanes
    panels = _panels(vectors, lanes, 4 if machine.registers >= 32 else 2)
    most = panels[0].vectors
    spare = 0 if machine.lanes == 16 else 1
    fit = (machine.registers - spare) // most - 1
    limit = fit if width <= WHOLE_WIDTH else min(fit, max(machine.registers // 2 // most, 1))
    pixels = -(-width // -(-width // limit))
    return Tiling(pixels=pixels, rest=width % pixels, panels=panels)


def tiling_x86(width: int, channels: int, of: Instructions) -> Tiling:
    """The same for the int8 kernels of x86, whose vectors need not divide the channels.

    What limits them is the dot product, whose latency is 4 cycles; few accumulators are enough, and the smaller the
    tile, the better the rounding at its end overlaps the next one. Measured on Zen 4.
    """
    panels = list(_panels(-(-channels // of.lanes), of.lanes, 4))
    spare = sum(p.count * p.channels for p in panels) - channels
    if spare:
        last = panels.pop()
        if last.count > 1:
            panels.append(replace(last, count=last.count - 1))
        panels.append(replace(last, count=1, some=last.channels - spare))
    limit = _PIXELS[of.name][panels[0].vectors - 1]
    even = next((p for p in (limit, limit - 1) if p > 0 and width % p == 0), 0)
    pixels = even or -(-width // -(-width // limit))
    return Tiling(pixels=pixels, rest=width % pixels, panels=tuple(panels))


def vector_lanes(channels: int, machine: Machine, of: Instructions = PORTABLE) -> int:
    """Lanes of the widest vector that divides the channels, which are always a multiple of 8.

    Kernels for x86 take as many bytes as there are in a vector, and of the last ones fewer.
    """
    if of.name:
        return 4 * of.lanes
    return next(lanes for lanes in (16, 8, 4) if lanes <= machine.lanes and channels % lanes == 0)


# Most pixels of a tile whose panels have 1, 2, 3 and 4 vectors, by name of the instructions. With AVX2 a large tile is
# faster although it does not fit into the registers: its two products take longer than to fetch a sum.
_PIXELS = {"avx512vnni": (8, 8, 5, 5), "avxvnni": (8, 5, 4, 3), "avx2": (8, 6, 4, 6)}
# Up to this width a block runs over the whole map at once: its weights are large then, and are read once.
WHOLE_WIDTH = 14
# Rows at a time on wider maps (width, rows): the depthwise output of so many stays in the nearest caches. Measured on
# Zen 4 (32 KiB and 1 MiB); 1, 2 and 4 differ by a few per cent.
_ROWS = ((WHOLE_WIDTH + 1, 4), (20, 2))
_STEM_ROWS = 4
# Tiles read pixels of the depthwise output side by side; at multiples of this many bytes they would fall into the same
# set of a first-level cache.
_CONFLICT = 2048
_APART = 64
# Offsets in the arena are 32-bit in the emitted C.
_LARGEST_ARENA = 2**31 - 1


def _groups(table: tuple[Layer, ...]) -> list[tuple[Layer, ...]]:
    """The layers of each step: a depthwise layer goes together with the pointwise one behind it."""
    groups: list[tuple[Layer, ...]] = []
    for layer in table:
        if groups and groups[-1][-1].kind == "depthwise":
            groups[-1] += (layer,)
        else:
            groups.append((layer,))
    return groups


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


def _kernel(layer: Layer, precision: Precision, machine: Machine) -> Kernel:
    """The fastest kernel for a layer; where its channels would leave half a vector empty, one of half the width."""
    operation = _operation(layer)
    found = fastest(operation, precision, machine.features)
    lanes, channels = found.instructions.lanes, layer.output.channels
    leaves_half_empty = operation == "product" and channels < 2 * lanes and 0 < channels % lanes <= lanes // 2
    return half(found) if leaves_half_empty else found


def _operation(layer: Layer) -> Operation:
    match layer.kind:
        case "depthwise":
            return "depthwise3x3s1" if layer.stride == 1 else "depthwise3x3s2"
        case "pool" | "classifier":
            return layer.kind
        case _:
            return "product"


def _step(
    group: tuple[Layer, ...],
    source: Map,
    output: Map,
    machine: Machine,
    kernels: tuple[Kernel, ...],
    value_bytes: int,
    whole_maps: bool,
) -> Step:
    first, last = group[0], group[-1]
    width, channels = last.output.width, last.output.channels
    match first.kind:
        case "stem":
            bordered = Map(shape=first.input, border=_border(first))
            rows = min(_STEM_ROWS, last.output.height)
            return Step(
                kind="stem",
                name=first.name,
                layers=group,
                input=bordered,
                output=output,
                kernels=kernels,
                rows=rows,
                tiling=tiling(width, channels, machine, kernels[-1].instructions),
                scratch=((rows - 1) * first.stride + 3) * bordered.row + kernels[0].instructions.behind,
            )
        case "depthwise":
            rows = last.output.height if whole_maps else _rows_at_a_time(last.output)
            between = first.output.channels
            step = between + (_APART // value_bytes if between * value_bytes % _CONFLICT == 0 else 0)
            return Step(
                kind="separable",
                name=first.name.rsplit(".", 1)[0],
                layers=group,
                input=source,
                output=output,
                kernels=kernels,
                rows=rows,
                tiling=tiling(width, channels, machine, kernels[-1].instructions),
                lanes=vector_lanes(between, machine, kernels[0].instructions),
                scratch=rows * width * step,
                scratch_step=step,
            )
        case "standard":
            return Step(
                kind="standard",
                name=first.name.rsplit(".", 1)[0],
                layers=group,
                input=source,
                output=output,
                kernels=kernels,
                rows=_rows_at_a_time(last.output),
                tiling=tiling(width, channels, machine, kernels[-1].instructions),
            )
        case "pool":
            lanes = vector_lanes(channels, machine, kernels[0].instructions)
            return Step(
                kind="pool",
                name=first.name,
                layers=group,
                input=source,
                output=output,
                kernels=kernels,
                lanes=lanes,
            )
        case _:
            # Labels are padded to whole vectors with weights of 0.
            lanes = machine.lanes if channels > machine.lanes // 2 else max(4, machine.lanes // 2)
            lanes = kernels[0].instructions.lanes or lanes
            panels = _panels(-(-channels // lanes), lanes, 8 if machine.registers >= 32 else 4)
            padded = Map(shape=Shape(height=1, width=1, channels=sum(p.count * p.channels for p in panels)))
            return Step(
                kind="classifier",
                name=first.name,
                layers=group,
                input=source,
                output=padded,
                kernels=kernels,
                tiling=Tiling(pixels=1, rest=0, panels=panels),
            )


def _rows_at_a_time(shape: Shape) -> int:
    rows = [rows for width, rows in _ROWS if shape.width >= width]
    return min(rows[-1], shape.height) if rows else shape.height


def _panels(vectors: int, lanes: int, most: int) -> tuple[Panels, ...]:
    """Vectors in as few panels of at most `most` as possible, of sizes as equal as possible, the large ones first."""
    count = -(-vectors // most)
    small, larger = divmod(vectors, count)
    sizes = ((larger, small + 1), (count - larger, small))
    return tuple(Panels(count=number, vectors=size, lanes=lanes) for number, size in sizes if number)


def _values(steps: list[Step], preprocessing: Preprocessing, value_bytes: int) -> list[Value]:
    """What lies in the arena, and from which moment to which: moment 0 prepares a frame, i + 1 is step i."""
    end = len(steps) + 1
    pixels = steps[0].layers[0].input.size
    values = [
        Value(name="prepare", bytes=prepare_bytes(preprocessing), first=0, last=0),
        Value(name="pixels", bytes=pixels, first=0, last=1),
    ]
    for moment, step in enumerate(steps, start=1):
        # Features are read by dw_features after everything has run, and the sums by the softmax.
        last = end if step.kind in ("pool", "classifier") else moment + 1
        # Logits are floats in every precision.
        size = step.output.size * (FLOAT if step.kind == "classifier" else value_bytes)
        values.append(Value(name=step.name, bytes=size, first=moment, last=last))
        if step.scratch:
            size = step.scratch * value_bytes
            values.append(Value(name=f"{step.name}.rows", bytes=size, first=moment, last=moment))
    classes = steps[-1].layers[0].output.channels
    values.append(Value(name="probabilities", bytes=classes * FLOAT, first=end, last=end))
    return values


def prepare_bytes(preprocessing: Preprocessing) -> int:
    """DWK_PREPARE_SCRATCH_BYTES of kernels/dwk_prepare.h, which asserts that it is this."""
    resize, channels = preprocessing.resize, preprocessing.channels
    window = (2 * 65535 + 2 * resize - 2) // (2 * resize - 1) * 2 + 1
    ring = max(16384, (window * channels + 3) // 4 * 4)
    return 4 * (window + max(6144, window) + 2 * 512) + ring
