"""Keras HDF5 files in: whole models with or without optimiser state, and the weights that Keras publishes."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np

from depthwise.errors import Refused
from depthwise.interop import keras_graph
from depthwise.interop.keras_file import extract
from depthwise.interop.match import to_model
from depthwise.interop.source import NOTHING, Given, Source, content, digest
from depthwise.network.model import Model

# Published weights say their resolution in their file's name only.
_RESOLUTION = re.compile(r"_(\d{2,4})_tf(?:_no_top)?\.h5$")


def read(path: Path, given: Given = NOTHING, name: str = "") -> Model:
    """The model of a Keras file.

    Args:
        given: what the user says of it.
        name: what the user calls it, for the provenance; the file's name where empty.
    Raises: Refused, when it is no MobileNet V1 (naming the first layer that does not fit) or damaged.
    """
    sha256 = digest(content(path))
    try:
        config, arrays = extract(path)
        with np.errstate(all="ignore"):
            chain = keras_graph.described(config, arrays) if config else keras_graph.published(arrays)
            in_name = _RESOLUTION.search(path.name)
            if not config and in_name and given.resolution is None:
                given = dataclasses.replace(given, resolution=int(in_name[1]))
            source = Source(name=name or path.name, format="keras", sha256=sha256, given=given, padding=chain.padding)
            return to_model(chain, source)
    except Refused as refusal:
        raise Refused(f"{path}: {refusal}") from None
