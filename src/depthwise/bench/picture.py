"""Measurements as a picture: bars of time a thread count, or the family's leads."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depthwise.bench.grid import Grid
from depthwise.bench.peers import OWN
from depthwise.bench.report import milliseconds
from depthwise.bench.results import Measurement, lead
from depthwise.errors import Refused
from depthwise.files import write_file
from depthwise.kinds import PICTURE, PICTURE_MARK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Inches: what stands above and below the bars, a bar of one contender, and the picture of the grid.
FRAME, BAR, GRID = 1.5, 0.55, 4.5
_OURS, _THEIRS, _LIMIT = "#1b6ca8", "#b9c4cc", "#c0392b"


def picture(measurement: Measurement, path: Path) -> None:
    """Least times of all contenders as bars, and the machine's limit as a line.

    Raises: Refused, when matplotlib is missing or the file cannot be written.
    """
    most = max(len(measurement.of(threads)) for threads in measurement.threads)
    figure, axes = _figure(len(measurement.threads), FRAME + BAR * most)
    line = peak = None
    for axis, threads in zip(axes, measurement.threads, strict=True):
        results = measurement.of(threads)[::-1]
        names = [f"{result.name}\n{result.form}" for result in results]
        bars = axis.barh(
            names,
            [result.times.fastest for result in results],
            color=[_OURS if result.name == OWN else _THEIRS for result in results],
        )
        axis.bar_label(bars, [milliseconds(result.times.fastest) for result in results], padding=3)
        if (peak := measurement.peak(threads)) is not None:
            limit = measurement.multiply_adds / peak.per_second * 1e3
            line = axis.axvline(limit, color=_LIMIT, linestyle="--")
        axis.set_title(f"{measurement.name}, {measurement.precision}, {threads} thread{'s' if threads > 1 else ''}")
        axis.set_xlabel("ms, least of all calls")
        axis.margins(x=0.15)
    if line is not None and peak is not None:
        figure.legend([line], [f"limit of {peak.instruction}"], loc="outside lower center", frameon=False)
    _save(figure, path)


def grid_picture(grid: Grid, path: Path) -> None:
    """How many times as fast as the fastest peer each artifact is, as columns.

    Raises: Refused, as `picture`.
    """
    threads = grid.measurements[0].threads
    figure, axes = _figure(len(threads), GRID)
    for axis, count in zip(axes, threads, strict=True):
        known = [(m.name, ratio) for m in grid.measurements if (ratio := lead(m, count)) is not None]
        bars = axis.barh([name for name, _ in known][::-1], [ratio for _, ratio in known][::-1], color=_OURS)
        axis.bar_label(bars, [f"{ratio:.2f}" for _, ratio in known][::-1], padding=3)
        axis.axvline(1, color=_LIMIT, linestyle="--")
        axis.set_title(f"{grid.measurements[0].precision}, {count} thread{'s' if count > 1 else ''}, random weights")
        axis.set_xlabel("times as fast as the fastest peer")
        axis.margins(x=0.15)
    _save(figure, path)


def _figure(count: int, height: float) -> tuple[Figure, list[Any]]:
    try:
        # Not pyplot: it looks for a screen and keeps every figure.
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise Refused("--png needs matplotlib, which is not installed; run: pip install 'depthwise[bench]'") from None
    figure = Figure(figsize=(7.5 * count, height), layout="constrained")
    axes = figure.subplots(1, count, squeeze=False)[0]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    return figure, list(axes)


def _save(figure: Figure, path: Path) -> None:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120, metadata=PICTURE_MARK)
    write_file(path, content.getvalue(), PICTURE)
