"""`depthwise classify`: a row with its label for every image of a folder or of shards."""

from __future__ import annotations

from pathlib import Path

import click

from depthwise.cli.places import Data, Place


@click.command("classify")
@click.argument("data", type=Data())
@click.option("--with", "artifact", required=True, type=Place(), help="The artifact, as `compile` writes it.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="A .parquet, .csv or .jsonl file; or a folder of parts, by a name without an ending.",
)
@click.option("--top", type=click.IntRange(min=1), default=5, show_default=True, help="Labels of each row.")
@click.option("--processes", type=click.IntRange(1, 1024), help="Processes on this machine  [default: one a core]")
@click.option("--ray", metavar="ADDRESS", help="Work on a cluster of Ray: `auto`, HOST:PORT, or `local` for one here.")
@click.option(
    "--reduced",
    metavar="X",
    type=click.FloatRange(min=0),
    default=0.0,
    help="Decode a JPEG at 1/2, 1/4 or 1/8 of its size while its sides stay X times what the network takes; quicker,"
    " and for some pictures another label.",
)
@click.option("--force", is_flag=True, help="Replace results that lie there already.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    data: str,
    artifact: Path,
    out: Path,
    top: int,
    processes: int | None,
    ray: str | None,
    reduced: float,
    force: bool,
    as_json: bool,
) -> None:
    """Label every image of DATA, a folder or shards, and write a row for each.

    The rows are written part by part; the same command goes on where it was stopped. An image that cannot be read has
    a row with the reason.
    """
    from depthwise.cli.output import print_json, printable
    from depthwise.cli.progress import make_reporter
    from depthwise.jobs.classify.classify import Asked, classify, duration, labelling
    from depthwise.jobs.data import located

    reporter = make_reporter()
    how = labelling(artifact, top=top, reduced=reduced)
    asked = Asked(data=located(data, reporter), out=out, how=how, processes=processes, ray=ray, force=force)
    found = classify(asked, reporter)
    fresh = found.images - found.done_before
    speed = fresh / max(found.seconds, 1e-9)
    if as_json:
        print_json({"schema": 1, "out": str(out), **vars(found), "images_a_second": speed})
        return
    click.echo(f"{found.images:,} images, {fresh:,} of them now in {duration(found.seconds)}: {speed:,.1f} a second")
    if found.failed:
        click.echo(f"{found.failed:,} could not be read; their rows say why")
    click.echo(f"results: {printable(str(out))}")
