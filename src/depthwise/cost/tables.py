"""A report as tables of text, for the terminal and the page."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from depthwise.cost.report import Member, Report, Row
from depthwise.cost.text import millions, number, percent, size, whole, window
from depthwise.tables import Column, Table

# Heading, whether it is text, the cell of a row. Columns that only a wide table has are in `_WIDE`.
_LAYER: tuple[tuple[str, bool, Callable[[Row], str]], ...] = (
    ("layer", True, lambda row: row.layer.name),
    ("kind", True, lambda row: row.layer.kind),
    ("window", True, lambda row: window(row.layer)),
    ("input", True, lambda row: str(row.layer.input)),
    ("output", True, lambda row: str(row.layer.output)),
    ("multiply-adds", False, lambda row: whole(row.macs)),
    ("parameters", False, lambda row: whole(row.parameters)),
    ("weights B", False, lambda row: whole(row.weight_bytes)),
    ("output B", False, lambda row: whole(row.activation_bytes)),
    ("in+out B", False, lambda row: whole(row.working_bytes)),
)
_WIDE = ("kind", "window", "input", "weights B", "output B", "channels")
# What stands beside the multiply-adds where a trained model was analysed: heading, cell of a row and of its live form.
_LIVE: tuple[tuple[str, Callable[[Row, Row], str]], ...] = (
    ("live", lambda row, kept: whole(kept.macs)),
    ("channels", lambda row, kept: f"{kept.layer.output.channels} of {row.layer.output.channels}"),
)


def layer_table(report: Report, *, wide: bool = True) -> Table:
    """One row a layer, and the sum; where not `wide`, what the layer's name says as well is left out.

    Of a trained model, `live` has the multiply-adds that are left and `channels` how many of the outputs are.
    """
    cells = {heading: [cell(row) for row in report.rows] for heading, _, cell in _LAYER}
    pairs = list(zip(report.rows, report.live_rows, strict=True)) if report.live_rows else []
    cells |= {heading: [cell(row, kept) for row, kept in pairs] for heading, cell in _LIVE if pairs}
    texts = {heading for heading, is_text, _ in _LAYER if is_text}
    order = [heading for heading, _, _ in _LAYER]
    after = order.index("multiply-adds") + 1
    order[after:after] = [heading for heading in cells if heading not in order]
    chosen = [heading for heading in order if wide or heading not in _WIDE]
    totals = report.nominal
    sums = {
        "layer": "all",
        "multiply-adds": whole(totals.macs),
        "live": "" if report.live is None else whole(report.live.macs),
        "parameters": whole(totals.parameters),
        "weights B": whole(totals.weight_bytes),
        "output B": whole(totals.activation_bytes),
        "in+out B": f"peak {whole(totals.layer_by_layer.bytes)}" if wide else whole(totals.layer_by_layer.bytes),
    }
    rows = zip(*(cells[heading] for heading in chosen), strict=True)
    return Table(
        title=f"Layer by layer, bytes in {report.precision} (the last column's sum is its peak)",
        columns=tuple(Column(heading=heading, is_text=heading in texts) for heading in chosen),
        rows=(*rows, tuple(sums.get(heading, "") for heading in chosen)),
        last_is_sum=True,
    )


def kind_table(report: Report) -> Table:
    """One row a kind: its share of multiply-adds, and of weights without batch normalisation and bias."""
    headings = ("kind", "layers", "multiply-adds", "of all", "weights", "of all", "parameters")
    return Table(
        title="By kind",
        columns=tuple(Column(heading=heading, is_text=heading == "kind") for heading in headings),
        rows=tuple(
            (
                kind.kind,
                str(kind.layers),
                whole(kind.macs),
                percent(kind.macs_share),
                whole(kind.weights),
                percent(kind.weights_share),
                whole(kind.parameters),
            )
            for kind in report.kinds
        ),
    )


def pair_table(report: Report) -> Table:
    """Separable against standard, place by place."""
    headings = ("place", "N", "separable", "standard", "counted", "1/N + 1/9")
    rows = []
    for pair in report.pairs:
        formula = "" if pair.formula is None else f"{pair.formula} = {float(pair.formula):.5f}"
        counted = "same layer" if pair.formula is None else f"{float(pair.count):.5f}"
        standard = whole(pair.standard_macs)
        rows.append((pair.place, str(pair.output.channels), whole(pair.separable_macs), standard, counted, formula))
    separable, standard_sum = (sum(p.separable_macs for p in report.pairs), sum(p.standard_macs for p in report.pairs))
    rows.append(("all", "", whole(separable), whole(standard_sum), f"{separable / standard_sum:.5f}", ""))
    return Table(
        title="Multiply-adds against the form of standard convolutions",
        columns=tuple(Column(heading=heading, is_text=heading == "place") for heading in headings),
        rows=tuple(rows),
        last_is_sum=True,
    )


def sweep_table(report: Report) -> Table:
    """One row a network of the family."""
    headings = ("α", "resolution", "ρ", "multiply-adds", "parameters", "weights", "peak", "in place")
    return Table(
        title=f"The family over α and ρ, bytes in {report.precision}",
        columns=tuple(Column(heading=heading) for heading in headings),
        rows=tuple(_member(member) for member in report.sweep),
    )


def summary(report: Report) -> tuple[str, ...]:
    """What to know of the network, in sentences."""
    totals, twin = report.nominal, report.twin
    memory = (
        f"Peak of activations in {report.precision}: {size(totals.layer_by_layer.bytes)} layer by layer"
        f" (at {totals.layer_by_layer.layer}), {size(totals.fused.bytes)} with each depthwise output fused away,"
        f" {size(totals.fused_in_place.bytes)} with rows put out over consumed input."
    )
    ratio = twin.totals.macs / totals.macs
    more = f"{ratio:.2f}× as many" if ratio >= 1 else f"{1 / ratio:.2f}× fewer"
    return (
        f"{whole(totals.macs)} multiply-adds and {whole(totals.parameters)} parameters"
        f" ({whole(totals.weights)} weights; {whole(totals.statistics)} batch statistics come on top);"
        f" {size(totals.weight_bytes)} of weights in {report.precision}. An artifact has its code and labels besides,"
        " and may hold weights in a larger form that suits its processor: `depthwise compile` says so.",
        *live_summary(report),
        memory,
        f"With {twin.spec.convolution} convolutions it would be {millions(twin.totals.macs)} multiply-adds, {more},"
        f" and {millions(twin.totals.parameters)} parameters.",
    )


def live_summary(report: Report) -> tuple[str, ...]:
    """What is left of a trained network, in a sentence; none where no model was analysed."""
    if report.live is None:
        return ()
    pairs = list(zip(report.rows, report.live_rows, strict=True))
    gone = sum(row.layer.output.channels - kept.layer.output.channels for row, kept in pairs)
    if not gone:
        return (
            "Every channel of the trained network can change from image to image: live figures are the nominal ones.",
        )
    share = Fraction(report.live.macs, report.nominal.macs)
    return (
        f"Live: {whole(report.live.macs)} multiply-adds, {percent(share)} of them, and {size(report.live.weight_bytes)}"
        f" compiled: {whole(gone)} of {whole(sum(row.layer.output.channels for row, _ in pairs))} channels provably"
        " never change, or are read by none that does.",
    )


def _member(member: Member) -> tuple[str, ...]:
    totals = member.totals
    return (
        number(member.spec.width),
        str(member.spec.resolution),
        f"{member.spec.rho:.3f}",
        whole(totals.macs),
        whole(totals.parameters),
        size(totals.weight_bytes),
        size(totals.layer_by_layer.bytes),
        size(totals.fused_in_place.bytes),
    )
