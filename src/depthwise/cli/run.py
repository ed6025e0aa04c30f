"""`depthwise run`: labels of images."""

from __future__ import annotations

from pathlib import Path

import click

from depthwise.cli.completion import processors
from depthwise.cli.places import Place
from depthwise.edge import options


@click.command("run")
@click.argument("artifact", type=Place())
@click.argument("images", nargs=-1, required=True, type=Place())
@click.option("--top", type=click.IntRange(min=1), default=5, show_default=True, help=options.TOP)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help=options.THREADS,
)
@click.option("--cpu", metavar="LEVEL", shell_complete=processors, help=options.CPU)
@click.option("--sha256", metavar="DIGEST", help=options.SHA256)
@click.option("--json", "as_json", is_flag=True, help=options.JSON)
@click.option("--csv", "as_csv", is_flag=True, help=options.CSV)
def command(
    artifact: Path,
    images: tuple[Path, ...],
    top: int,
    threads: int,
    cpu: str | None,
    sha256: str | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Label IMAGES, files or folders of them, with an ARTIFACT; `-` is one image on standard input.

    An ARTIFACT is a program, which runs with your rights: run only those that you made, or whose maker you trust. With
    --sha256 nothing runs but the file that you mean.

    Images that cannot be read are named and counted on stderr; the command fails only when none could be. So are files
    in the folders that are no images.
    """
    from depthwise.edge.answers import label_images

    label_images(artifact, images, top=top, threads=threads, cpu=cpu, sha256=sha256, as_json=as_json, as_csv=as_csv)
