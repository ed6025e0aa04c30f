"""`depthwise evaluate`: how good a model or an artifact is on a folder of images."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthwise.cli.places import Place
from depthwise.errors import Refused, Unmet

if TYPE_CHECKING:
    from depthwise.evaluate.predictor import Predictor
    from depthwise.evaluate.report import Report


@click.command("evaluate")
@click.argument("subject", metavar="MODEL|ARTIFACT", type=Place())
@click.argument("data", type=Place())
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="Threads that a call of an ARTIFACT runs on: as many as there are free cores; 1 without it.",
)
@click.option("--min-top1", type=click.FloatRange(0, 1), help="End with 1 where top-1 is below this share, 0 to 1.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
@click.option("--html", type=click.Path(path_type=Path), help="Also write one page with the images, readable offline.")
def command(
    subject: Path, data: Path, threads: int | None, min_top1: float | None, as_json: bool, html: Path | None
) -> None:
    """Measure a model folder or an artifact on the labelled images of DATA.

    DATA is a folder of class folders, or one with `test` or `validation` in it. Labels are matched by name; DATA may
    have only some of them.
    """
    from depthwise.cli.output import check_page, notice, print_json, printable, write_page
    from depthwise.cli.progress import make_reporter
    from depthwise.evaluate.document import document
    from depthwise.evaluate.predictions import predict_folder
    from depthwise.evaluate.report import Report
    from depthwise.evaluate.seen import suspicions

    check_page(html)
    reporter = make_reporter()
    with _opened(subject, threads) as (kind, predictor, provenance):
        predictions = predict_folder(predictor, data, reporter)
    warnings = tuple(map(printable, suspicions(predictions, provenance, reporter)))
    report = Report(subject=str(subject), kind=kind, predictions=predictions, warnings=warnings)
    for warning in warnings:
        notice(f"warning: {warning}")
    if as_json:
        print_json(document(report, least_top1=min_top1))
    else:
        _print(report)
    if html is not None:
        from depthwise.evaluate.page import page

        write_page(html, page(report, reporter))
    if min_top1 is not None and report.top1.share < min_top1:
        raise Unmet(
            f"top-1 is {report.top1.share:.4f} ({report.top1.count:,} of {report.images:,} images), below the"
            f" {min_top1:g} of --min-top1"
        )


@contextmanager
def _opened(subject: Path, threads: int | None) -> Iterator[tuple[str, Predictor, Any]]:
    """What is to be measured, its kind (a folder is a model, a file an artifact), and how it came about."""
    from depthwise.beside import recover
    from depthwise.places import place

    recover(place(subject))
    if not subject.exists():
        raise Refused(f"{subject}: there is no such model folder or artifact; give one that `depthwise` wrote")
    if subject.is_dir():
        if threads is not None:
            raise Refused(
                f"{subject}: is a model folder, and --threads is for artifacts; compile it, or leave --threads away"
            )
        yield "model", *_model(subject)
        return
    from depthwise.edge.artifact import Artifact
    from depthwise.evaluate.predictor import ArtifactPredictor

    with Artifact.open(subject, threads=threads or 1) as artifact:
        yield "artifact", ArtifactPredictor(artifact), artifact.record.get("provenance")


def _model(folder: Path) -> tuple[Predictor, Any]:
    from depthwise.cli.foreign import say_assumed
    from depthwise.evaluate.predictor import Int8Predictor
    from depthwise.network.quantized import QuantizedModel, load_model

    # First, since what is wrong with the folder is the better answer where PyTorch is missing too.
    model = load_model(folder)
    say_assumed(str(folder), model)
    if isinstance(model, QuantizedModel):
        return Int8Predictor(model), model.provenance
    try:
        from depthwise.cloud.predict import ModelPredictor
    except ModuleNotFoundError as missing:
        if missing.name != "torch":
            raise
        raise Refused(
            "measuring a float model folder needs PyTorch, which is not installed; run: pip install 'depthwise[cloud]',"
            " or compile the model and measure the artifact, which needs none"
        ) from None
    return ModelPredictor(model), model.provenance


def _print(report: Report) -> None:
    from depthwise.cli.output import console, print_table, printable
    from depthwise.evaluate.tables import tables
    from depthwise.evaluate.text import advice, where

    out = console()
    out.print(printable(f"{report.subject}: {where(report)}"), style="bold", soft_wrap=True)
    for table in tables(report):
        # Labels are a stranger's text, and could hold what moves the terminal's cursor.
        rows = tuple(tuple(map(printable, row)) for row in table.rows)
        print_table(dataclasses.replace(table, rows=rows))
    for line in advice(report):
        out.print(printable(line), soft_wrap=True)
    unreadable = len(report.predictions.unreadable)
    if unreadable:
        out.print(f"{unreadable:,} images could not be read and are not counted", soft_wrap=True)
