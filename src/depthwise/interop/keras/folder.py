"""Folders of which one file describes a Keras model and others hold its weights: which kind one is, and its parts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from depthwise.errors import Refused
from depthwise.files import read_file
from depthwise.interop.keras import tfjs
from depthwise.interop.keras.file import LARGEST_CONFIG, ZIPPED_CONFIG, ZIPPED_WEIGHTS, Contents, extract
from depthwise.interop.source import content, digest

_WEIGHTS = (".h5", ".hdf5")


def is_keras(path: Path) -> bool:
    """Whether a JSON file describes a model of Keras or TensorFlow.js, or a folder holds such a file."""
    return _description(path) is not None


def whole(path: Path) -> tuple[Contents, str]:
    """What the files of a model hold together, and the SHA-256 of them all.

    Args:
        path: the folder, or its JSON file.
    Raises: Refused, when a part is missing, damaged or one of several.
    """
    file = _description(path)
    assert file is not None
    if tfjs.TOPOLOGY in _parsed(file):
        return tfjs.contents(file)
    weights = _weights(file)
    return replace(extract(weights), config=json.dumps(_parsed(file))), digest(content(file) + content(weights))


def _description(path: Path) -> Path | None:
    """The JSON file of a Keras model, and of no other; None where there is none."""
    if not path.is_dir():
        return path if path.suffix.lower() == ".json" and _describes(path) else None
    usual = [path / tfjs.MODEL] if (path / tfjs.MODEL).is_file() else []
    if (path / ZIPPED_WEIGHTS).is_file() and (path / ZIPPED_CONFIG).is_file():
        usual = [path / ZIPPED_CONFIG]
    found = [file for file in usual or sorted(path.glob("*.json"))[:_MOST] if file.is_file() and _describes(file)]
    return found[0] if len(found) == 1 else None


# A folder with more JSON files is none of a model.
_MOST = 20


def _describes(file: Path) -> bool:
    found = _parsed(file)
    return tfjs.TOPOLOGY in found or ("class_name" in found and "config" in found)


def _parsed(file: Path) -> dict[str, Any]:
    """A JSON object; {} where there is none, or one too long for a description."""
    try:
        found = json.loads(read_file(file, LARGEST_CONFIG))
        # `model.to_json()` written by json.dump is a text in a text.
        found = json.loads(found) if isinstance(found, str) else found
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _weights(description: Path) -> Path:
    """The one file of weights beside a description: of its name, or the only one."""
    beside = sorted(file for file in description.parent.iterdir() if file.suffix.lower() in _WEIGHTS)
    named = [file for file in beside if file.name.split(".")[0] == description.stem]
    found = named if len(named) == 1 else beside
    if len(found) != 1:
        count = "no file" if not found else f"{len(found)} files"
        raise Refused(
            f"{count} of weights (.h5) beside {description.name}, which describes the layers; put the one that belongs"
            " to it there"
        )
    return found[0]
