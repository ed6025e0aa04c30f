"""TensorFlow.js layers models in: model.json with the description as Keras has it, and files of weights beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.keras.file import Contents
from depthwise.interop.source import LARGEST_FILE, content, digest
from depthwise.network.weights import Array

MODEL = "model.json"
TOPOLOGY, _MANIFEST = "modelTopology", "weightsManifest"
# Bytes of a number in the files; those of whole numbers are passed over, as no layer of MobileNet V1 has any.
_SIZES = {"float32": 4, "float16": 2, "int32": 4, "uint8": 1, "uint16": 2, "bool": 1}
_FLOATS = {"float32": "<f4", "float16": "<f2"}
_QUANTISED = {"uint8": "<u1", "uint16": "<u2"}


def contents(path: Path) -> tuple[Contents, str]:
    """What a layers model holds, and the SHA-256 of all its files.

    Args:
        path: its model.json.
    Raises: Refused, when it is a graph model, damaged, or not whole.
    """
    data = content(path)
    try:
        model = json.loads(data)
        topology, manifest = model[TOPOLOGY], model[_MANIFEST]
        if model.get("format") == "graph-model" or (topology and "node" in topology):
            raise Refused("it is a graph model of TensorFlow.js; convert the model that it was made of")
        # Made of a file of weights alone, it describes nothing.
        described = json.dumps(topology.get("model_config", topology)) if topology else ""
        arrays: dict[str, Array] = {}
        for group in manifest:
            files = b"".join(content(path.parent / _plain(name)) for name in group["paths"])
            if len(files) > LARGEST_FILE:
                raise Refused(f"its weights have more than {LARGEST_FILE:,} bytes; no MobileNet V1 here has")
            data += files
            arrays.update(_arrays(files, group["weights"], LARGEST_FILE - sum(a.nbytes for a in arrays.values())))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as problem:
        raise Refused(f"it lacks a field or has a wrong one ({problem!r}); it is damaged") from None
    return Contents(config=described, arrays=arrays), digest(data)


def _plain(name: Any) -> str:
    """The name of a file beside model.json, and of no other place."""
    if not isinstance(name, str) or PurePosixPath(name).name != name or "\\" in name:
        raise Refused(f"its weights lie in {str(name)[:80]!r}; put all files into the folder of {MODEL}")
    return name


def _arrays(files: bytes, entries: Any, left: int) -> Iterator[tuple[str, Array]]:
    """Name and float numbers of each entry; they lie one after the other."""
    place = 0
    for entry in entries:
        name, shape = str(entry["name"]), tuple(int(n) for n in entry["shape"])
        stored = entry.get("quantization", {}).get("dtype", entry["dtype"])
        count = math.prod(shape)
        if stored not in _SIZES or min(shape, default=0) < 0:
            raise Refused(
                f"array {name[:80]} is {str(stored)[:20]} of shape {shape}; weights are float32, float16 or uint8"
            )
        end = place + count * _SIZES[stored]
        if end > len(files):
            raise Refused(f"array {name[:80]} ends behind the files of its weights; they are not whole")
        left -= 4 * count
        if left < 0:
            raise Refused(f"its arrays have more than {LARGEST_FILE:,} bytes; no MobileNet V1 here has")
        if entry["dtype"] == "float32":
            yield name, _numbers(files[place:end], stored, entry.get("quantization", {})).reshape(shape)
        place = end


def _numbers(data: bytes, stored: str, quantised: Mapping[str, Any]) -> Array:
    """Source of `number * scale + min`: TensorFlow.js's io.decodeWeights."""
    if stored in _FLOATS:
        return np.frombuffer(data, _FLOATS[stored]).astype(np.float32)
    whole = np.frombuffer(data, _QUANTISED[stored]).astype(np.float32)
    return whole * np.float32(quantised["scale"]) + np.float32(quantised["min"])
