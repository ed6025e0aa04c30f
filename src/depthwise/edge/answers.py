"""Labels of image files, printed: what `depthwise run` and `depthwise-run` do."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from depthwise.edge.artifact import Artifact
from depthwise.edge.files import endings, image_files
from depthwise.edge.seeing import seen
from depthwise.edge.terminal import print_csv, print_json, printable
from depthwise.errors import Refused

STDIN = Path("-")
# Bytes that are read of a picture on standard input.
MOST_BYTES = 1 << 28
COLUMNS = ("image", "rank", "label", "probability")


def label_images(
    artifact: str | os.PathLike[str],
    images: Sequence[str | os.PathLike[str]],
    *,
    top: int,
    threads: int,
    cpu: str | None,
    sha256: str | None,
    most_pixels: int | None = None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Label images, files or folders of them, and print the answers; docs/edge.md has the forms.

    Args:
        images: "-" is one image on standard input.
        top: labels shown of each image.
        threads, cpu, sha256: as for `Artifact.open`.
        most_pixels: of an image that is decoded; None for what `decode` allows.
    Raises: Refused, when no image could be labelled, the artifact cannot be opened, or two forms are asked for.
    """
    if as_json and as_csv:
        raise Refused("--json and --csv are two forms of the result; give one of them")
    show = _print_rows if as_csv else _print
    read: list[dict[str, Any]] = []
    unreadable: list[str] = []
    passed_over: list[Path] = []
    with Artifact.open(artifact, threads=threads, cpu=cpu, sha256=sha256) as opened:
        if as_csv:
            print_csv([COLUMNS])
        for result in _answers(opened, images, top, most_pixels, passed_over):
            if isinstance(result, Refused):
                unreadable.append(str(result))
                print(f"not read: {printable(str(result))}", file=sys.stderr)
                continue
            read.append(result)
            if not as_json:
                show(result)
    if as_json:
        found = {"images": read, "unreadable": unreadable, "passed_over": list(map(str, passed_over))}
        print_json({"schema": 1, "artifact": os.fspath(artifact), **found})
    _count(len(read), len(unreadable), passed_over)


def _count(read: int, unreadable: int, passed_over: Sequence[Path]) -> None:
    """What was not labelled, in numbers.

    Raises: Refused, when nothing was.
    """
    if passed_over:
        print(f"{len(passed_over):,} other files are passed over ({printable(endings(passed_over))})", file=sys.stderr)
    if not read:
        raise Refused(f"no image was labelled, {unreadable} could not be read; give images that can be")
    if unreadable:
        print(f"{unreadable} of {unreadable + read} could not be read", file=sys.stderr)


def _answers(
    artifact: Artifact,
    images: Sequence[str | os.PathLike[str]],
    top: int,
    most_pixels: int | None,
    passed_over: list[Path],
) -> Iterator[dict[str, Any] | Refused]:
    """What was found of each image, as it goes into the JSON document, or why it was not read."""
    for path in image_files(images, passed_over.append):
        if isinstance(path, Refused):
            yield path
            continue
        try:
            probabilities = seen(artifact, _standard_input() if path == STDIN else path, most_pixels)
        except Refused as refusal:
            yield refusal
            continue
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
    print_csv(
        (result["image"], rank, answer["label"], f"{answer['probability']:.6f}")
        for rank, answer in enumerate(result["answers"], 1)
    )


def _print(result: dict[str, Any]) -> None:
    """A line for the file and one a label, without rich: it would take a third of the time to the first label."""
    lines = [printable(result["image"])]
    lines += [f"  {answer['probability']:7.2%}  {printable(answer['label'])}" for answer in result["answers"]]
    print("\n".join(lines))
