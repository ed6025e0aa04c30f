"""`depthwise demo`: the whole way on one photo, told in plain words."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from depthwise.cli.output import console, notice, print_json, print_table
from depthwise.tables import Column, Table

if TYPE_CHECKING:
    from depthwise.cost.report import Report
    from depthwise.edge.pixels import Pixels
    from depthwise.network.model import Model
    from depthwise.network.quantized import QuantizedModel

# Long enough for the processor to reach its speed, short enough not to be noticed.
TIMED_SECONDS = 1.0
SHOWN = 5
BAR = 30
KINDS = {
    "stem": "3x3 convolution of the image",
    "depthwise": "3x3 depthwise convolutions",
    "pointwise": "1x1 convolutions",
    "standard": "3x3 standard convolutions",
    "pool": "global average",
    "classifier": "classifier",
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the demo found.

    Attributes:
        answers: (label, probability), the likeliest first.
        build_seconds, artifact_bytes, arena_bytes: of the artifact that was compiled.
        milliseconds: least and median time of one classification of prepared pixels, and of a whole frame.
    """

    answers: tuple[tuple[str, float], ...]
    build_seconds: float
    artifact_bytes: int
    arena_bytes: int
    milliseconds: dict[str, tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The model that ships, in float32 and in int8, and what each said of the photo."""

    model: Model
    outcome: Outcome
    int8: QuantizedModel
    int8_outcome: Outcome


@click.command("demo")
@click.argument("photo", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
def command(photo: Path | None, as_json: bool) -> None:
    """Classify a photo with the model that ships, and show what that took.

    Compiles the network for this machine, labels PHOTO (or the one that ships) and shows where the work goes.
    """
    from depthwise import shipped
    from depthwise.cost.report import report
    from depthwise.edge.pixels import decode
    from depthwise.network.model import Model
    from depthwise.network.quantized import QuantizedModel

    model, int8 = Model.load(shipped.model_folder()), QuantizedModel.load(shipped.int8_folder())
    photo = photo or shipped.photo()
    frame = decode(photo, channels=model.spec.channels)
    notice("compiling the network that ships for this machine ...")
    shown = Shown(model=model, outcome=_classify(model, frame), int8=int8, int8_outcome=_classify(int8, frame))
    cost = report(model.spec)
    if as_json:
        print_json(_document(shown, photo, cost))
    else:
        _tell(shown, photo, cost)


def _classify(model: Model | QuantizedModel, frame: Pixels) -> Outcome:
    from depthwise.beside import work_folder
    from depthwise.compiler import compile_model
    from depthwise.data.store import square
    from depthwise.edge.artifact import Artifact

    with work_folder() as folder:
        start = time.perf_counter()
        built = compile_model(model, target="host", out=folder / "model.so")
        seconds = time.perf_counter() - start
        with Artifact.open(built.path) as artifact:
            pixels = square(frame, model.preprocessing)
            probabilities = artifact.run(pixels)
            best = probabilities.argsort()[::-1][:SHOWN]
            return Outcome(
                answers=tuple((artifact.labels[i], float(probabilities[i])) for i in best),
                build_seconds=seconds,
                artifact_bytes=built.path.stat().st_size,
                arena_bytes=artifact.arena_bytes,
                milliseconds=_timed(
                    {"network": lambda: artifact.run(pixels), "frame": lambda: artifact.classify(frame)}
                ),
            )


def _timed(calls: Mapping[str, Callable[[], object]]) -> dict[str, tuple[float, float]]:
    """Least and median milliseconds of calls, made in turns for about a second each, as a machine's load changes."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + TIMED_SECONDS * len(calls)
    while time.perf_counter() < end or any(len(found) < 3 for found in times.values()):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append((time.perf_counter() - start) * 1000)
    return {name: (min(found), statistics.median(found)) for name, found in times.items()}


def _document(shown: Shown, photo: Path, cost: Report) -> dict[str, object]:
    return {
        "schema": 1,
        "photo": str(photo),
        **_told(shown.outcome),
        "multiply_adds": cost.nominal.macs,
        "parameters": cost.nominal.parameters,
        "accuracy": dict(shown.model.accuracy),
        "int8": {**_told(shown.int8_outcome), "accuracy": dict(shown.int8.accuracy)},
    }


def _told(outcome: Outcome) -> dict[str, object]:
    return {
        "answers": [{"label": label, "probability": p} for label, p in outcome.answers],
        "build_seconds": outcome.build_seconds,
        "artifact_bytes": outcome.artifact_bytes,
        "arena_bytes": outcome.arena_bytes,
        "milliseconds": {k: {"minimum": low, "median": mid} for k, (low, mid) in outcome.milliseconds.items()},
    }


def _tell(shown: Shown, photo: Path, cost: Report) -> None:
    out = console()
    model, outcome, int8 = shown.model, shown.outcome, shown.int8_outcome
    network, frame = outcome.milliseconds["network"], outcome.milliseconds["frame"]
    label, probability = outcome.answers[0]
    out.print(f"\n{photo.name}: {label} ({probability:.0%})\n", style="bold")
    for name, share in outcome.answers:
        out.print(f"  {name:24} {share:6.1%} {'█' * round(BAR * share)}")
    accuracy, quantised = model.accuracy["validation"], shown.int8.accuracy["measured"]
    out.print(
        f"\nThe network knows {model.spec.classes} everyday things. It was trained on {model.spec.resolution}-pixel"
        f" pictures and is right on {accuracy['top1']:.0%} of {accuracy['images']:,} pictures that were kept apart from"
        f" its training ({accuracy['top5']:.0%} within its first five guesses)."
    )
    out.print("\nWhat happened")
    steps = (
        f"MobileNet V1 at width {model.spec.width:g} was turned into C and compiled for this processor, in"
        f" {outcome.build_seconds:.1f} s: one file of {outcome.artifact_bytes / 1e6:.1f} MB (weights in"
        f" a form that suits it, code and labels) that needs"
        f" {outcome.arena_bytes / 1e3:.0f} kB of memory to run and nothing else.",
        f"The photo was decoded once, shrunk to {model.spec.resolution} x {model.spec.resolution} pixels and labelled,"
        " in this process: no byte of it left the machine.",
        f"One picture takes {network[0]:.2f} ms ({1000 / network[0]:,.0f} a second) on one core;"
        f" from the full-size frame, shrinking included, {frame[0]:.2f} ms.",
        f"The same network in int8, where every number is one byte, says {int8.answers[0][0]}"
        f" ({int8.answers[0][1]:.0%}) from a file of {int8.artifact_bytes / 1e6:.1f} MB with"
        f" {int8.arena_bytes / 1e3:.0f} kB of memory, in {int8.milliseconds['network'][0]:.2f} ms. It is right on"
        f" {quantised['top1']:.2%} of the same pictures; in float32 it is {accuracy['top1']:.2%}.",
    )
    for number, text in enumerate(steps, start=1):
        out.print(f"  {number}. {text}")
    _tell_cost(cost)
    out.print(
        "Next: train your own on a folder of photos, one folder a class (the README says how to install PyTorch):"
    )
    out.print("  depthwise train PHOTOS --out mymodel --pretrained imagenet --width 0.5 --resolution 160")
    out.print(
        "Without a connection, --pretrained shipped starts from the network above; photos are then labelled less well."
    )


def _tell_cost(cost: Report) -> None:
    rows = [
        (
            KINDS[kind.kind],
            f"{kind.layers}",
            f"{kind.macs / 1e6:.2f} M",
            f"{float(kind.macs_share):.1%}",
            f"{kind.weight_bytes / 1e3:,.1f} kB",
        )
        for kind in cost.kinds
    ]
    total = cost.nominal
    rows.append(
        ("all", f"{len(cost.rows)}", f"{total.macs / 1e6:.2f} M", "100%", f"{total.weight_bytes / 1e3:,.1f} kB")
    )
    numbers = (Column(heading=text) for text in ("layers", "multiply-adds", "share", "weights"))
    columns = (Column(heading="where the work is", is_text=True), *numbers)
    console().print()
    print_table(Table(title="", columns=columns, rows=tuple(rows), last_is_sum=True))
    twin = cost.twin.totals.macs
    console().print(
        f"With standard 3x3 convolutions the same network would need {twin / 1e6:,.0f} M multiply-adds,"
        f" {twin / total.macs:.1f}"
        " times as many. That is the idea of MobileNet: look at each channel by itself (3x3), then mix the channels"
        " (1x1). `depthwise cost --compare` shows the saving layer by layer.\n"
    )
