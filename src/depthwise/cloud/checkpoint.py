"""The whole state of a run in two plain files, written whole or not at all and never pickled."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes

from depthwise.errors import Refused

NAME = "checkpoint.safetensors"
# Tensors stand apart in the file; in the JSON text each is replaced by this key and its name.
TENSOR = "__tensor__"
FORMAT = "1"


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write a nested state of dicts, lists, numbers, texts and tensors to `folder`/checkpoint.safetensors."""
    tensors: dict[str, torch.Tensor] = {}
    text = json.dumps(_take_out(state, "", tensors))
    fresh = folder / f".{NAME}.new"
    with fresh.open("wb") as file:
        file.write(to_bytes(tensors, metadata={"format": FORMAT, "state": text}))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / NAME)


def load(folder: Path) -> dict[str, Any] | None:
    """The state that `save` wrote last, or None where there is none.

    Raises: Refused, when the file is damaged or of another version.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        content = path.read_bytes()
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        metadata = header["__metadata__"]
        tensors = from_bytes(content)
        if metadata["format"] != FORMAT:
            raise Refused(
                f"{path}: format {metadata['format']!r}; this version reads {FORMAT}; start the training anew"
            )
        state = _put_back(json.loads(metadata["state"]), tensors)
    except (SafetensorError, ValueError, KeyError, TypeError) as problem:
        raise Refused(f"{path}: damaged ({problem}); remove it to start the training anew") from None
    if not isinstance(state, dict):
        raise Refused(f"{path}: damaged (no state in it); remove it to start the training anew")
    return state


def _take_out(value: Any, name: str, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, torch.Tensor):
        # Cloned, since safetensors refuses two tensors that share memory.
        tensors[name] = value.detach().to("cpu").contiguous().clone()
        return {TENSOR: name}
    if isinstance(value, dict):
        # Keys of optimizer states are whole numbers, which JSON would turn into texts.
        return {"__pairs__": [[key, _take_out(item, f"{name}/{key}", tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return [_take_out(item, f"{name}/{place}", tensors) for place, item in enumerate(value)]
    return value


def _put_back(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, list):
        return [_put_back(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if TENSOR in value:
        return tensors[value[TENSOR]]
    return {key: _put_back(item, tensors) for key, item in value["__pairs__"]}
