"""The two files of a model folder as bytes on a disk: read with suspicion, written whole or not at all."""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any, NoReturn

import numpy as np

from depthwise.beside import recover
from depthwise.errors import Refused
from depthwise.files import read_file
from depthwise.kinds import ARTIFACT
from depthwise.network.spec import shown
from depthwise.network.weights import Array
from depthwise.places import Kind, names, place

# A folder says 2 where an int8 layer's weights have a zero point, which older versions would not subtract.
FORMAT = 1
FORMAT_OF_ZERO_POINTS = 2
DESCRIPTION = "model.json"
WEIGHTS = "weights.safetensors"
# What may lie in a model folder beside our two files, and is kept when they are replaced.
KEPT = "README.md"
LARGEST_DESCRIPTION = 64 * 2**20
# Only labels, of which there may be a million, make a description longer than this. An empty list of three bytes takes
# 60 in memory, a text hardly more than it is long.
LONGEST_WITHOUT_LABELS = 4 * 2**20
MOST_LISTS, MOST_VALUES = 10_000, 1_100_000
# A safetensors file begins with a header in JSON; those of our networks have some 20 kB.
LARGEST_HEADER = 2**20
DTYPES = {"float32": np.float32, "float16": np.float16}


def read_description(path: Path) -> dict[str, Any]:
    """The JSON object in a file, of a format that this version reads.

    Raises: Refused, when the file is missing, too large, not an object or of another format; says which file.
    """
    try:
        recover(place(path.parent))
        content = read_file(path, LARGEST_DESCRIPTION)
        _check_parts(content)
        description = json.loads(content.decode(), parse_constant=_no_constant, parse_float=_finite)
    except (FileNotFoundError, NotADirectoryError):
        raise Refused(_not_one(path)) from None
    except OSError as problem:
        raise Refused(f"{path}: cannot be read ({problem.strerror})") from None
    except (ValueError, RecursionError) as problem:
        raise Refused(f"{path}: not valid JSON ({problem}); the file is damaged") from None
    if not isinstance(description, dict):
        raise Refused(f"{path}: holds no JSON object; the file is damaged")
    if "format" not in description and "spec" not in description:
        raise Refused(f"{path}: is another program's; {_ways_to(path.parent)}")
    found = description.get("format")
    # `True == 1` in Python, so the type is compared too.
    if type(found) is not int or found not in (FORMAT, FORMAT_OF_ZERO_POINTS):
        raise Refused(
            f"{path}: format {shown(found)}; this version of depthwise reads formats {FORMAT} and"
            f" {FORMAT_OF_ZERO_POINTS}, update depthwise"
        )
    return description


def _not_one(path: Path) -> str:
    """What a place is that has no description, and what to do."""
    folder = path.parent
    if os.path.lexists(folder):
        return f"{folder}: not a model folder, it has no {path.name}; {_ways_to(folder)}"
    return (
        f"{folder}: there is no such folder; give one that `depthwise train` wrote, or that `depthwise convert` made of"
        " another program's network or of a name such as keras/0.25-128"
    )


def _ways_to(place: Path) -> str:
    """How one comes to a model folder."""
    if place.is_file() and ARTIFACT.is_one(place):
        return "it is an artifact, from which no model comes back; give the model folder that it was compiled from"
    return (
        "give a folder that `depthwise train` wrote; if it is another program's network, run: depthwise convert"
        f" {quote(str(place))} {quote((place.stem or 'network') + '-model')}"
    )


def read_weights(path: Path, wanted: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """The float arrays of a file as float32.

    Args:
        wanted: shapes by name of what the network needs, which bound the file's size.
    Raises: Refused, when the file is missing, too large, damaged or of another dtype; says the file's name only.
    """
    found = read_arrays(path, sum(math.prod(shape) for shape in wanted.values()) * 4)
    for name, array in found.items():
        if array.dtype not in DTYPES.values():
            raise Refused(f"weight {name} is {array.dtype}; known are {', '.join(DTYPES)}")
    return {name: array.astype(np.float32) for name, array in found.items()}


def read_arrays(path: Path, most_bytes: int) -> dict[str, Array]:
    """The arrays of a file as they are; its size is checked before anything is allocated.

    Args:
        most_bytes: what the network's arrays need at most.
    Raises: Refused, when the file is missing, too large or damaged; says the file's name only.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    largest = most_bytes + LARGEST_HEADER
    try:
        return from_bytes(read_file(path, largest))
    except FileNotFoundError:
        raise Refused(f"it has no {path.name}; copy the whole folder") from None
    except OSError as problem:
        raise Refused(f"{path.name} cannot be read ({problem.strerror})") from None
    except (SafetensorError, struct.error, ValueError, KeyError, AttributeError, TypeError) as problem:
        raise Refused(f"{path.name} is damaged ({problem})") from None


def is_model_folder(folder: Path) -> bool:
    """Whether a folder holds what this file writes and nothing else; a card alone is kept, so it counts too."""
    found = names(folder)
    if found == {KEPT}:
        return True
    try:
        return found <= {DESCRIPTION, WEIGHTS, KEPT} and "spec" in read_description(folder / DESCRIPTION)
    except Refused:
        return False


def worth(folder: Path) -> str:
    """What would be lost with a folder: a model, with its accuracy where it says one; "" for a card alone."""
    if names(folder) == {KEPT}:
        return ""
    accuracy = read_description(folder / DESCRIPTION).get("accuracy")
    figures = [figure for figure in accuracy.values() if isinstance(figure, dict)] if isinstance(accuracy, dict) else []
    top1 = figures[-1].get("top1") if figures else None
    return f"a model (top-1 {top1:.2%})" if isinstance(top1, float) else "a model"


MODEL = Kind(name="a model folder", is_one=is_model_folder, folder=True, worth=worth)


def _check_parts(content: bytes) -> None:
    """Refuse a description that would take many times its size in memory, of which it can only be long by its labels.

    Raises: ValueError, with the reason.
    """
    if len(content) > LONGEST_WITHOUT_LABELS:
        lists, values = content.count(b"[") + content.count(b"{"), content.count(b",")
        if lists > MOST_LISTS or values > MOST_VALUES:
            raise ValueError(
                f"{lists:,} lists and objects, {values:,} values; at most {MOST_LISTS:,} and {MOST_VALUES:,}"
            )


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError(f"{text[:20]} is beyond the range of numbers")
    return number


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON value")
