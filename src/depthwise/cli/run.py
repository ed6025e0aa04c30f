"""`depthwise run`: labels of images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from depthwise.cli.completion import processors
from depthwise.cli.places import Place
from depthwise.edge import options


def _live(command: Callable[..., None]) -> Callable[..., None]:
    """The options of frames as they come, in the order of their table."""
    for name, metavar, kind, about in reversed(options.LIVE):
        if metavar:
            option = click.option(f"--{name}", metavar=metavar, type=_Given() if kind is str else kind, help=about)
        else:
            option = click.option(f"--{name}", is_flag=True, default=None, help=about)
        command = option(command)
    return command


class _Given(click.Path):
    """Text that is no address in a network."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The text; a click type's own method."""
        return options.path(str(value))


@click.command("run")
@click.argument("artifact", type=Place())
@click.argument("images", nargs=-1, type=Place())
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
@click.option("--most-pixels", metavar="N", type=click.IntRange(min=1), help=options.MOST_PIXELS)
@click.option("--json", "as_json", is_flag=True, help=options.JSON)
@click.option("--csv", "as_csv", is_flag=True, help=options.CSV)
@_live
def command(
    artifact: Path,
    images: tuple[Path, ...],
    top: int,
    threads: int,
    cpu: str | None,
    sha256: str | None,
    most_pixels: int | None,
    as_json: bool,
    as_csv: bool,
    **live: Any,
) -> None:
    """Label IMAGES, files or folders of them, with an ARTIFACT; `-` is one image on standard input.

    An ARTIFACT is a program, which runs with your rights: run only those that you made, or whose maker you trust. With
    --sha256 nothing runs but the file that you mean.

    Instead of IMAGES, frames as they come: --camera, --video, --frames - or --watch.

    Images that cannot be read are named and counted on stderr; the command fails only when none could be. So are files
    in the folders that are no images.
    """
    from depthwise.edge.labelling import label

    given = {name: value for name, value in live.items() if value is not None}
    label(
        artifact,
        images,
        given,
        top=top,
        threads=threads,
        cpu=cpu,
        sha256=sha256,
        most_pixels=most_pixels,
        as_json=as_json,
        as_csv=as_csv,
    )
