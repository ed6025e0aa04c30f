"""The whole state of a run in two plain files, written whole or not at all and never pickled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes

from depthwise.errors import Refused
from depthwise.files import read_file, write_file
from depthwise.places import Kind, beginning

NAME = "checkpoint.safetensors"
# Tensors stand apart in the file; in the JSON text each is replaced by this key and its name.
TENSOR = "__tensor__"
FORMAT = "1"
# Some copies of the weights, of which the largest network of the family has 117 MB.
LARGEST = 4 * 2**30
CHECKPOINT = Kind(name="a checkpoint", is_one=lambda path: b'{"__metadata__"' in beginning(path))


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write a nested state of dicts, lists, numbers, texts and tensors to `folder`/checkpoint.safetensors.

    Raises: Refused, when it cannot be written; the one before is then still there.
    """
    tensors: dict[str, torch.Tensor] = {}
    text = json.dumps(_take_out(state, "", tensors))
    try:
        write_file(folder / NAME, to_bytes(tensors, metadata={"format": FORMAT, "state": text}), CHECKPOINT)
    except Refused as refusal:
        raise Refused(f"{refusal}, or free some; then go on from the checkpoint before by --resume") from None


def read(folder: Path) -> bytes | None:
    """The bytes that `save` wrote last, or None where there are none.

    Raises: Refused, when the file cannot be read.
    """
    path = folder / NAME
    try:
        return read_file(path, LARGEST)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise Refused(f"{path}: cannot be read ({problem.strerror}); remove it to start the training anew") from None


def decode(content: bytes, path: Path) -> dict[str, Any]:
    """The state in the bytes of a checkpoint.

    Args:
        path: where they are from, for the message.
    Raises: Refused, when they are damaged or of another version.
    """
    try:
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        metadata = header["__metadata__"]
        if metadata["format"] != FORMAT:
            raise Refused(
                f"{path}: format {metadata['format']!r}; this version reads {FORMAT}; remove it to start anew"
            )
        state = _put_back(json.loads(metadata["state"]), from_bytes(content))
        if not isinstance(state, dict):
            raise ValueError("no state in it")
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        reason = " ".join(str(problem).split())[:200]
        raise Refused(f"{path}: damaged ({reason}); remove it to start the training anew") from None
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
