"""`depthwise run`: labels of images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthwise.errors import Refused

if TYPE_CHECKING:
    from depthwise.edge.artifact import Artifact


@click.command("run")
@click.argument("artifact", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--top", type=click.IntRange(min=1), default=5, show_default=True, help="Labels shown of each image.")
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Threads that a call runs on: as many as there are free cores. More gain nothing; the answer is the same.",
)
@click.option("--cpu", metavar="LEVEL", help="A level of instructions that the ARTIFACT carries, not the highest.")
@click.option("--sha256", metavar="DIGEST", help="SHA-256 of the ARTIFACT that is meant; another file is not run.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def command(
    artifact: Path, images: tuple[Path, ...], top: int, threads: int, cpu: str | None, sha256: str | None, as_json: bool
) -> None:
    """Label IMAGES, files or folders of them, with an ARTIFACT.

    An ARTIFACT is a program, which runs with your rights: run only those that you made, or whose maker you trust. With
    --sha256 nothing runs but the file that you mean.

    Images that cannot be read are named and counted on stderr; the command fails only when none could be.
    """
    from depthwise.cli.output import print_json, printable
    from depthwise.edge.artifact import Artifact

    read: list[dict[str, Any]] = []
    unreadable: list[str] = []
    with Artifact.open(artifact, threads=threads, cpu=cpu, sha256=sha256) as opened:
        for result in _results(opened, images, top):
            if isinstance(result, Refused):
                unreadable.append(str(result))
                click.echo(f"not read: {printable(str(result))}", err=True)
                continue
            read.append(result)
            if not as_json:
                _print(result)
    if as_json:
        print_json({"schema": 1, "artifact": str(artifact), "images": read, "unreadable": unreadable})
    if not read:
        raise Refused(f"no image was labelled, {len(unreadable)} could not be read; give images that can be")
    if unreadable:
        click.echo(f"{len(unreadable)} of {len(unreadable) + len(read)} could not be read", err=True)


def _results(artifact: Artifact, images: tuple[Path, ...], top: int) -> Iterator[dict[str, Any] | Refused]:
    """What was found of each image, as it goes into the JSON document, or why it was not read."""
    from depthwise.edge.decoding import picture
    from depthwise.edge.files import image_files

    for path in image_files(images):
        if isinstance(path, Refused):
            yield path
            continue
        try:
            opened = picture(path, channels=artifact.input_shape[2])
        except Refused as refusal:
            yield refusal
            continue
        probabilities = artifact.label(opened)
        # Stable, so that of equal probabilities the first label stands first.
        best = sorted(range(len(probabilities)), key=lambda index: -probabilities[index])[:top]
        yield {
            "image": str(path),
            "answers": [{"label": artifact.labels[i], "index": i, "probability": probabilities[i]} for i in best],
        }


def _print(result: dict[str, Any]) -> None:
    """A line for the file and one a label, without rich: it would take a third of the time to the first label."""
    from depthwise.cli.output import printable

    lines = [printable(result["image"])]
    lines += [f"  {answer['probability']:7.2%}  {printable(answer['label'])}" for answer in result["answers"]]
    click.echo("\n".join(lines))
