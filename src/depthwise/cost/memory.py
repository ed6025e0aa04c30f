"""The least memory for activations, under three ways of running the table; closed formulas and one walk over rows.

These are bounds of the scheme, one image at a time. What a compiled artifact really takes is its arena, which
the artifact itself tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from depthwise.cost.formulas import Precision, working_bytes
from depthwise.network.layers import Layer, groups


@dataclass(frozen=True, kw_only=True)
class Peak:
    """The most bytes of activations alive at once, and the layer at which they are."""

    bytes: int
    layer: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """What runs as one: a depthwise layer with the pointwise one behind it, or any other layer by itself."""

    first: Layer
    last: Layer

    @property
    def scratch(self) -> int:
        """Values of one row of the depthwise output, all that is kept of it; 0 where nothing is fused."""
        return 0 if self.first is self.last else self.first.output.width * self.first.output.channels


@dataclass(frozen=True, kw_only=True)
class Need:
    """Bytes of activations that one step needs under each scheme; for a block, `name` is its place."""

    name: str
    layer_by_layer: int
    fused: int
    fused_in_place: int


def steps(table: tuple[Layer, ...]) -> tuple[Step, ...]:
    """The table with each depthwise layer and the pointwise one behind it made one step."""
    return tuple(Step(first=group[0], last=group[-1]) for group in groups(table))


def layer_by_layer(table: tuple[Layer, ...], sizes: Precision) -> Peak:
    """Each layer reads one whole buffer and writes another."""
    return _most((layer.name, working_bytes(layer, sizes)) for layer in table)


def fused(table: tuple[Layer, ...], sizes: Precision, *, scratch: int | None = None) -> Peak:
    """As `layer_by_layer`, but of a depthwise output only one row exists at a time.

    Args:
        table: the layers.
        sizes: bytes of an activation.
        scratch: bytes of one value of the depthwise row, where it is not an activation's.
    """
    row = sizes.activation if scratch is None else scratch
    return _most(
        (step.last.name, (step.first.input.size + step.last.output.size) * sizes.activation + step.scratch * row)
        for step in steps(table)
    )


def fused_in_place(table: tuple[Layer, ...], sizes: Precision, *, scratch: int | None = None) -> Peak:
    """As `fused`, and each row that is put out takes the place of input rows that nothing needs any more.

    The output grows from one end of the buffer, the input lies at the other; the next step goes the other way.
    Arguments as in `fused`.
    """
    row = sizes.activation if scratch is None else scratch
    return _most((step.last.name, max(_moments(step, sizes.activation, row))) for step in steps(table))


def needs(table: tuple[Layer, ...], sizes: Precision) -> tuple[Need, ...]:
    """What each step needs, in the order in which data flows; the peaks are the largest of these."""
    found = []
    for step in steps(table):
        own = (step.first,) if step.first is step.last else (step.first, step.last)
        found.append(
            Need(
                name=step.last.name.removesuffix(".conv_pw").removesuffix(".conv"),
                layer_by_layer=layer_by_layer(own, sizes).bytes,
                fused=fused(own, sizes).bytes,
                fused_in_place=fused_in_place(own, sizes).bytes,
            )
        )
    return tuple(found)


def _moments(step: Step, value: int, scratch: int) -> Iterator[int]:
    """Bytes alive at each moment of a step, `value` and `scratch` being bytes of one value."""
    window, output = step.first, step.last.output
    if step.last.kind in ("pool", "classifier"):
        yield (window.input.size + output.size) * value
        return
    in_row = window.input.width * window.input.channels * value
    out_row = output.width * output.channels * value
    kept = step.scratch * scratch
    for y in range(output.height):
        now, after = _rows_from(window, y), _rows_from(window, y + 1) if y + 1 < output.height else 0
        if kept:
            # The depthwise row goes to scratch, its input rows become free, the pointwise row is written.
            yield y * out_row + now * in_row + kept
            yield (y + 1) * out_row + after * in_row + kept
        else:
            yield (y + 1) * out_row + now * in_row


def _rows_from(layer: Layer, y: int) -> int:
    """Input rows that output rows from `y` on still read."""
    return layer.input.height - max(0, y * layer.stride - layer.padding.top)


def _most(candidates: Iterator[tuple[str, int]]) -> Peak:
    """The first of the largest."""
    layer, most = max(candidates, key=lambda candidate: candidate[1])
    return Peak(bytes=most, layer=layer)
