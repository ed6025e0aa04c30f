"""The records that the table, the JSON document and the page are all made from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction

from depthwise.cost import formulas, memory
from depthwise.cost.comparison import Pair, compare
from depthwise.cost.memory import Need, Peak
from depthwise.network.layers import KINDS, Kind, Layer, layers
from depthwise.network.spec import RESOLUTIONS, WIDTHS, Spec


@dataclass(frozen=True, kw_only=True)
class Row:
    """The cost of one layer; what each figure counts is said in `formulas`.

    Attributes:
        layer: the row of the network's table.
        macs, weights, parameters, statistics: counts.
        weight_bytes: constants of the compiled layer.
        activation_bytes: the layer's output.
        working_bytes: its input and its output.
    """

    layer: Layer
    macs: int
    weights: int
    parameters: int
    statistics: int
    weight_bytes: int
    activation_bytes: int
    working_bytes: int


@dataclass(frozen=True, kw_only=True)
class KindSum:
    """All layers of one kind together.

    Attributes:
        kind: the kind.
        layers: how many there are.
        macs, weights, parameters, weight_bytes: sums over them.
        macs_share, weights_share: their part of the whole network, 0 to 1.
    """

    kind: Kind
    layers: int
    macs: int
    weights: int
    parameters: int
    weight_bytes: int
    macs_share: Fraction
    weights_share: Fraction


@dataclass(frozen=True, kw_only=True)
class Totals:
    """A whole network for one image.

    Attributes:
        macs, weights, parameters, statistics, weight_bytes: sums over the layers.
        activation_bytes: sum of all outputs, as a training run keeps them.
        layer_by_layer, fused, fused_in_place: peaks of the schemes in `memory`.
    """

    macs: int
    weights: int
    parameters: int
    statistics: int
    weight_bytes: int
    activation_bytes: int
    layer_by_layer: Peak
    fused: Peak
    fused_in_place: Peak


@dataclass(frozen=True, kw_only=True)
class Member:
    """One network of the sweep over width and resolution."""

    spec: Spec
    totals: Totals


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything `depthwise cost` says of one network.

    Attributes:
        spec: the network.
        precision: name of the precision that the bytes are of.
        rows: one a layer, in the order in which data flows.
        kinds: one for each kind that the network has.
        nominal: totals by the formulas.
        live: totals after channels that are constant for every image are removed, which takes trained weights;
            None where no model has been analysed.
        live_rows: one a layer as `rows`, with the channels that are kept; empty where `live` is None.
        needs: bytes of activations step by step, under each scheme of `memory`.
        twin: the same network in the other form of convolution, and its totals.
        pairs: separable block against standard convolution, place by place.
        sweep: the family round this network, by width, then resolution.
    """

    spec: Spec
    precision: str
    rows: tuple[Row, ...]
    kinds: tuple[KindSum, ...]
    nominal: Totals
    live: Totals | None
    live_rows: tuple[Row, ...]
    needs: tuple[Need, ...]
    twin: Member
    pairs: tuple[Pair, ...]
    sweep: tuple[Member, ...]


def report(spec: Spec, *, precision: str = "float32", live: tuple[Layer, ...] | None = None) -> Report:
    """The cost of one network.

    Args:
        spec: the network.
        precision: one of `formulas.PRECISIONS`.
        live: the network's table with the channels that have to be computed, as `network.live` finds them in trained
            weights; None where there are none.
    Raises: Refused, for an unknown precision.
    """
    sizes = formulas.precision(precision)
    rows = tuple(_row(layer, sizes) for layer in layers(spec))
    other = dataclasses.replace(spec, convolution="standard" if spec.convolution == "separable" else "separable")
    return Report(
        spec=spec,
        precision=precision,
        rows=rows,
        kinds=_kinds(rows),
        nominal=totals(spec, sizes),
        live=None if live is None else _totals(live, sizes),
        live_rows=tuple(_row(layer, sizes) for layer in live or ()),
        needs=memory.needs(layers(spec), sizes),
        twin=Member(spec=other, totals=totals(other, sizes)),
        pairs=compare(spec),
        sweep=sweep(spec, sizes),
    )


def totals(spec: Spec, sizes: formulas.Precision) -> Totals:
    """Sums and peaks of one network."""
    return _totals(layers(spec), sizes)


def _totals(table: tuple[Layer, ...], sizes: formulas.Precision) -> Totals:
    rows = tuple(_row(layer, sizes) for layer in table)
    return Totals(
        macs=sum(row.macs for row in rows),
        weights=sum(row.weights for row in rows),
        parameters=sum(row.parameters for row in rows),
        statistics=sum(row.statistics for row in rows),
        weight_bytes=sum(row.weight_bytes for row in rows),
        activation_bytes=sum(row.activation_bytes for row in rows),
        layer_by_layer=memory.layer_by_layer(table, sizes),
        fused=memory.fused(table, sizes),
        fused_in_place=memory.fused_in_place(table, sizes),
    )


def sweep(spec: Spec, sizes: formulas.Precision) -> tuple[Member, ...]:
    """The published widths and resolutions, and the network's own, in every combination; all else as in `spec`."""
    widths = sorted({*WIDTHS, spec.width})
    resolutions = sorted({*RESOLUTIONS, spec.resolution})
    family = (dataclasses.replace(spec, width=w, resolution=r) for w in widths for r in resolutions)
    return tuple(Member(spec=member, totals=totals(member, sizes)) for member in family)


def _row(layer: Layer, sizes: formulas.Precision) -> Row:
    return Row(
        layer=layer,
        macs=formulas.macs(layer),
        weights=formulas.weights(layer),
        parameters=formulas.parameters(layer),
        statistics=formulas.statistics(layer),
        weight_bytes=formulas.weight_bytes(layer, sizes),
        activation_bytes=formulas.activation_bytes(layer, sizes),
        working_bytes=formulas.working_bytes(layer, sizes),
    )


def _kinds(rows: tuple[Row, ...]) -> tuple[KindSum, ...]:
    all_macs, all_weights = sum(row.macs for row in rows), sum(row.weights for row in rows)
    sums = []
    for kind in KINDS:
        own = tuple(row for row in rows if row.layer.kind == kind)
        if not own:
            continue
        macs, weights = sum(row.macs for row in own), sum(row.weights for row in own)
        sums.append(
            KindSum(
                kind=kind,
                layers=len(own),
                macs=macs,
                weights=weights,
                parameters=sum(row.parameters for row in own),
                weight_bytes=sum(row.weight_bytes for row in own),
                macs_share=Fraction(macs, all_macs),
                weights_share=Fraction(weights, all_weights),
            )
        )
    return tuple(sums)
