"""C text of the matrix products of a step, and what of them a thread computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from depthwise.compiler.emit.ctext import Lines
from depthwise.compiler.emit.dialect import Dialect
from depthwise.compiler.plan.forms import Form
from depthwise.compiler.step import Step


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one call computes of a product.

    Attributes:
        count: C expression, how many panels, or pairs of them.
        channels: output channels of the calls before it.
        own: C expression, those of other threads before this one's; empty where there is one thread.
    """

    count: str
    channels: int
    own: str = ""

    @property
    def behind(self) -> str:
        """What is added to the address of the first output channel."""
        return (f" + {self.channels}" if self.channels else "") + (f" + {self.own}" if self.own else "")


def phase(out: Lines, step: Step) -> AbstractContextManager[None]:
    """What is added inside is done once for each part that a thread takes, and is over when all parts are done."""
    return out.block("while (dwk_takes(worker)) {") if step.split else nullcontext()


def emit_products(
    out: Lines, step: Step, used: tuple[Form, ...], rows: str, source: str, at_output: str, dialect: Dialect
) -> None:
    """One call for each group of panels."""
    last = step.layers[-1]
    strassen = 0 if step.strassen is None else sum(group.count * group.channels for group in step.strassen.panels)
    for form, part in zip(used, parts(out, step), strict=True):
        weights = dialect.weights(last, part.channels, step.kernels[-1], strassen=strassen, own=part.own)
        target = dialect.round("rounding") + at_output + part.behind
        if part.channels < strassen:
            tiles = "0, 0" if step.split == "channels" else f"0, {rows} * W"
            sums = "sums + y * W * C" if step.split == "rows" else "sums"
            out.add(
                f"{form.name}(&product, {tiles}, {part.count}, {rows}, {source}, {sums},",
                f"    {weights}, {target});",
            )
        else:
            out.add(f"{form.name}(&product, {part.count}, {rows}, {source},", f"    {weights}, {target});")


def parts(out: Lines, step: Step) -> Iterator[Part]:
    """What a thread computes of each group of panels; appends the constants that it takes."""
    units = list(_units(step))
    if step.split == "channels":
        out.add(f"const dwk_part panels = dwk_own(worker, {sum(count for count, _ in units)}, 1);")
    before = channels = 0
    for number, (count, size) in enumerate(units):
        if step.split == "channels":
            name = "panels" if len(units) == 1 else f"panels_{number}"
            if len(units) > 1:
                out.add(f"const dwk_part {name} = dwk_within(panels, {before}, {count});")
            yield Part(count=f"{name}.end - {name}.first", channels=channels, own=f"{name}.first * {size}")
        else:
            yield Part(count=str(count), channels=channels)
        before += count
        channels += count * size


def _units(step: Step) -> Iterator[tuple[int, int]]:
    """For each group of panels how many units it has that threads can share, and the channels of one of them.

    A unit is a panel; in Strassen's products a pair of them.
    """
    assert step.tiling is not None
    if step.strassen is not None:
        yield from ((group.count // 2, 2 * group.channels) for group in step.strassen.panels)
    yield from ((group.count, group.channels) for group in step.tiling.panels)


def emit_sums(out: Lines, step: Step, form: Form, rows: str, source: str, at_output: str, dialect: Dialect) -> None:
    """The sums of pixels that all of Strassen's products need, where threads share channels of these."""
    assert step.strassen is not None
    shape = step.output.shape
    pairs = step.rows * (shape.width // step.strassen.pixels) // 2
    out.add(
        f"const dwk_part tiles = dwk_own(worker, {pairs}, 1);",
        f"{form.name}(&product, tiles.first, tiles.end, 0, {rows}, {source}, sums,",
        f"    {dialect.weights(step.layers[-1])}, {at_output});",
    )
