"""Measurements as tables and as one JSON document, both from the same record; docs/bench.md describes the fields."""

from __future__ import annotations

import dataclasses
from typing import Any

from depthwise.bench.grid import Grid
from depthwise.bench.machine import Machine
from depthwise.bench.peers import OWN
from depthwise.bench.results import Measurement, Ratios, Result, lead, lead_by_rounds
from depthwise.bench.twin import Twins
from depthwise.tables import Column, Table

SCHEMA = 3
NONE = "-"


def document(measurement: Measurement, machine: Machine) -> dict[str, Any]:
    """One network as JSON values."""
    return {"schema": SCHEMA, "machine": dataclasses.asdict(machine), **_measurement(measurement)}


def grid_document(grid: Grid, machine: Machine) -> dict[str, Any]:
    """The family as JSON values."""
    threads = grid.measurements[0].threads
    return {
        "schema": SCHEMA,
        "machine": dataclasses.asdict(machine),
        "networks": [_measurement(measurement) for measurement in grid.measurements],
        "geometric_mean": {str(count): grid.mean(count) for count in threads},
        "geometric_mean_by_rounds": {str(count): grid.mean(count, lead_by_rounds) for count in threads},
        "least": {str(count): min(grid.leads(count), default=None) for count in threads},
    }


def tables(measurement: Measurement) -> tuple[Table, ...]:
    """One table a thread count, then first answers and memory, then time by kind of layer."""
    found = [_times(measurement, threads) for threads in measurement.threads]
    found.append(_footprint(measurement))
    if measurement.kinds:
        found.append(_kinds(measurement))
    return tuple(found)


def twin_table(twins: Twins) -> Table:
    """Both networks, and what the formula promises beside what the clock says."""
    rows = [
        (
            twin.convolution,
            f"{twin.multiply_adds / 1e6:.1f}",
            milliseconds(twin.times.fastest),
            milliseconds(twin.times.median),
            NONE if (share := twin.share(twins.peak)) is None else f"{share:.1%}",
        )
        for twin in (twins.separable, twins.standard)
    ]
    rows.append(("standard / separable", f"{twins.promised:.2f}", f"{twins.measured:.2f}", "", ""))
    numbers = ("multiply-adds M", "ms least", "ms median", "share of peak")
    return Table(
        title="Beside the twin of standard convolutions, random weights, 1 thread",
        columns=(Column(heading="convolutions", is_text=True), *(Column(heading=heading) for heading in numbers)),
        rows=tuple(rows),
        last_is_sum=True,
    )


def twin_document(twins: Twins) -> dict[str, Any]:
    """The same as JSON values."""
    plain = dataclasses.asdict(twins)
    return {**plain, "promised": twins.promised, "measured": twins.measured}


def remarks(measurement: Measurement) -> tuple[str, ...]:
    """Lines under the tables: the lead, the machine's limit, who is left out and why."""
    lines = [f"ours ran at level {measurement.level}"] if measurement.level else []
    lines += tile_lines(measurement)
    for threads in measurement.threads:
        ratio, best = lead(measurement, threads), measurement.best_peer(threads)
        rounds = lead_by_rounds(measurement, threads)
        if ratio is not None and best is not None and rounds is not None:
            fast = f"{ratio:.2f} times as fast as the fastest peer, {best.name}"
            lines.append(f"{_threads(threads)}: {fast}; by rounds {rounds:.2f} times")
        peak = measurement.peak(threads)
        if peak is None:
            lines.append(
                f"{_threads(threads)}: this processor has no instruction for {measurement.precision}, so no peak"
            )
        else:
            rate = f"{peak.per_second / 1e9:.1f} G multiply-adds a second"
            lines.append(f"{_threads(threads)}: peak {rate}, measured with {peak.instruction}")
    if measurement.live_multiply_adds < measurement.multiply_adds:
        part = measurement.live_multiply_adds / measurement.multiply_adds
        lines.append(
            f"ours computes {part:.1%} of the multiply-adds, the rest provably never changes; --keep-dead: all"
        )
    for left in measurement.left_out:
        on = f" on {_threads(left.threads)}" if left.threads is not None else ""
        lines.append(f"left out{on}: {left.name}: {left.reason}")
    return (*lines, *measurement.notes)


def tile_lines(measurement: Measurement) -> list[str]:
    """A line that says who asked for tiles, where anybody did."""
    told = {result.name: result.asked_for_tiles for result in measurement.results}
    asked = [name for name, has in told.items() if has]
    others = [name for name, has in told.items() if not has]
    if not asked:
        return []
    return [f"tiles (AMX) were asked for by {', '.join(asked)}" + (f", not by {', '.join(others)}" if others else "")]


def grid_table(grid: Grid, threads: int) -> Table:
    """One row a network."""
    rows = [_grid_row(measurement, threads) for measurement in grid.measurements]
    mean = grid.mean(threads)
    rounds = grid.mean(threads, lead_by_rounds)
    rows.append(("geometric mean", *[""] * 4, _ratio(mean), _ratio(rounds), ""))
    numbers = ("multiply-adds M", "ours ms", "fastest peer ms", "peer", "times ours", "by rounds", "share of peak")
    precision = grid.measurements[0].precision
    return Table(
        title=f"{precision} on {_threads(threads)}, random weights, least times",
        columns=(Column(heading="network", is_text=True), *(Column(heading=heading) for heading in numbers)),
        rows=tuple(rows),
        last_is_sum=True,
    )


def grid_remarks(grid: Grid) -> tuple[str, ...]:
    """Lines under the table, each once: our levels, who asked for tiles, who is left out and why."""
    found: dict[str, None] = {}
    for one in grid.measurements:
        lines = [f"ours ran at level {one.level}"] if one.level else []
        lines += [*tile_lines(one), *(f"left out: {left.name}: {left.reason}" for left in one.left_out)]
        found.update(dict.fromkeys(lines))
    return tuple(found)


def _times(measurement: Measurement, threads: int) -> Table:
    ratios = ("times ours", "by median", "by rounds", "input given")
    numbers = ("ms least", "ms median", "input ms", *ratios, "G/s", "share of peak")
    return Table(
        title=f"{measurement.name}, {measurement.precision}, {_threads(threads)}",
        columns=(
            Column(heading="contender", is_text=True),
            Column(heading="form", is_text=True),
            *(Column(heading=heading) for heading in numbers),
        ),
        rows=tuple(_time_row(measurement, result) for result in measurement.of(threads)),
    )


def _time_row(measurement: Measurement, result: Result) -> tuple[str, ...]:
    ratios, share = measurement.ratios(result), measurement.share(result)
    times, network = result.times, result.network
    return (
        f"{result.name} {result.version}",
        result.form,
        milliseconds(times.fastest),
        milliseconds(times.median),
        milliseconds(max(0.0, times.fastest - network.fastest)),
        *([NONE] * 4 if ratios is None else map(_ratio, _in_order(ratios))),
        f"{measurement.per_second(result) / 1e9:.1f}",
        NONE if share is None else f"{share:.1%}",
    )


def _in_order(ratios: Ratios) -> tuple[float, ...]:
    return ratios.fastest, ratios.median, ratios.rounds, ratios.network


def _ratio(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def _footprint(measurement: Measurement) -> Table:
    threads = measurement.threads[0]
    rows = [
        (
            result.name,
            milliseconds(result.first.fastest),
            milliseconds(result.first.median),
            NONE if result.memory_bytes is None else megabytes(result.memory_bytes),
            megabytes(result.file_bytes),
            megabytes(result.runtime_bytes),
        )
        for result in measurement.of(threads)
    ]
    if (program := measurement.program) is not None:
        memory = NONE if program.memory_bytes is None else megabytes(program.memory_bytes)
        first = (milliseconds(program.first.fastest), milliseconds(program.first.median))
        rows.insert(1, (f"{OWN}, no Python", *first, memory, megabytes(program.file_bytes), megabytes(0)))
    numbers = ("first answer ms", "median", "memory MB", "network MB", "installed MB")
    return Table(
        title="From the start of a process: first answer, and memory",
        columns=(Column(heading="contender", is_text=True), *(Column(heading=heading) for heading in numbers)),
        rows=tuple(rows),
    )


def _kinds(measurement: Measurement) -> Table:
    return Table(
        title="Our time by kind of layer",
        columns=(
            Column(heading="kind", is_text=True),
            *(Column(heading=heading) for heading in ("ms", "share of time", "share of multiply-adds")),
        ),
        rows=tuple(
            (kind.kind, f"{kind.ms:.4f}", f"{kind.share:.1%}", f"{kind.macs_share:.1%}") for kind in measurement.kinds
        ),
    )


def _grid_row(measurement: Measurement, threads: int) -> tuple[str, ...]:
    own, best, ratio = measurement.own(threads), measurement.best_peer(threads), lead(measurement, threads)
    share = None if own is None else measurement.share(own)
    return (
        measurement.name,
        f"{measurement.multiply_adds / 1e6:.1f}",
        NONE if own is None else milliseconds(own.times.fastest),
        NONE if best is None else milliseconds(best.times.fastest),
        NONE if best is None else best.name,
        _ratio(ratio),
        _ratio(lead_by_rounds(measurement, threads)),
        NONE if share is None else f"{share:.1%}",
    )


def _measurement(measurement: Measurement) -> dict[str, Any]:
    plain = dataclasses.asdict(measurement)
    plain["spec"] = measurement.spec.to_dict()
    plain["results"] = [_result(measurement, result) for result in measurement.results]
    for key, of in (("lead", lead), ("lead_by_rounds", lead_by_rounds)):
        plain[key] = {str(threads): of(measurement, threads) for threads in measurement.threads}
    return plain


def _result(measurement: Measurement, result: Result) -> dict[str, Any]:
    ratios = measurement.ratios(result)
    return {
        **dataclasses.asdict(result),
        "ratios": None if ratios is None else dataclasses.asdict(ratios),
        "multiply_adds_per_second": measurement.per_second(result),
        "share_of_peak": measurement.share(result),
    }


def milliseconds(value: float) -> str:
    """Three digits that count, more for long times."""
    return f"{value:.4f}" if value < 1 else f"{value:.3f}" if value < 10 else f"{value:.2f}"


def megabytes(count: int) -> str:
    """Bytes as MB of a million."""
    return f"{count / 1e6:.2f}"


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"
