"""Keras models in: HDF5 and .keras files, whole or weights alone, folders of JSON and weights, and TensorFlow.js."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.keras import folder
from depthwise.interop.keras.file import Contents, extract
from depthwise.interop.keras.graph import described
from depthwise.interop.keras.published import preparing, published
from depthwise.interop.match import to_model
from depthwise.interop.source import NOTHING, Given, Source, content, digest
from depthwise.network.model import Model

# Published weights say their resolution in their file's name only.
_RESOLUTION = re.compile(r"_(\d{2,4})_tf(?:_no_top)?\.h5$")


def read(path: Path, given: Given = NOTHING, name: str = "") -> Model:
    """The model of a Keras file or folder.

    Args:
        given: what the user says of it.
        name: what the user calls it, for the provenance; the file's name where empty.
    Raises: Refused, when it is no MobileNet V1 (naming the first layer that does not fit) or damaged.
    """
    try:
        contents, sha256 = _contents(path)
        with np.errstate(all="ignore"):
            chain = described(contents) if contents.config else published(contents)
            prepares = "" if contents.config or (given.mean and given.scale) else preparing(contents)
            if prepares:
                raise Refused(
                    f"it has a layer {prepares}, whose numbers weights alone do not hold; save the whole model, or say"
                    " by --mean and --scale what pixels become before the first convolution"
                )
            in_name = _RESOLUTION.search(path.name)
            if not contents.config and in_name and given.resolution is None:
                given = dataclasses.replace(given, resolution=int(in_name[1]))
            source = Source(
                name=name or path.name, format="keras", sha256=sha256, given=given, padding=chain.padding,
                square=chain.square, filter=chain.filter,
            )  # fmt: skip
            return to_model(chain, source)
    except Refused as refusal:
        raise Refused(f"{path}: {refusal}") from None


def _contents(path: Path) -> tuple[Contents, str]:
    if path.is_dir() or path.suffix.lower() == ".json":
        return folder.whole(path)
    return extract(path), digest(content(path))
