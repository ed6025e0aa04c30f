"""`depthwise run`: labels of images."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthwise.cli.places import Place
from depthwise.errors import Refused

if TYPE_CHECKING:
    from depthwise.edge.artifact import Artifact

STDIN = Path("-")
# Bytes that are read of a picture on standard input.
MOST_BYTES = 1 << 28
COLUMNS = ("image", "rank", "label", "probability")


@click.command("run")
@click.argument("artifact", type=Place())
@click.argument("images", nargs=-1, required=True, type=Place())
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
@click.option("--csv", "as_csv", is_flag=True, help="Print one line an answer, with commas between, instead of text.")
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
    from depthwise.cli.output import print_json, printable
    from depthwise.edge.artifact import Artifact
    from depthwise.edge.files import endings

    if as_json and as_csv:
        raise Refused("--json and --csv are two forms of the result; give one of them")
    show = _print_rows if as_csv else _print
    read: list[dict[str, Any]] = []
    unreadable: list[str] = []
    passed_over: list[Path] = []
    with Artifact.open(artifact, threads=threads, cpu=cpu, sha256=sha256) as opened:
        if as_csv:
            _print_csv([COLUMNS])
        for result in _results(opened, images, top, passed_over):
            if isinstance(result, Refused):
                unreadable.append(str(result))
                click.echo(f"not read: {printable(str(result))}", err=True)
                continue
            read.append(result)
            if not as_json:
                show(result)
    if as_json:
        found = {"images": read, "unreadable": unreadable, "passed_over": list(map(str, passed_over))}
        print_json({"schema": 1, "artifact": str(artifact), **found})
    if passed_over:
        click.echo(f"{len(passed_over):,} other files are passed over ({printable(endings(passed_over))})", err=True)
    if not read:
        raise Refused(f"no image was labelled, {len(unreadable)} could not be read; give images that can be")
    if unreadable:
        click.echo(f"{len(unreadable)} of {len(unreadable) + len(read)} could not be read", err=True)


def _results(
    artifact: Artifact, images: tuple[Path, ...], top: int, passed_over: list[Path]
) -> Iterator[dict[str, Any] | Refused]:
    """What was found of each image, as it goes into the JSON document, or why it was not read."""
    from depthwise.edge.decoding import picture
    from depthwise.edge.files import image_files

    for path in image_files(images, passed_over.append):
        if isinstance(path, Refused):
            yield path
            continue
        try:
            opened = picture(_standard_input() if path == STDIN else path, channels=artifact.input_shape[2])
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


def _standard_input() -> bytes:
    """The bytes of one image, of a pipe or a file."""
    if sys.stdin is None or sys.stdin.isatty():
        raise Refused("standard input is a terminal; send an image, as in: depthwise run model.so - < photo.jpg")
    content = sys.stdin.buffer.read(MOST_BYTES + 1)
    if not content:
        raise Refused("standard input is empty; send an image, as in: depthwise run model.so - < photo.jpg")
    if len(content) > MOST_BYTES:
        raise Refused(f"standard input has more than {MOST_BYTES // 2**20} MB; send one image")
    return content


def _print_rows(result: dict[str, Any]) -> None:
    _print_csv(
        (result["image"], rank, answer["label"], f"{answer['probability']:.6f}")
        for rank, answer in enumerate(result["answers"], 1)
    )


def _print_csv(rows: Iterable[Sequence[object]]) -> None:
    """Rows as in RFC 4180, but with a line feed alone; what the encoding lacks comes as an escape."""
    import csv
    import io

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    encoding = sys.stdout.encoding or "ascii"
    click.echo(text.getvalue().encode(encoding, "backslashreplace").decode(encoding), nl=False)


def _print(result: dict[str, Any]) -> None:
    """A line for the file and one a label, without rich: it would take a third of the time to the first label."""
    from depthwise.cli.output import printable

    lines = [printable(result["image"])]
    lines += [f"  {answer['probability']:7.2%}  {printable(answer['label'])}" for answer in result["answers"]]
    click.echo("\n".join(lines))
