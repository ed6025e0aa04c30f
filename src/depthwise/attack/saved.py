"""Attacked images as a folder of class folders, losslessly, so that `depthwise evaluate` sees the very same pixels."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from depthwise.attack.sample import Sample
from depthwise.edge.pixels import Pixels, geometry
from depthwise.errors import Refused
from depthwise.places import Kind, check_output

MARK = "attack.json"
FOLDER = Kind(name="a folder of attacked images", is_one=lambda path: (path / MARK).is_file(), folder=True)


def check(path: Path) -> None:
    """See that the folder can be written, before the work that it is for.

    Raises: Refused, when something else lies there, or it cannot be written.
    """
    check_output(path, FOLDER)


def save(
    path: Path,
    sample: Sample,
    changed: Sequence[Pixels] | Pixels,
    labels: tuple[str, ...],
    *,
    resize: int | None,
    description: Mapping[str, Any],
) -> None:
    """Write one PNG an image, in a folder of its class, and a description beside them.

    A network that crops its images gets each in the middle of a frame, so that it crops exactly what was attacked.

    Args:
        changed: N images (side, side, C), as the network takes them; or frames of any size.
        resize: length of the shorter side before the network crops; None for frames.
    Raises: Refused, when the folder cannot be written.
    """
    from depthwise.files import write_folder

    check_output(path, FOLDER)
    files: dict[str, bytes] = {}
    for item, pixels in zip(sample.items, changed, strict=True):
        parts = item.path.relative_to(sample.data).parts
        inside = "-".join(parts[parts.index(labels[item.label]) + 1 :])
        name = inside.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        files[f"{labels[item.label]}/{_free(files, labels[item.label], name)}"] = _png(
            pixels if resize is None else framed(pixels, resize)
        )
    files[MARK] = (json.dumps(dict(description), indent=2) + "\n").encode()
    write_folder(path, files, FOLDER)


def save_patch(path: Path, patch: Pixels, example: Pixels, description: Mapping[str, Any]) -> None:
    """Write a patch to print, and some pictures with it.

    Raises: Refused, when the folder cannot be written.
    """
    from depthwise.files import write_folder

    check_output(path, FOLDER)
    files = {"patch.png": _png(patch), MARK: (json.dumps(dict(description), indent=2) + "\n").encode()}
    files |= {f"example-{number}.png": _png(one) for number, one in enumerate(example, 1)}
    write_folder(path, files, FOLDER)


def framed(pixels: Pixels, resize: int) -> Pixels:
    """The image in the middle of a square of `resize` pixels, its border continued, where the crop is smaller."""
    side = pixels.shape[0]
    if resize == side:
        return pixels
    top = geometry(resize, resize, resize=resize, crop=side).crop_top
    around = (top, resize - side - top)
    return np.pad(pixels, (around, around, (0, 0)), mode="edge")


def _free(files: Mapping[str, bytes], label: str, name: str) -> str:
    stem = name.rpartition(".")[0] or name
    number, found = 1, f"{stem}.png"
    while f"{label}/{found}" in files:
        number += 1
        found = f"{stem}-{number}.png"
    return found


def _png(pixels: Pixels) -> bytes:
    content = io.BytesIO()
    grey = pixels.shape[2] == 1
    Image.fromarray(pixels[:, :, 0] if grey else pixels).save(content, "PNG")
    return content.getvalue()


def check_labels(labels: tuple[str, ...]) -> None:
    """See that every label can be the name of a folder.

    Raises: Refused, naming one that cannot.
    """
    for label in labels:
        if label in ("", ".", "..") or "/" in label or "\0" in label or label.startswith("."):
            raise Refused(f"--save: label {label!r} cannot be the name of a folder; rename the label first")
