"""`depthwise evaluate`: how good a model or an artifact is on a folder of images."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from depthwise.cli.places import Data, Place
from depthwise.errors import Refused, Unmet

if TYPE_CHECKING:
    from depthwise.evaluate.report import Report


@click.command("evaluate")
@click.argument("subject", metavar="MODEL|ARTIFACT", type=Place())
@click.argument("data", type=Data())
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="Threads that a call of an ARTIFACT runs on: as many as there are free cores; 1 without it.",
)
@click.option("--min-top1", type=click.FloatRange(0, 1), help="End with 1 where top-1 is below this share, 0 to 1.")
@click.option(
    "--unknown",
    "with_unknown",
    is_flag=True,
    help='Keep in MODEL below which probability `run --camera` says "unknown": 95% of the right answers lie above.',
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
@click.option("--html", type=click.Path(path_type=Path), help="Also write one page with the images, readable offline.")
def command(
    subject: Path,
    data: str,
    threads: int | None,
    min_top1: float | None,
    with_unknown: bool,
    as_json: bool,
    html: Path | None,
) -> None:
    """Measure a model folder or an artifact on the labelled images of DATA.

    DATA is a folder of class folders, or one with `test` or `validation` in it, or shards of one (`depthwise shard`).
    Labels are matched by name; DATA may have only some of them.
    """
    from depthwise.cli.output import check_page, notice, print_json, printable, write_page
    from depthwise.cli.progress import make_reporter
    from depthwise.evaluate.document import document
    from depthwise.evaluate.unknown import sentence, unknown
    from depthwise.jobs.data import located
    from depthwise.jobs.evaluate import evaluate
    from depthwise.network.description import keep_measured

    check_page(html)
    if with_unknown and subject.is_file():
        raise Refused(f"{subject}: is an artifact, which is not changed; give the model folder, and compile it again")
    reporter = make_reporter()
    report = evaluate(subject, located(data, reporter), threads=threads, reporter=reporter)
    for warning in report.warnings:
        notice(f"warning: {printable(warning)}")
    found = unknown(report) if with_unknown else None
    if found:
        keep_measured(subject, "unknown", found)
    if as_json:
        print_json({**document(report, least_top1=min_top1), **({"unknown": found} if found else {})})
    else:
        _print(report)
        if found:
            print(sentence(found))
    if html is not None:
        from depthwise.evaluate.page import page

        write_page(html, page(report, reporter))
    if min_top1 is not None and report.top1.share < min_top1:
        raise Unmet(
            f"top-1 is {report.top1.share:.4f} ({report.top1.count:,} of {report.images:,} images), below the"
            f" {min_top1:g} of --min-top1"
        )


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
