"""Two pictures of a run: what the network was really fed, and how its figures went."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depthwise.cloud.loader import Batch
from depthwise.files import write_file
from depthwise.kinds import PICTURE, PICTURE_MARK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FED, CURVES = "fed.png", "curves.png"
# The mosaic has at most so many pictures, so many in a row, each so many inches wide.
MOST_TILES, COLUMNS, TILE = 32, 8, 1.3
LONGEST_LABEL = 20
TRAINING, VALIDATION, RATE, ROBUST = "#7a8ca3", "#d1495b", "#3c6e47", "#5b3f8c"


def save_fed(folder: Path, batch: Batch, labels: Sequence[str]) -> None:
    """Write `fed.png`: the pictures of a batch after all random changes, each with its label and what is mixed in.

    Raises: ModuleNotFoundError without matplotlib; Refused, when it cannot be written.
    """
    from matplotlib.figure import Figure

    count = min(len(batch.pixels), MOST_TILES)
    columns = min(count, COLUMNS)
    rows = -(-count // columns)
    figure = Figure(figsize=(TILE * columns, (TILE + 0.3) * rows), layout="constrained")
    for place in range(columns * rows):
        axes = figure.add_subplot(rows, columns, place + 1)
        axes.axis("off")
        if place < count:
            pixels = batch.pixels[place].numpy()
            grey = pixels.shape[2] == 1
            axes.imshow(pixels[:, :, 0] if grey else pixels, cmap="gray", vmin=0, vmax=255)
            axes.set_title(caption(batch, place, labels), fontsize=6, parse_math=False)
    _save(figure, folder / FED)


def caption(batch: Batch, place: int, labels: Sequence[str]) -> str:
    """The label of one picture of a batch, with the share of each where two are mixed."""
    own, other = (_short(labels[int(which[place])]) for which in (batch.labels, batch.partners))
    if batch.share == 1 or own == other:
        return own
    return f"{batch.share:.0%} {own}\n{1 - batch.share:.0%} {other}"


def save_curves(folder: Path, epochs: Sequence[Mapping[str, Any]], kept: int) -> None:
    """Write `curves.png`: loss, top-1 and learning rate over the epochs, the one that was kept marked.

    Args:
        epochs: figures as the log of the run has them, epochs counted from 1.
        kept: the epoch whose weights were kept.

    Raises: ModuleNotFoundError without matplotlib; Refused, when it cannot be written.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure = Figure(figsize=(11, 3.6), layout="constrained")
    loss, top1, rate = figure.subplots(1, 3)
    _draw(loss, epochs, {"loss": ("training", TRAINING), "validation_loss": ("validation", VALIDATION)})
    _draw(top1, epochs, {"train_top1": ("training, changed images", TRAINING), "top1": ("validation", VALIDATION)})
    attacked = [entry for entry in epochs if "robust_top1" in entry]
    if attacked:
        _draw(top1, attacked, {"robust_top1": ("validation, under attack", ROBUST)})
    _draw(rate, epochs, {"rate": ("at the end of the epoch", RATE)})
    top1.yaxis.set_major_formatter(PercentFormatter(1))
    for axes, title in ((loss, "loss"), (top1, "top-1"), (rate, "learning rate")):
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    for axes in (loss, top1):
        _mark_sizes(axes, epochs)
        axes.axvline(kept, color=VALIDATION, linestyle=":", label="kept")
        axes.legend(fontsize=8)
    _save(figure, folder / CURVES)


def _draw(axes: Axes, epochs: Sequence[Mapping[str, Any]], lines: Mapping[str, tuple[str, str]]) -> None:
    numbers = [entry["epoch"] for entry in epochs]
    for figure, (label, colour) in lines.items():
        axes.plot(numbers, [entry[figure] for entry in epochs], color=colour, label=label, marker=".", markersize=4)


def _mark_sizes(axes: Axes, epochs: Sequence[Mapping[str, Any]]) -> None:
    """Lines where the pictures change their size, since figures at two sizes cannot be compared."""
    for before, after in pairwise(epochs):
        if before["resolution"] != after["resolution"]:
            between = (before["epoch"] + after["epoch"]) / 2
            axes.axvline(between, color="0.75", linewidth=0.8)
            axes.annotate(
                f"{after['resolution']} px",
                (between, 0.02),
                xycoords=("data", "axes fraction"),
                fontsize=6,
                rotation=90,
            )


def _short(label: str) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in label)
    return plain if len(plain) <= LONGEST_LABEL else plain[: LONGEST_LABEL - 1] + "…"


def _save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    content = io.BytesIO()
    with warnings.catch_warnings():
        # Labels may be in a writing that the font lacks, which is drawn as boxes.
        warnings.simplefilter("ignore", UserWarning)
        # Without the version of matplotlib, so that the same figures give the same file.
        figure.savefig(content, format="png", dpi=120, metadata=PICTURE_MARK)
    write_file(path, content.getvalue(), PICTURE)
