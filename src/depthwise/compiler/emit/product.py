"""C text of the matrix products of a step, and what of them a thread computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from depthwise.compiler.emit.ctext import Lines
from depthwise.compiler.emit.dialect import Dialect
from depthwise.compiler.emit.wide import wide_product
from depthwise.compiler.step import Call, Step
from depthwise.kernels.tiling import Tiling


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one call computes of a product.

    Attributes:
        call: of the plan.
        count: C expression, how many panels, or pairs of them.
        channels: output channels of the calls before it.
        own: C expression, those of other threads before this one's; empty where there is one thread.
        end: C expression, the first channel behind this call's.
        distance: values from an output channel to the next.
    """

    call: Call
    count: str
    channels: int
    own: str = ""
    end: str = ""
    distance: int = 1

    @property
    def behind(self) -> str:
        """What is added to the address of the first output channel."""
        times = f" * {self.distance}" if self.distance > 1 else ""
        return "".join(f" + {channels}{times}" for channels in (self.channels, self.own) if channels)

    @property
    def range(self) -> str:
        """C arguments, this call's first output channel and the end of them."""
        first = f"{self.channels} + {self.own}" if self.own else str(self.channels)
        return f"{first}, {self.end}"


def phase(out: Lines, step: Step) -> AbstractContextManager[None]:
    """What is added inside is done once for each part that a thread takes, and is over when all parts are done."""
    return out.block("while (dwk_takes(worker)) {") if step.split else nullcontext()


def emit_products(out: Lines, step: Step, rows: str, source: str, at_output: str, dialect: Dialect) -> None:
    """One call for each group of panels."""
    strassen = 0 if step.strassen is None else sum(group.count * group.channels for group in step.strassen.panels)
    for part in parts(out, step):
        name, weights = part.call.form.name, dialect.weights(step, part.call, part.own)
        target = dialect.round("rounding") + at_output + part.behind
        if part.channels < strassen:
            tiles = "0, 0" if step.split == "channels" else f"0, {rows} * W"
            sums = "sums + y * W * C" if step.split == "rows" else "sums"
            out.add(
                f"{name}(&product, {tiles}, {part.count}, {rows}, {source}, {sums},",
                f"    {weights}, {target});",
            )
        else:
            out.add(f"{name}(&product, {part.count}, {rows}, {source},", f"    {weights}, {target});")
        wide_product(out, step, rows, source, at_output, part.range, dialect)


def parts(out: Lines, step: Step) -> Iterator[Part]:
    """What a thread computes of each group of panels; appends the constants that it takes."""
    calls = [call for call in step.calls if call.layer == step.layers[-1].name]
    if step.split == "channels":
        out.add(f"const dwk_part panels = dwk_own(worker, {sum(call.units for call in calls)}, 1);")
    before, channels, distance = 0, 0, step.output.channel
    for number, call in enumerate(calls):
        if step.split == "channels":
            name = "panels" if len(calls) == 1 else f"panels_{number}"
            if len(calls) > 1:
                out.add(f"const dwk_part {name} = dwk_within(panels, {before}, {call.units});")
            own = f"{name}.first * {call.size}"
            end = f"{channels} + {name}.end * {call.size}"
            count = f"{name}.end - {name}.first"
            yield Part(call=call, count=count, channels=channels, own=own, end=end, distance=distance)
        else:
            end = str(channels + call.units * call.size)
            yield Part(call=call, count=str(call.units), channels=channels, end=end, distance=distance)
        before += call.units
        channels += call.units * call.size


def emit_sums(
    out: Lines, step: Step, strassen: Tiling, rows: str, source: str, at_output: str, dialect: Dialect
) -> None:
    """The sums of pixels that all of Strassen's products need, where threads share channels of these."""
    shape, call = step.output.shape, step.calls[1]
    pairs = step.rows * (shape.width // strassen.pixels) // 2
    out.add(
        f"const dwk_part tiles = dwk_own(worker, {pairs}, 1);",
        f"{call.form.name}(&product, tiles.first, tiles.end, 0, {rows}, {source}, sums,",
        f"    {dialect.weights(step, call)}, {at_output});",
    )
