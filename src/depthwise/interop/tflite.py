"""TFLite files: float, int8 per channel and Google's older uint8 per tensor in; float out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from depthwise.errors import Refused
from depthwise.interop import tflite_graph, tflite_metadata
from depthwise.interop.match import to_model
from depthwise.interop.source import NOTHING, Given, Source, content, digest, parse_own, write_file
from depthwise.interop.tflite_file import METADATA, OWN, File, parse
from depthwise.network.model import Model

# A byte b of a pixel enters a network of int8 as b - 128.
_SIGNED_BY = 128


def read(path: Path, given: Given = NOTHING, name: str = "") -> Model:
    """The model of a TFLite file, in float32 whatever its numbers are.

    Args:
        given: what the user says of it.
        name: what the user calls it, for the provenance; the path where empty.
    Raises: Refused, when it is no MobileNet V1 (naming the first operator that does not fit) or damaged.
    """
    data = content(path)
    try:
        file = parse(data)
        said = {**tflite_metadata.read(file.metadata.get(METADATA, b""), data), **_quantisation(file)}
        source = Source(
            name=name or path.name,
            format="tflite",
            sha256=digest(data),
            given=given,
            own=parse_own(file.metadata.get(OWN, b"")),
            says_same=True,
            **said,
        )
        with np.errstate(all="ignore"):
            return to_model(tflite_graph.chain(file), source)
    except Refused as refusal:
        raise Refused(f"{path}: {refusal}") from None


def _quantisation(file: File) -> dict[str, tuple[float, ...]]:
    """Mean and scale of pixels, of a file that takes them as bytes."""
    entry = file.tensors[file.inputs[0]] if file.inputs and 0 <= file.inputs[0] < len(file.tensors) else None
    if entry is None or not entry.quantised or entry.scales.size != 1 or entry.kind not in ("uint8", "int8"):
        return {}
    zero = int(entry.zero_points[0]) if entry.zero_points.size else 0
    mean = zero + (_SIGNED_BY if entry.kind == "int8" else 0)
    return {"mean": (float(mean),), "scale": (float(entry.scales[0]),)}


def write(model: Model, path: Path) -> None:
    """Write a model as a TFLite file of floats, whole or not at all; one that exists is replaced.

    Batch normalisation is folded, since the format has none. Labels, names and preprocessing are in its metadata.

    Raises: Refused, when it cannot be written.
    """
    from depthwise.interop.tflite_writer import build

    write_file(path, build(model, path.stem))
