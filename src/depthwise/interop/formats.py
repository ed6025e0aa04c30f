"""Which reader or writer a path or a name asks for."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Literal

from depthwise.beside import recover
from depthwise.errors import Refused
from depthwise.interop import names
from depthwise.interop.keras import folder as keras_folder
from depthwise.interop.kinds import ONNX, SAFETENSORS, TFLITE, TIMM
from depthwise.interop.labels import distinct
from depthwise.interop.source import NOTHING, Given
from depthwise.network.folder import DESCRIPTION, MODEL
from depthwise.network.model import Model
from depthwise.network.preprocessing import squared
from depthwise.network.quantized import QuantizedModel, load_model
from depthwise.places import Kind, place

Format = Literal["model", "keras", "onnx", "pytorch", "tflite", "timm"]
SUFFIXES: dict[str, Format] = {
    ".h5": "keras",
    ".hdf5": "keras",
    ".keras": "keras",
    ".onnx": "onnx",
    ".safetensors": "timm",
    ".tflite": "tflite",
    ".lite": "tflite",
    ".pt": "pytorch",
    ".pth": "pytorch",
    ".bin": "pytorch",
    ".ckpt": "pytorch",
    ".tar": "pytorch",
}
WRITTEN: tuple[Format, ...] = ("model", "onnx", "tflite", "timm")
_READ_ONLY: dict[Format | None, str] = {"keras": "Keras", "pytorch": "PyTorch's own"}
# Suffixes of files that hold MobileNets and cannot be read, and what to do about it.
_CHECKPOINT = "they are of a TensorFlow checkpoint; load it there, and save the model as .h5 or .keras"
_OTHERS = {
    ".pb": "convert it to TFLite or ONNX",
    ".pt2": "it is a program that torch.export wrote; save its weights, or export it to ONNX",
    ".index": _CHECKPOINT,
    ".meta": _CHECKPOINT,
    ".json": "it describes no network of Keras or TensorFlow.js",
    **dict.fromkeys((".so", ".dylib", ".dll", ".a"), "give the model folder that it was compiled from"),
}


def read_int8(source: str, given: Given = NOTHING) -> QuantizedModel:
    """The int8 model of a file, with the file's own integers and ranges.

    Args:
        source: an int8 model folder, or a .onnx or .tflite file.
    Raises: Refused, as `read`, and when the file is not of int8 or its format has none.
    """
    _refuse_address(source)
    path = Path(source)
    found = None if names.is_name(source) else format_of(path)
    if found == "model":
        model = _relabelled(path, given)
        if isinstance(model, QuantizedModel):
            return model
        raise Refused(f"{path}: holds a float model; run `depthwise quantize` on it first")
    if found not in ("onnx", "tflite"):
        raise Refused(f"{source}: only .onnx and .tflite files and model folders are of int8; leave out --keep-int8")
    kept: QuantizedModel = _module(found).read_int8(path, given)
    return kept


def read(source: str, given: Given = NOTHING) -> Model | QuantizedModel:
    """The model of a path or a name, whatever its format.

    Args:
        source: a model folder, a folder of timm, transformers, TensorFlow.js or Keras, a .h5, .keras, .onnx,
            .safetensors, .pt, .pth or .tflite file, or a name of published weights such as keras/0.25-128.
        given: what the user says of it.
    Returns: a float model, but of a model folder of int8 what it holds.
    Raises: Refused, when it is no MobileNet V1, damaged, or of no known format.
    """
    _refuse_address(source)
    if names.is_name(source):
        return names.load(source, given)
    path = Path(source)
    found = format_of(path)
    if (given.activation or given.epsilon or given.unit_strides) and found not in ("timm", "pytorch"):
        raise Refused(f"{path}: says this itself; leave --activation, --bn-epsilon and --unit-strides out")
    if found == "model":
        return _relabelled(path, given)
    model: Model = _module(found).read(path, given)
    return model


def _refuse_address(source: str) -> None:
    if "://" in source:
        raise Refused(f"{source}: is an address; fetch the file first, and give its path")


def _relabelled(path: Path, given: Given) -> Model | QuantizedModel:
    """The model of a model folder, which says everything of itself; only its labels may be given anew."""
    if given.resolution is not None or given.mean is not None or given.scale is not None or given.bgr:
        raise Refused(f"{path}: a model folder says its resolution, mean, scale and order; leave these options out")
    model = load_model(path)
    if given.resize is not None:
        model = model.replace(preprocessing=squared(model.preprocessing, given.resize))
    return model if given.labels is None else model.replace(labels=distinct(given.labels))


def format_of(path: Path) -> Format:
    """The format of what lies at a path.

    Raises: Refused, when nothing does, or it is of no known format.
    """
    recover(place(path))
    if (path.is_dir() or path.suffix.lower() == ".json") and keras_folder.is_keras(path):
        return "keras"
    if path.is_dir():
        if (path / DESCRIPTION).is_file():
            return "model"
        if any((path / name).is_file() for name in ("config.json", "model.safetensors", "pytorch_model.bin")):
            return "timm"
        if (path / "saved_model.pb").is_file():
            raise Refused(f"{path}: is a TensorFlow SavedModel, which is not read; convert it to TFLite or ONNX")
        raise Refused(f"{path}: neither a model folder nor timm's; it has no {DESCRIPTION} and no model.safetensors")
    if not path.exists():
        raise Refused(
            f"{path}: there is no such file; names of published weights are like keras/0.25-128 (train also"
            " knows imagenet and shipped)"
        )
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        suffix = ".index" if suffix.startswith(".data-") else suffix
        advice = _OTHERS.get(suffix, f"known are {', '.join(SUFFIXES)} and folders")
        raise Refused(f"{path}: files of {suffix or 'no suffix'} are not read; {advice}")
    return SUFFIXES[suffix]


def format_to(path: Path, asked: Format | None = None) -> Format:
    """The format that a destination asks for.

    Raises: Refused, for a suffix that is read only, or that contradicts `asked`.
    """
    by_suffix = SUFFIXES.get(path.suffix.lower())
    if by_suffix in _READ_ONLY:
        raise Refused(f"{path}: {_READ_ONLY[by_suffix]} files are read, not written; write .onnx or .tflite")
    if asked is not None and by_suffix not in (None, asked):
        raise Refused(f"{path}: its suffix says {by_suffix} and --to {asked}; make them agree")
    return asked or by_suffix or "model"


def kind_of(path: Path, asked: Format | None = None) -> Kind:
    """What a destination asks for, and what may lie there and be replaced.

    Raises: Refused, as `format_to` does.
    """
    if path.suffix.lower() == ".safetensors":
        return SAFETENSORS
    return {"model": MODEL, "onnx": ONNX, "tflite": TFLITE, "timm": TIMM}[format_to(path, asked)]


def write(model: Model | QuantizedModel, path: Path, asked: Format | None = None) -> Format:
    """Write a model in the format that a path asks for; returns that format.

    Raises: Refused, when the format has no such network, or it cannot be written.
    """
    chosen = format_to(path, asked)
    if chosen == "model":
        model.save(path)
    else:
        _module(chosen).write(model, path)
    return chosen


# Formats whose folder has another name.
_FOLDERS: dict[Format, str] = {"timm": "pytorch"}


def _module(name: Format) -> ModuleType:
    """The module of a format, imported when it is needed: each needs packages of its own."""
    return importlib.import_module(f"depthwise.interop.{_FOLDERS.get(name, name)}.format")
