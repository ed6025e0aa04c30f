"""A report as one JSON document; docs/cost.md describes its fields."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

from depthwise.cost import formulas
from depthwise.cost.comparison import Pair
from depthwise.cost.memory import Peak
from depthwise.cost.report import KindSum, Member, Report, Row, Totals
from depthwise.network.layers import Shape

SCHEMA = 1


def document(report: Report, *, compare: bool = False, sweep: bool = False) -> dict[str, Any]:
    """The report as JSON values; counts are whole numbers, shares are percentages.

    Args:
        report: what to say.
        compare: put in `comparison`, the standard form place by place.
        sweep: put in `sweep`, the family over width and resolution.
    """
    said: dict[str, Any] = {
        "schema": SCHEMA,
        "network": report.spec.to_dict(),
        "precision": report.precision,
        "totals": _totals(report.nominal),
        "live": None if report.live is None else _totals(report.live),
        "kinds": [_kind(kind) for kind in report.kinds],
        "layers": _layers(report),
        "memory": [dataclasses.asdict(need) for need in report.needs],
        "twin": {"convolution": report.twin.spec.convolution, "totals": _totals(report.twin.totals)},
    }
    if compare:
        said["comparison"] = [_pair(pair) for pair in report.pairs]
    if sweep:
        said["sweep"] = [_member(member) for member in report.sweep]
    return said


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "macs": totals.macs,
        "weights": totals.weights,
        "parameters": totals.parameters,
        "statistics": totals.statistics,
        "weight_bytes": totals.weight_bytes,
        "activation_bytes": totals.activation_bytes,
        "peak_bytes": {
            "layer_by_layer": _peak(totals.layer_by_layer),
            "fused": _peak(totals.fused),
            "fused_in_place": _peak(totals.fused_in_place),
        },
    }


def _peak(peak: Peak) -> dict[str, Any]:
    return {"bytes": peak.bytes, "layer": peak.layer}


def _kind(kind: KindSum) -> dict[str, Any]:
    return {
        "kind": kind.kind,
        "layers": kind.layers,
        "macs": kind.macs,
        "macs_percent": float(100 * kind.macs_share),
        "weights": kind.weights,
        "weights_percent": float(100 * kind.weights_share),
        "parameters": kind.parameters,
        "weight_bytes": kind.weight_bytes,
    }


def _layers(report: Report) -> list[dict[str, Any]]:
    """One entry a layer; `live` has what is left of it, or is null where no trained model was analysed."""
    left = report.live_rows or (None,) * len(report.rows)
    return [
        {**_row(row), "live": None if kept is None else _live(kept)}
        for row, kept in zip(report.rows, left, strict=True)
    ]


def _live(row: Row) -> dict[str, Any]:
    return {
        "input": _shape(row.layer.input),
        "output": _shape(row.layer.output),
        "macs": row.macs,
        "weights": row.weights,
        "weight_bytes": row.weight_bytes,
    }


def _row(row: Row) -> dict[str, Any]:
    layer = row.layer
    is_convolution = layer.kind not in ("pool", "classifier")
    return {
        "name": layer.name,
        "kind": layer.kind,
        "input": _shape(layer.input),
        "output": _shape(layer.output),
        "kernel": layer.kernel,
        "stride": layer.stride,
        "macs": row.macs,
        "weights": row.weights,
        "parameters": row.parameters,
        "statistics": row.statistics,
        "weight_bytes": row.weight_bytes,
        "activation_bytes": row.activation_bytes,
        "working_bytes": row.working_bytes,
        "im2col_values": formulas.im2col_values(layer) if is_convolution else None,
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "place": pair.place,
        "input": _shape(pair.input),
        "output": _shape(pair.output),
        "stride": pair.stride,
        "separable_macs": pair.separable_macs,
        "standard_macs": pair.standard_macs,
        "separable_weights": pair.separable_weights,
        "standard_weights": pair.standard_weights,
        "ratio_counted": _ratio(pair.count),
        "ratio_formula": None if pair.formula is None else _ratio(pair.formula),
    }


def _ratio(ratio: Fraction) -> dict[str, Any]:
    return {"numerator": ratio.numerator, "denominator": ratio.denominator, "value": float(ratio)}


def _member(member: Member) -> dict[str, Any]:
    return {
        "width": member.spec.width,
        "resolution": member.spec.resolution,
        "rho": member.spec.rho,
        **_totals(member.totals),
    }


def _shape(shape: Shape) -> list[int]:
    return [shape.height, shape.width, shape.channels]
