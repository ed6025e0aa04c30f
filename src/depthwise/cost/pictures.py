"""Geometry of the page's pictures: what stands where, in units of the SVG; the template only draws it.

Every picture is `WIDTH` units wide, which is the page's width in CSS pixels on a desk.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from depthwise.cost.comparison import Pair
from depthwise.cost.report import KindSum, Member, Report, Row
from depthwise.cost.text import millions, number, percent, size, whole

WIDTH = 920.0
# A segment narrower than this has no room for its label.
LABELLED = 70.0


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A horizontal bar: where it starts, how long it is, what is written by it and shown when one points at it."""

    x: float
    length: float
    kind: str
    label: str
    hint: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a picture with several bars side by side."""

    y: float
    name: str
    note: str
    bars: tuple[Bar, ...]
    is_new_size: bool = False


@dataclass(frozen=True, kw_only=True)
class Column:
    """A group of columns that stand side by side from `x` on."""

    x: float
    name: str
    heights: tuple[float, ...]
    hints: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One network on the map of widths and resolutions; `shade` is 0 for the cheapest and 1 for the dearest."""

    x: float
    y: float
    width: float
    height: float
    shade: float
    is_own: bool
    lines: tuple[str, ...]
    hint: str


@dataclass(frozen=True, kw_only=True)
class Map:
    """The family: cells, and the headings of columns and rows with the middle of each."""

    cells: tuple[Cell, ...]
    columns: tuple[tuple[float, str], ...]
    rows: tuple[tuple[float, str], ...]
    height: float


def shares(report: Report) -> tuple[Line, ...]:
    """Two full bars, of multiply-adds and of weights, cut by kind."""
    share_of: tuple[tuple[str, str, Callable[[KindSum], tuple[int, float]]], ...] = (
        ("multiply-adds", whole(report.nominal.macs), lambda kind: (kind.macs, float(kind.macs_share))),
        ("weights", whole(report.nominal.weights), lambda kind: (kind.weights, float(kind.weights_share))),
    )
    lines = []
    for place, (name, note, share) in enumerate(share_of):
        bars, x = [], 0.0
        for kind in report.kinds:
            count, part = share(kind)
            length = WIDTH * part
            label = f"{kind.kind} {100 * part:.2f} %" if length > LABELLED + 40 else ""
            hint = f"{kind.kind}: {whole(count)} {name}, {100 * part:.3f} %"
            bars.append(Bar(x=x, length=length, kind=kind.kind, label=label, hint=hint))
            x += length
        lines.append(Line(y=24 + 74 * place, name=name, note=note, bars=tuple(bars)))
    return tuple(lines)


def depth(report: Report) -> tuple[Line, ...]:
    """One line a layer, three bars in each: multiply-adds, bytes of weights, bytes of input and output."""
    tracks: tuple[tuple[float, Callable[[Row], int], Callable[[int], str], str], ...] = (
        (270, lambda row: row.macs, millions, "multiply-adds"),
        (495, lambda row: row.weight_bytes, size, "bytes of weights"),
        (720, lambda row: row.working_bytes, size, "bytes of input and output"),
    )
    most = [max(map(measure, report.rows)) for _, measure, _, _ in tracks]
    lines, before = [], report.spec.resolution
    for index, row in enumerate(report.rows):
        bars = tuple(
            Bar(
                x=x,
                length=132 * measure(row) / top,
                kind=row.layer.kind,
                label=written(measure(row)),
                hint=f"{row.layer.name}: {whole(measure(row))} {unit}",
            )
            for (x, measure, written, unit), top in zip(tracks, most, strict=True)
        )
        height = row.layer.output.height
        lines.append(
            Line(
                y=34 + 22 * index,
                name=row.layer.name,
                note=str(row.layer.output),
                bars=bars,
                is_new_size=height != before,
            )
        )
        before = height
    return tuple(lines)


def memory(report: Report) -> tuple[Column, ...]:
    """One group a step, three columns in each: the schemes `layered`, `fused` and `placed`."""
    top = max(max(need.layer_by_layer, need.fused) for need in report.needs)
    wide = WIDTH / len(report.needs)
    columns = []
    for index, need in enumerate(report.needs):
        heights = (need.layer_by_layer, need.fused, need.fused_in_place)
        columns.append(
            Column(
                x=wide * index,
                name=need.name.removeprefix("blocks.").removeprefix("conv_").removeprefix("global_"),
                heights=tuple(170 * height / top for height in heights),
                hints=tuple(
                    f"{need.name}: {whole(height)} bytes {scheme}"
                    for height, scheme in zip(heights, ("layer by layer", "fused", "fused, in place"), strict=True)
                ),
            )
        )
    return tuple(columns)


def pairs(report: Report) -> tuple[Line, ...]:
    """One line a block: the standard convolution's bar, then depthwise and pointwise in a row below it."""
    blocks = [pair for pair in report.pairs if pair.formula is not None]
    top = max(pair.standard_macs for pair in blocks)
    lines = []
    for index, pair in enumerate(blocks):
        depthwise, pointwise = split(pair)
        scale = 430 / top
        hint = f"{pair.place}: {whole(pair.separable_macs)} instead of {whole(pair.standard_macs)} multiply-adds"
        bars = (
            Bar(
                x=110, length=pair.standard_macs * scale, kind="standard", label=millions(pair.standard_macs), hint=hint
            ),
            Bar(x=110, length=depthwise * scale, kind="depthwise", label="", hint=hint),
            Bar(
                x=110 + depthwise * scale,
                length=pointwise * scale,
                kind="pointwise",
                label=millions(pair.separable_macs),
                hint=hint,
            ),
        )
        note = f"1/{pair.output.channels} + 1/{pair.kernel**2} = {pair.formula} = {float(pair.count):.5f}"
        lines.append(Line(y=30 + 40 * index, name=pair.place, note=note, bars=bars))
    return tuple(lines)


def split(pair: Pair) -> tuple[int, int]:
    """Multiply-adds of the depthwise and of the pointwise layer of a block."""
    depthwise = pair.kernel**2 * pair.output.height * pair.output.width * pair.input.channels
    return depthwise, pair.separable_macs - depthwise


def family_map(report: Report) -> Map:
    """Width downwards, resolution to the right; the darker, the more multiply-adds, on a logarithmic scale."""
    widths = sorted({member.spec.width for member in report.sweep}, reverse=True)
    resolutions = sorted({member.spec.resolution for member in report.sweep})
    left, top, high = 70.0, 40.0, 74.0
    wide = (WIDTH - left) / len(resolutions)
    logs = [math.log(member.totals.macs) for member in report.sweep]
    low, span = min(logs), max(logs) - min(logs) or 1
    cells = tuple(
        Cell(
            x=left + wide * resolutions.index(member.spec.resolution),
            y=top + high * widths.index(member.spec.width),
            width=wide - 4,
            height=high - 4,
            shade=(log - low) / span,
            is_own=(member.spec.width, member.spec.resolution) == (report.spec.width, report.spec.resolution),
            lines=(millions(member.totals.macs), f"{millions(member.totals.parameters)} parameters", _memory(member)),
            hint=_hint(member),
        )
        for member, log in zip(report.sweep, logs, strict=True)
    )
    return Map(
        cells=cells,
        columns=tuple(
            (left + wide * (i + 0.5) - 2, f"{pixels} px, ρ {pixels / 224:.3f}") for i, pixels in enumerate(resolutions)
        ),
        rows=tuple((top + high * (i + 0.5) - 2, f"α {number(width)}") for i, width in enumerate(widths)),
        height=top + high * len(widths),
    )


def example(report: Report) -> Pair:
    """The block for the formulas: the one that the network has most often, and of those the first."""
    blocks = [pair for pair in report.pairs if pair.formula is not None]
    often = Counter((pair.input, pair.output) for pair in blocks)
    return max(blocks, key=lambda pair: often[pair.input, pair.output])


def _memory(member: Member) -> str:
    return f"{size(member.totals.layer_by_layer.bytes)} peak"


def _hint(member: Member) -> str:
    totals = member.totals
    counts = f"{whole(totals.macs)} multiply-adds, {whole(totals.parameters)} parameters"
    return f"{counts}, {size(totals.weight_bytes)} of weights"


def legend(report: Report) -> tuple[tuple[str, str], ...]:
    """Kinds that have a cost, and their share of multiply-adds and weights in words."""
    return tuple(
        (kind.kind, f"{percent(kind.macs_share)} of multiply-adds, {percent(kind.weights_share)} of weights")
        for kind in report.kinds
        if kind.macs
    )
