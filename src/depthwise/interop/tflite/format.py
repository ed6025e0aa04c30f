"""TFLite files: float, int8 per channel and Google's older uint8 per tensor in; float out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from depthwise.errors import Refused
from depthwise.files import write_file
from depthwise.interop.chain import Chain
from depthwise.interop.kept import to_quantized
from depthwise.interop.kinds import TFLITE
from depthwise.interop.match import to_model
from depthwise.interop.source import NOTHING, Given, Source, content, digest, parse_own
from depthwise.interop.tflite import graph, metadata
from depthwise.interop.tflite.file import METADATA, OWN, parse
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel

Made = TypeVar("Made", Model, QuantizedModel)


def read(path: Path, given: Given = NOTHING, name: str = "") -> Model:
    """The model of a TFLite file, in float32 whatever its numbers are.

    Args:
        given: what the user says of it.
        name: what the user calls it, for the provenance; the path where empty.
    Raises: Refused, when it is no MobileNet V1 (naming the first operator that does not fit) or damaged.
    """
    return _read(path, given, name, to_model)


def read_int8(path: Path, given: Given = NOTHING, name: str = "") -> QuantizedModel:
    """The int8 model of a TFLite file that is of int8 or uint8, with the file's own integers and ranges.

    Args: as of `read`.
    Raises: Refused, as `read`, and when its weights are not of bytes with one zero point a layer.
    """
    return _read(path, given, name, to_quantized)


def _read(path: Path, given: Given, name: str, make: Callable[[Chain, Source], Made]) -> Made:
    data = content(path)
    try:
        file = parse(data)
        said = metadata.read(file.metadata.get(METADATA, b""), data)
        with np.errstate(all="ignore"):
            chain = graph.chain(file)
        source = Source(
            name=name or path.name,
            format="tflite",
            sha256=digest(data),
            given=given,
            own=parse_own(file.metadata.get(OWN, b"")),
            padding=chain.padding,
            **said,
        )
        with np.errstate(all="ignore"):
            return make(chain, source)
    except Refused as refusal:
        raise Refused(f"{path}: {refusal}") from None


def write(model: Model | QuantizedModel, path: Path) -> None:
    """Write a model as a TFLite file, whole or not at all; one that exists is replaced.

    A float model's batch normalisation is folded, since the format has none. An int8 model keeps its integers. Labels,
    names and preprocessing are in the file's metadata.

    Raises: Refused, when the format has no such network, or it cannot be written.
    """
    from depthwise.interop.tflite import writer, writer_int8

    if isinstance(model, QuantizedModel):
        write_file(path, writer_int8.build(model, path.stem), TFLITE)
    else:
        write_file(path, writer.build(model, path.stem), TFLITE)
