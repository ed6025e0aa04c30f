"""How a network runs on a GPU: a kernel for each step, and where everything lies in its memory and in the arena."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from depthwise.compiler.choices import Choices
from depthwise.compiler.emit.step import function_name
from depthwise.compiler.gpu import grid
from depthwise.compiler.gpu.grid import Grid
from depthwise.compiler.gpu.pack import planes
from depthwise.compiler.lower.compilation import Compilation
from depthwise.compiler.lower.lower import Lowered
from depthwise.compiler.plan.arena import ALIGNMENT, Region, Value, place
from depthwise.compiler.plan.plan import Plan, prepare_bytes
from depthwise.compiler.step import Call, Form, Map, Step, StepKind
from depthwise.errors import Refused
from depthwise.kernels.cuda.rows import GPU, KERNELS
from depthwise.kernels.weights import Rounding
from depthwise.network.layers import Layer, groups
from depthwise.network.spec import ACTIVATIONS
from depthwise.precision import FLOAT, PRECISIONS, Row

# Where what is read back lies on the GPU: the sums of the labels, then the pooled features.
RESULTS = "results"
# Where the arena says what came of a call.
STATUS = "status"
_STEPS: dict[str, StepKind] = {
    "stem": "stem",
    "depthwise": "separable",
    "pool": "pool",
    "classifier": "classifier",
}
Macros = dict[str, str | int]


@dataclass(frozen=True, kw_only=True)
class Launch:
    """One kernel of the graph.

    Attributes:
        step: what it computes; its only call has the form, and the macros with it.
        grid: blocks and threads.
        reads, writes: bytes from the beginning of the GPU's memory for activations.
    """

    step: Step
    grid: Grid
    reads: int
    writes: int

    @property
    def form(self) -> Form:
        """Its kernel with its macros."""
        return self.step.calls[0].form


@dataclass(frozen=True, kw_only=True)
class GpuPlan:
    """Kernels in the order in which data flows.

    Attributes:
        host: the steps, with the arena of the artifact, in which no activation but the results lies.
        device: where activations lie on the GPU, by the names of their steps, `pixels` and `results`.
        device_bytes: of all of these.
        result_bytes: that are read back, into the arena from `classifier` on.
    """

    launches: tuple[Launch, ...]
    host: Plan
    device: Mapping[str, Region]
    device_bytes: int
    result_bytes: int

    def told(self) -> Plan:
        """The plan as users are told of it: with the places of activations on the GPU."""
        return replace(self.host, regions=dict(self.device))


def plan_for_gpu(job: Compilation, choices: Choices) -> GpuPlan:
    """The plan of a network.

    Raises: Refused, for a network with standard convolutions.
    """
    lowered, row = job.lowered, PRECISIONS[job.precision]
    table = tuple(operation.layer for operation in lowered.operations)
    twin = next((layer for layer in table if layer.kind == "standard"), None)
    if twin is not None:
        raise Refused(
            f"layer {twin.name} is a standard convolution, and target {job.target} has kernels for separable ones;"
            " compile this network for a processor"
        )
    ends = _ends(lowered, ACTIVATIONS[job.model.spec.activation])
    made = list(_steps(table, lowered, row, ends))
    device, device_bytes, results = _on_device([step for step, _ in made], row)
    host = _on_host(job, [step for step, _ in made], results, choices)
    reads, launches = device["pixels"].offset, []
    for step, cut in made:
        writes = device[step.name].offset
        launches.append(Launch(step=step, grid=cut, reads=reads, writes=writes))
        reads = writes
    return GpuPlan(
        launches=tuple(launches),
        host=host,
        device=device,
        device_bytes=device_bytes,
        result_bytes=results["global_pool"].offset + results["global_pool"].bytes,
    )


def _steps(
    table: tuple[Layer, ...], lowered: Lowered, row: Row, ends: Mapping[str, Macros]
) -> Iterator[tuple[Step, Grid]]:
    """Each step with its grid.

    Args:
        ends: what its macros say of each layer's output, by name of the layer.
    """
    before: Layer | None = None
    for group in groups(table):
        macros, name, cut = _form(group, lowered, row)
        macros |= ends[group[-1].name] | _edges(group[0], before, lowered)
        if group[0].kind == "depthwise" and lowered.rounds:
            middle = {f"DWK_MIDDLE_{key.removeprefix('DWK_')}": value for key, value in ends[group[0].name].items()}
            macros |= middle
        kind = _STEPS[group[0].kind]
        kernel = KERNELS[kind, row.name]
        step = Step(
            kind=kind,
            name=group[0].name,
            layers=group,
            input=Map(shape=group[0].input),
            output=Map(shape=group[-1].output),
            kernels=(kernel,) * len(group),
        )
        macros |= {"DWK_NAME": function_name(step), "DWK_THREADS": cut.threads}
        form = Form(name=name, header=kernel.header, macros=tuple((key, str(value)) for key, value in macros.items()))
        N = group[-1].output.channels
        yield replace(step, calls=(Call(form=form, layer=group[-1].name, units=1, size=N, room=N),)), cut
        before = group[-1]


def _form(group: tuple[Layer, ...], lowered: Lowered, row: Row) -> tuple[Macros, str, Grid]:
    """The macros of a step's sizes and tile, the name of the form, and the grid."""
    first, last = group[0], group[-1]
    macros = _sizes(first, last)
    weight = lowered.operation(last).weight
    if lowered.rounds and last.kind in ("pointwise", "classifier"):
        macros["DWK_PLANES"] = len(planes(weight))
    match first.kind:
        case "stem":
            return macros, f"dwk_stem_{row.suffix}_cuda", grid.along(last.output.size // 4)
        case "pool":
            return macros, f"dwk_pool_{row.suffix}_cuda", grid.along(last.output.channels)
        case "classifier":
            macros["DWK_OUTPUTS"], cut = grid.labels(last.output.channels)
            return macros, f"dwk_classifier_{row.suffix}_cuda", cut
    pixels = last.output.height * last.output.width
    # Between the two layers lie bytes, or float32.
    tile, cut = grid.separable(pixels, last.input.channels, last.output.channels, 1 if lowered.rounds else FLOAT)
    macros |= {"DWK_PIXELS": tile.pixels, "DWK_OUTPUTS": tile.outputs, "DWK_ABREAST": tile.abreast}
    return macros, f"dwk_separable_{row.suffix}_cuda_p{tile.pixels}_n{tile.outputs}", cut


def _sizes(first: Layer, last: Layer) -> Macros:
    """What every kernel knows of its input and output, and of the window over the input."""
    sizes: Macros = {"DWK_H": first.input.height, "DWK_W": first.input.width, "DWK_C": first.input.channels}
    sizes |= {"DWK_OUT_H": last.output.height, "DWK_OUT_W": last.output.width, "DWK_N": last.output.channels}
    return sizes | {"DWK_STRIDE": first.stride, "DWK_TOP": first.padding.top, "DWK_LEFT": first.padding.left}


def _ends(lowered: Lowered, ceiling: float) -> dict[str, Macros]:
    """What becomes of the sums of each layer, as macros: rounding and clamp, or the activation's end."""
    if not lowered.rounds:
        # A sum beyond the largest float16 becomes that, and not infinity.
        most = min(ceiling, float(np.finfo(np.float16).max))
        return {operation.layer.name: {"DWK_MOST": f"{most!r}f"} for operation in lowered.operations}
    found: dict[str, Macros] = {}
    for operation in lowered.operations:
        assert operation.rounding is not None
        found[operation.layer.name] = _rounding(operation.layer, operation.rounding)
    return found


def _rounding(layer: Layer, of: Rounding) -> Macros:
    macros: Macros = {"DWK_ZERO": of.zero_point, "DWK_LOW": of.low, "DWK_HIGH": of.high}
    return macros | ({"DWK_ROUNDED": int(of.rounded)} if layer.kind == "classifier" else {})


def _edges(layer: Layer, before: Layer | None, lowered: Lowered) -> Macros:
    """What stands around a layer's input; nothing where that is 0, or where nothing stands there."""
    if layer.kind == "stem":
        return {"DWK_EDGES": ", ".join(_number(value) for value in lowered.edge)}
    if layer.kind != "depthwise" or not lowered.rounds:
        return {}
    assert before is not None
    return {"DWK_EDGE": lowered.rounding(before).zero_point}


def _number(value: np.generic) -> str:
    """A byte, or a float32 in the digits that bring back its bits."""
    return str(value) if isinstance(value, np.integer) else f"{float(value).hex()}f"


def _bytes(step: Step, row: Row) -> int:
    """Of a step's output."""
    value = FLOAT if step.kind == "classifier" else row.feature if step.kind == "pool" else row.value
    return step.output.size * value


def _on_device(steps: list[Step], row: Row) -> tuple[dict[str, Region], int, dict[str, Region]]:
    """Where activations lie on the GPU, the bytes of all, and where each result lies among the results."""
    pool, classifier = steps[-2:]
    results = _one_behind_the_other({classifier.name: _bytes(classifier, row), pool.name: _bytes(pool, row)})
    values = [Value(name="pixels", bytes=steps[0].input.size, first=0, last=1)]
    for moment, step in enumerate(steps[:-2], start=1):
        values.append(Value(name=step.name, bytes=_bytes(step, row), first=moment, last=moment + 1))
    size = results[pool.name].offset + results[pool.name].bytes
    values.append(Value(name=RESULTS, bytes=size, first=len(steps) - 1, last=len(steps)))
    regions, total = place(values)
    start = regions[RESULTS].offset
    for name, region in results.items():
        regions[name] = Region(offset=start + region.offset, bytes=region.bytes)
    return regions, total, results


def _on_host(job: Compilation, steps: list[Step], results: Mapping[str, Region], choices: Choices) -> Plan:
    """The arena: the results as they are read back, then what else the functions of depthwise.h need."""
    sizes = {name: region.bytes for name, region in results.items()}
    sizes |= {STATUS: 4, "pixels": steps[0].input.size}
    if choices.parts.prepare:
        sizes["prepare"] = prepare_bytes(job.model.preprocessing, choices.parts.longest_side)
    sizes["probabilities"] = steps[-1].output.size * FLOAT
    regions = _one_behind_the_other(sizes)
    return Plan(
        precision=job.precision,
        machine=GPU,
        steps=tuple(steps),
        regions=regions,
        arena_bytes=max(_aligned(region.offset + region.bytes) for region in regions.values()),
        parts=choices.parts,
    )


def _one_behind_the_other(sizes: Mapping[str, int]) -> dict[str, Region]:
    found, start = {}, 0
    for name, size in sizes.items():
        found[name] = Region(offset=start, bytes=size)
        start = _aligned(start + size)
    return found


def _aligned(count: int) -> int:
    return math.ceil(count / ALIGNMENT) * ALIGNMENT
