"""The foreign files that are written, and how one that is there already is known by its content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from depthwise.places import Kind, beginning, names

# A file of ONNX begins with the version of its intermediate representation: field 1, a small number.
_ONNX_FIRST, _ONNX_LATEST = 0x08, 64
_TFLITE_MARK = b"TFL3"
_HDF5_MARK = b"\x89HDF\r\n\x1a\n"
_SHA256 = "0123456789abcdef"


def _model(name: str, is_one: Callable[[Path], bool], *, folder: bool = False) -> Kind:
    return Kind(name=name, is_one=is_one, folder=folder, worth=lambda path: "a model")


def _is_onnx(path: Path) -> bool:
    first = beginning(path, 2)
    return len(first) == 2 and first[0] == _ONNX_FIRST and 0 < first[1] < _ONNX_LATEST


def _is_safetensors(path: Path) -> bool:
    first = beginning(path, 9)
    return first[8:] == b"{" and int.from_bytes(first[:8], "little") < path.stat().st_size


def _is_checksum(path: Path) -> bool:
    text = beginning(path).decode("ascii", "replace").strip()
    return len(text) == 64 and set(text) <= set(_SHA256)


ONNX = _model("an ONNX file", _is_onnx)
TFLITE = _model("a TFLite file", lambda path: beginning(path, 8)[4:] == _TFLITE_MARK)
SAFETENSORS = _model("a safetensors file", _is_safetensors)
TIMM = _model("a timm folder", lambda path: names(path) <= {"config.json", "model.safetensors"}, folder=True)
# What is fetched, and its checksum.
KERAS = Kind(name="a Keras file", is_one=lambda path: beginning(path, 8) == _HDF5_MARK)
CHECKSUM = Kind(name="a checksum", is_one=_is_checksum)
