"""PyTorch's MobileNet V1: timm's in and out, transformers' and the state dicts of other modules in.

A folder with model.safetensors and config.json, or a file alone.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from depthwise.errors import Refused
from depthwise.files import write_file, write_folder
from depthwise.interop.chain import Chain, Clamp, Convolution, Dense, Norm, Pool
from depthwise.interop.kinds import SAFETENSORS, TIMM
from depthwise.interop.match import to_model
from depthwise.interop.pytorch import pickled, state_dict, transformers_config
from depthwise.interop.pytorch.timm_config import CONFIG, Config, architecture, config_for, read_config
from depthwise.interop.source import NOTHING, Given, Source, content, description, digest, parse_own
from depthwise.network.layers import Layer, layers
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.network.spec import ACTIVATIONS, Spec
from depthwise.network.weights import NORM_FIELDS, Array

WEIGHTS = "model.safetensors"
PICKLES = ("pytorch_model.bin", "model.bin")
# `.pth.tar` is what PyTorch's examples call a checkpoint.
PICKLED = (".pt", ".pth", ".bin", ".ckpt", ".tar")
# The array by which timm's names are told.
FIRST = "conv_stem.weight"
# What training counts, and no network computes with: batches, and models in an average of PyTorch's AveragedModel.
_COUNTERS, _AVERAGED = ".num_batches_tracked", "n_averaged"
_OWN, _LABELS = "depthwise", "labels"
LARGEST_HEADER = 4 * 2**20
# Types of numbers of a safetensors file, as NumPy reads them.
_NUMBERS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2"} | {
    "I8": "i1", "U8": "u1", "BOOL": "?"
}  # fmt: skip


def read(path: Path, given: Given = NOTHING, name: str = "") -> Model:
    """The model of a folder of timm or transformers, or of a file with a state dict.

    Args:
        given: what the user says of it.
        name: what the user calls it, for the provenance; the path's name where empty.
    Raises: Refused, when it is no MobileNet V1 (naming the first array that does not fit) or damaged.
    """
    file, folder = (_weights_of(path), path) if path.is_dir() else (path, path.parent)
    data = content(file)
    try:
        ordered = file.suffix in PICKLED
        header, arrays = ({}, _counted_out(pickled.extract(file))) if ordered else _arrays(data)
        source = Source(name=name or path.name, format="pytorch", sha256=digest(data), given=given)
        if FIRST not in arrays:
            arrays = state_dict.unwrapped(arrays)
        with np.errstate(all="ignore"):
            if FIRST not in arrays:
                return _other(arrays, folder, source, ordered=ordered)
            return _own_names(arrays, header, folder, source, required=path.is_dir())
    except Refused as refusal:
        raise Refused(f"{path}: {refusal}") from None


def _weights_of(folder: Path) -> Path:
    """The file of a folder that holds the weights.

    Raises: Refused, when there is none.
    """
    found = next((name for name in (WEIGHTS, *PICKLES) if (folder / name).is_file()), None)
    if found is None:
        raise Refused(f"{folder}: has no {WEIGHTS}; save the model as safetensors")
    return folder / found


def _own_names(
    arrays: dict[str, Array], header: Mapping[str, Any], folder: Path, source: Source, *, required: bool
) -> Model:
    """A network with timm's names."""
    own = parse_own(header.get(_OWN, ""))
    # A file on its own may lie among strangers: their config.json counts only if it is timm's.
    config = read_config(folder / CONFIG, required=required)
    known = dataclasses.replace(
        source,
        format="timm",
        labels=config.labels or _labels(header),
        mean=config.mean,
        scale=config.scale,
        # timm's pictures are Pillow's: red first.
        bgr=None if config.mean is None else False,
        resize=config.resize,
        square="squash" if config.squash else "",
        filter=config.interpolation,
        own=own,
        padding="same" if config.same_padding else "symmetric",
    )
    return to_model(_chain(arrays, config, own, source.given.activation), known)


def _other(arrays: dict[str, Array], folder: Path, source: Source, *, ordered: bool) -> Model:
    """A network of transformers, or of a module that somebody wrote."""
    config = transformers_config.read_json(folder / CONFIG)
    if transformers_config.is_transformers(config):
        settings = transformers_config.settings(config)
        processor = transformers_config.read_json(folder / transformers_config.PROCESSOR)
        fields = {"labels": transformers_config.labels(config), **transformers_config.pixels(processor)}
        known = dataclasses.replace(source, format="transformers", padding=settings.padding, **fields)
        return to_model(state_dict.chain(arrays, settings, ordered=ordered), known)
    settings = state_dict.Settings(
        side=source.given.resolution,
        activation=source.given.activation or state_dict.Settings.activation,
        unit_strides=source.given.unit_strides,
    )
    activated = source.given.activation is not None
    settings = state_dict.found_out(arrays, settings, ordered=ordered, known=activated)
    if source.given.epsilon is not None:
        settings = dataclasses.replace(settings, epsilon=source.given.epsilon)
    strides = "the strides given" if settings.unit_strides else "the paper's strides"
    assumes = f"{settings.padding} padding, {settings.activation}, epsilon {settings.epsilon:g} and {strides}"
    known = dataclasses.replace(source, padding=settings.padding, assumes=assumes)
    return to_model(state_dict.chain(arrays, settings, ordered=ordered), known)


def write(model: Model | QuantizedModel, path: Path) -> None:
    """Write a model so that timm reads it, whole or not at all; what is there is replaced.

    Args:
        path: a file when it ends with .safetensors (the bare weights); or a folder, which timm's
            `create_model("local-dir:PATH")` loads.
    Raises: Refused, when timm has no such network, or it cannot be written.
    """
    from safetensors.numpy import save

    if isinstance(model, QuantizedModel):
        raise Refused("timm's networks are float, and this model is int8; write .onnx or .tflite")
    arrays = dict(model.weights)
    for layer in layers(model.spec):
        if layer.norm:
            arrays[f"{layer.norm}{_COUNTERS}"] = np.zeros((), np.int64)
    metadata = {
        "format": "pt",
        _OWN: json.dumps(description(model), sort_keys=True),
        _LABELS: json.dumps(list(model.labels), ensure_ascii=False),
    }
    _check_layout(model.spec)
    weights = save({name: np.asarray(array, order="C") for name, array in sorted(arrays.items())}, metadata)
    if path.suffix == ".safetensors":
        write_file(path, weights, SAFETENSORS)
        return
    text = json.dumps(config_for(model, architecture(model.spec)), indent=1, ensure_ascii=False) + "\n"
    write_folder(path, {CONFIG: text.encode(), WEIGHTS: weights}, TIMM)


def _check_layout(spec: Spec) -> None:
    plain = Spec(width=spec.width, resolution=spec.resolution, classes=spec.classes, channels=spec.channels)
    if [row.name for row in layers(spec)] != [row.name for row in layers(plain)] or spec.unit_strides:
        raise Refused("timm has no MobileNet V1 that is shallow, of standard convolutions or with unit strides")


def _arrays(data: bytes) -> tuple[dict[str, str], dict[str, Array]]:
    """The header's own entries and the float arrays of a safetensors file."""
    from safetensors import SafetensorError, deserialize

    try:
        (size,) = struct.unpack_from("<Q", data)
        if size > LARGEST_HEADER:
            raise Refused(f"its header has {size:,} bytes; it is damaged")
        header = json.loads(data[8 : 8 + size]).get("__metadata__", {})
        arrays = {name: _array(**tensor) for name, tensor in deserialize(data)}  # type: ignore[no-untyped-call]
    except (SafetensorError, struct.error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise Refused(f"it is not a safetensors file, damaged, or of a type of number not read ({problem})") from None
    return (header if isinstance(header, dict) else {}), _counted_out(arrays)


def _array(dtype: str, shape: list[int], data: bytes) -> Array:
    """A tensor of a safetensors file; bfloat16, which NumPy has not, as the float32 that it is the upper half of.

    Raises: KeyError, for another type of number.
    """
    flat = np.frombuffer(data, _NUMBERS[dtype])
    return (flat.astype(np.uint32) << 16).view(np.float32).reshape(shape) if dtype == "BF16" else flat.reshape(shape)


def _counted_out(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays that a network computes with.

    Raises: Refused, when one is not of real numbers.
    """
    counters = (_COUNTERS.removeprefix("."), _AVERAGED)
    whole = {name: array for name, array in arrays.items() if not name.endswith(counters)}
    for name, array in whole.items():
        if array.dtype not in (np.float32, np.float16, np.float64):
            raise Refused(f"array {name} is {array.dtype}; weights are float32, float16 or float64")
    return whole


def _labels(header: Mapping[str, Any]) -> tuple[str, ...] | None:
    try:
        found = json.loads(header[_LABELS])
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    return tuple(found) if isinstance(found, list) and all(isinstance(label, str) for label in found) else None


def _chain(arrays: dict[str, Array], config: Config, own: Mapping[str, Any], activation: str | None) -> Chain:
    """timm's names are those of our table: each must be there, and nothing else."""
    spec, left = _own_spec(own), dict(arrays)
    side = config.resolution or (spec.resolution if own else None)
    padding = "same" if config.same_padding else spec.padding
    high = ACTIVATIONS[activation or config.activation or spec.activation]
    chain = Chain(height=side, width=side, channels=None)
    # Names and strides do not depend on the other numbers of a spec.
    for row in layers(Spec(padding=padding, resolution=side or Spec.resolution)):
        where = f"array {row.name}.weight"
        if row.norm:
            chain.add(_convolution(row, where, _take(left, f"{row.name}.weight", 4), padding))
            chain.add(_norm(row, left, config.epsilon or spec.bn_epsilon))
            chain.add(Clamp(where=where, low=0.0, high=high))
        elif row.kind == "pool":
            chain.add(Pool(where="the pool"))
        elif (name := _classifier(left, row.name)) is not None:
            weight = _take(left, f"{name}.weight", left[f"{name}.weight"].ndim)
            bias = _take(left, f"{name}.bias", 1) if f"{name}.bias" in left else None
            chain.add(Dense(where=f"array {name}.weight", weight=weight.reshape(weight.shape[:2]), bias=bias))
    if left:
        raise Refused(f"array {min(left)} is not part of MobileNet V1; timm's mobilenetv1_100 and _125 have none such")
    return chain


def _classifier(left: Mapping[str, Array], usual: str) -> str | None:
    """The name of the product among the arrays that are left; None where there is none.

    The only one that is left is it, whatever it is called: `fc`, `classifier.1` behind a dropout, `head`. It may be a
    convolution of 1x1.
    """
    places = {name.rpartition(".")[0] for name in left}
    name = places.pop() if len(places) == 1 else usual
    shape = left[f"{name}.weight"].shape if f"{name}.weight" in left else ()
    return name if len(shape) == 2 or (len(shape) == 4 and shape[2:] == (1, 1)) else None


def _convolution(row: Layer, where: str, weight: Array, padding: str) -> Convolution:
    return Convolution(
        where=where,
        weight=weight,
        stride=(row.stride, row.stride),
        padding="same" if padding == "same" else row.padding,
        depthwise=row.kind == "depthwise",
    )


def _norm(row: Layer, left: dict[str, Array], epsilon: float) -> Norm:
    weight, bias, mean, variance = (_take(left, f"{row.norm}.{part}", 1) for part in NORM_FIELDS)
    where = f"arrays {row.norm}"
    return Norm(where=where, weight=weight, bias=bias, mean=mean, variance=variance, epsilon=epsilon)


def _own_spec(own: Mapping[str, Any]) -> Spec:
    try:
        return Spec.from_dict(own["spec"])
    except (KeyError, TypeError, ValueError, Refused):
        return Spec()


def _take(left: dict[str, Array], name: str, dimensions: int) -> Array:
    if name not in left:
        raise Refused(f"array {name} is missing; it is not a MobileNet V1 of timm")
    array = left.pop(name)
    if array.ndim != dimensions or not array.size:
        raise Refused(f"array {name} has shape {array.shape}; in MobileNet V1 it has {dimensions} dimensions")
    return array
