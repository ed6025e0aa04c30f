"""What a TFLite file says beside its graph: labels in a zip behind it, and how pixels are normalised.

Source of the format: metadata_schema.fbs of TensorFlow Lite Support, version 1. Its tables are few, so their fields
are read and written here by number; no generated code is needed.
"""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

from depthwise.errors import Refused
from depthwise.interop.archive import foreign_zip, member
from depthwise.interop.damage import DAMAGE
from depthwise.interop.labels import LARGEST_LIST, parse_labels
from depthwise.network.preprocessing import Preprocessing

IDENTIFIER = b"M001"
LABELS_FILE = "labels.txt"
INPUT_NAME, OUTPUT_NAME = "image", "probabilities"
# Numbers of fields in their tables, in the schema's order.
_MODEL = {"name": 0, "description": 1, "subgraphs": 3, "min_parser_version": 7}
_SUBGRAPH = {"inputs": 2, "outputs": 3}
_TENSOR = {"name": 0, "content": 3, "units": 4, "files": 6}
_CONTENT = {"kind": 0, "value": 1}
_UNIT = {"kind": 0, "value": 1}
_NORMALISATION = {"mean": 0, "std": 1}
_FILE = {"name": 0, "description": 1, "kind": 2}
_IMAGE = {"colours": 0}
_IS_NORMALISATION, _IS_IMAGE, _IS_FEATURE, _IS_LABELS = 1, 2, 1, 3
_RGB, _GREY = 1, 2
_MOST_UNITS = 20


def read(metadata: bytes, file: bytes) -> dict[str, Any]:
    """Labels, mean and scale, as far as they are there; what is damaged counts as not there.

    Args:
        metadata: the metadata buffer, or b"".
        file: the whole file, whose end may be a zip.
    Returns: fields of `Source`.
    """
    found: dict[str, Any] = {}
    labels = _labels(file)
    if labels:
        found["labels"] = labels
    if metadata[4:8] == IDENTIFIER:
        with contextlib.suppress(*DAMAGE):
            found |= _normalisation(metadata)
        with contextlib.suppress(*DAMAGE):
            found |= _order(metadata)
    return found


def _labels(file: bytes) -> tuple[str, ...]:
    """The only text file of the zip at the end, one label a line."""
    try:
        with foreign_zip(io.BytesIO(file)) as archive:
            names = [name for name in archive.namelist() if name.endswith(".txt")]
            return parse_labels(member(archive, names[0], LARGEST_LIST).decode()) if len(names) == 1 else ()
    except Refused:
        return ()


def _inputs(metadata: bytes) -> list[Any]:
    """The tables of the first graph's inputs."""
    from flatbuffers import encode, packer
    from flatbuffers.table import Table

    root = Table(metadata, encode.Get(packer.uoffset, metadata, 0))
    graphs = _tables(root, _MODEL["subgraphs"])
    return _tables(graphs[0], _SUBGRAPH["inputs"]) if graphs else []


def _order(metadata: bytes) -> dict[str, bool]:
    """That red comes first, where the input is said to be an image of RGB; the format knows no other order."""
    inputs = _inputs(metadata)
    if not inputs or not _place(inputs[0], _TENSOR["content"]):
        return {}
    content = _table(inputs[0], _TENSOR["content"])
    is_image = _byte(content, _CONTENT["kind"]) == _IS_IMAGE and bool(_place(content, _CONTENT["value"]))
    return {"bgr": False} if is_image and _byte(_table(content, _CONTENT["value"]), _IMAGE["colours"]) == _RGB else {}


def _normalisation(metadata: bytes) -> dict[str, tuple[float, ...]]:
    """`(pixel - mean) / std` of the input, as a mean and a scale."""
    inputs = _inputs(metadata)
    for unit in _tables(inputs[0], _TENSOR["units"]) if inputs else []:
        if _byte(unit, _UNIT["kind"]) != _IS_NORMALISATION:
            continue
        options = _table(unit, _UNIT["value"])
        mean, std = _floats(options, _NORMALISATION["mean"]), _floats(options, _NORMALISATION["std"])
        if len(mean) == len(std) and len(mean) in (1, 3) and all(s > 0 for s in std):
            return {"mean": mean, "scale": tuple(1 / s for s in std)}
    return {}


def _place(table: Any, field: int) -> int:
    """Where a field lies, 0 where it is left out."""
    offset = table.Offset(4 + 2 * field)
    return offset + table.Pos if offset else 0


def _table(table: Any, field: int) -> Any:
    from flatbuffers.table import Table

    return Table(table.Bytes, table.Indirect(_place(table, field)))


def _tables(table: Any, field: int) -> list[Any]:
    from flatbuffers.table import Table

    if not _place(table, field):
        return []
    offset = table.Offset(4 + 2 * field)
    start, count = table.Vector(offset), min(table.VectorLen(offset), _MOST_UNITS)
    return [Table(table.Bytes, table.Indirect(start + 4 * i)) for i in range(count)]


def _byte(table: Any, field: int) -> int:
    place = _place(table, field)
    return int(table.Bytes[place]) if place else 0


def _floats(table: Any, field: int) -> tuple[float, ...]:
    if not _place(table, field):
        return ()
    offset = table.Offset(4 + 2 * field)
    count = table.VectorLen(offset)
    return struct.unpack_from(f"<{count}f", table.Bytes, table.Vector(offset)) if count <= 3 else ()


def build(preprocessing: Preprocessing, name: str) -> bytes:
    """The metadata buffer: names, normalisation of the input, and the list of labels of the output."""
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    image = _object(builder, 1, [(_IMAGE["colours"], "byte", _RGB if preprocessing.channels == 3 else _GREY)])
    image_content = _union(builder, _IS_IMAGE, image)
    normalisation = _object(
        builder,
        2,
        [
            (_NORMALISATION["mean"], "offset", _float_vector(builder, preprocessing.mean)),
            (_NORMALISATION["std"], "offset", _float_vector(builder, [1 / s for s in preprocessing.scale])),
        ],
    )
    units = _vector(builder, [_union(builder, _IS_NORMALISATION, normalisation)])
    entry = _object(
        builder,
        7,
        [
            (_TENSOR["name"], "offset", builder.CreateString(INPUT_NAME)),
            (_TENSOR["content"], "offset", image_content),
            (_TENSOR["units"], "offset", units),
        ],
    )
    inputs = _vector(builder, [entry])
    listed = _object(
        builder,
        5,
        [
            (_FILE["name"], "offset", builder.CreateString(LABELS_FILE)),
            (_FILE["kind"], "byte", _IS_LABELS),
        ],
    )
    files = _vector(builder, [listed])
    feature_content = _union(builder, _IS_FEATURE, _object(builder, 0, []))
    result = _object(
        builder,
        7,
        [
            (_TENSOR["name"], "offset", builder.CreateString(OUTPUT_NAME)),
            (_TENSOR["content"], "offset", feature_content),
            (_TENSOR["files"], "offset", files),
        ],
    )
    outputs = _vector(builder, [result])
    graph = _object(builder, 9, [(_SUBGRAPH["inputs"], "offset", inputs), (_SUBGRAPH["outputs"], "offset", outputs)])
    graphs = _vector(builder, [graph])
    root = _object(
        builder,
        8,
        [
            (_MODEL["name"], "offset", builder.CreateString(name)),
            (_MODEL["subgraphs"], "offset", graphs),
            (_MODEL["min_parser_version"], "offset", builder.CreateString("1.0.0")),
        ],
    )
    builder.Finish(root, file_identifier=IDENTIFIER)
    return bytes(builder.Output())


def with_labels(file: bytes, labels: Sequence[str]) -> bytes:
    """A file with the zip that holds its list of labels behind it; the same bytes for the same labels."""
    buffer = io.BytesIO(file)
    # Appending, so that the zip's offsets count from the start of the whole file.
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
        lines = "".join(f"{' '.join(label.split())}\n" for label in labels)
        archive.writestr(zipfile.ZipInfo(LABELS_FILE, date_time=(1980, 1, 1, 0, 0, 0)), lines.encode())
    return buffer.getvalue()


def _object(builder: Any, fields: int, values: Sequence[tuple[int, str, Any]]) -> int:
    """A table of so many fields. Its strings and vectors are made before, since flatbuffers do not nest."""
    builder.StartObject(fields)
    add: dict[str, Callable[[int, Any, int], None]] = {
        "offset": builder.PrependUOffsetTRelativeSlot,
        "byte": builder.PrependInt8Slot,
    }
    for number, kind, value in values:
        add[kind](number, value, 0)
    return int(builder.EndObject())


def _union(builder: Any, kind: int, value: int) -> int:
    """Content and ProcessUnit are alike: the kind of the union, then the union."""
    return _object(builder, 2, [(_CONTENT["kind"], "byte", kind), (_CONTENT["value"], "offset", value)])


def _vector(builder: Any, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _float_vector(builder: Any, values: Sequence[float]) -> int:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependFloat32(value)
    return int(builder.EndVector())
