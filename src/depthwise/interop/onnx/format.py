"""ONNX files: what torch, timm, tf2onnx and this project write, float or QDQ int8, in; float out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from depthwise.errors import Refused
from depthwise.files import write_file
from depthwise.interop.chain import Chain
from depthwise.interop.damage import DAMAGE
from depthwise.interop.kept import to_quantized
from depthwise.interop.kinds import ONNX
from depthwise.interop.match import to_model
from depthwise.interop.onnx import graph
from depthwise.interop.onnx.file import parse
from depthwise.interop.source import NOTHING, Given, Source, content, digest, parse_own
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel

Made = TypeVar("Made", Model, QuantizedModel)


def read(path: Path, given: Given = NOTHING, name: str = "") -> Model:
    """The model of an ONNX file, in float32 whatever its numbers are.

    Args:
        given: what the user says of it.
        name: what the user calls it, for the provenance; the file's name where empty.
    Raises: Refused, when it is no MobileNet V1 (naming the first node that does not fit) or damaged.
    """
    return _read(path, given, name, to_model)


def read_int8(path: Path, given: Given = NOTHING, name: str = "") -> QuantizedModel:
    """The int8 model of a QDQ file with int8 weights per channel, with the file's own integers and ranges.

    Args: as of `read`.
    Raises: Refused, as `read`, and when the file is not QDQ int8 with weights of zero point 0.
    """
    return _read(path, given, name, to_quantized)


def _read(path: Path, given: Given, name: str, make: Callable[[Chain, Source], Made]) -> Made:
    data = content(path)
    try:
        proto = parse(data)
        with np.errstate(all="ignore"):
            source = _source(proto, name or path.name, digest(data), given)
            return make(graph.chain(proto.graph, path.parent, _opset(proto)), source)
    except Refused as refusal:
        raise Refused(f"{path}: {refusal}") from None
    except DAMAGE as problem:
        raise Refused(f"{path}: a node or a tensor in it is not what it should be ({problem}); it is damaged") from None


def write(model: Model | QuantizedModel, path: Path) -> None:
    """Write a model as an ONNX file, whole or not at all; one that exists is replaced.

    A float model's batch normalisation stays apart, so that reading the file gives the very same weights. An int8 model
    becomes a QDQ file with its own integers. Labels and preprocessing are in the file's metadata.

    Raises: Refused, when the format has no such network, or it cannot be written.
    """
    from depthwise.interop.onnx import writer, writer_int8

    if isinstance(model, QuantizedModel):
        write_file(path, writer_int8.build(model, path.stem), ONNX)
    else:
        write_file(path, writer.build(model, path.stem), ONNX)


def _source(proto: Any, name: str, sha256: str, given: Given) -> Source:
    from depthwise.interop.onnx.writer import LABELS, OWN

    properties = {entry.key: entry.value for entry in proto.metadata_props}
    return Source(
        name=name,
        format="onnx",
        sha256=sha256,
        given=given,
        labels=_labels(properties.get(LABELS, "")),
        **_image(properties),
        own=parse_own(properties.get(OWN, "")),
    )


# Source: "Metadata" in ONNX's documentation, which standardises these keys for networks that take images.
_RANGES = {
    "NominalRange_0_255": ((0.0,), (1.0,)),
    "Normalized_0_1": ((0.0,), (1 / 255,)),
    "Normalized_1_1": ((127.5,), (1 / 127.5,)),
}


def _image(properties: Mapping[str, str]) -> dict[str, Any]:
    """Fields of `Source`: what standard metadata say of pixels."""
    found: dict[str, Any] = {}
    if properties.get("Image.NominalPixelRange") in _RANGES:
        found["mean"], found["scale"] = _RANGES[properties["Image.NominalPixelRange"]]
    if properties.get("Image.BitmapPixelFormat", "")[:3] in ("Rgb", "Bgr"):
        found["bgr"] = properties["Image.BitmapPixelFormat"].startswith("Bgr")
    return found


def _opset(proto: Any) -> int:
    """The version of ONNX's own operators."""
    return max((entry.version for entry in proto.opset_import if entry.domain in ("", "ai.onnx")), default=1)


def _labels(text: str) -> tuple[str, ...] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    whole = isinstance(found, list) and all(isinstance(label, str) for label in found)
    return tuple(found) if whole else None
