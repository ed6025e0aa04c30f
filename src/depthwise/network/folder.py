"""The two files of a model folder as bytes on a disk: read with suspicion, written whole or not at all."""

from __future__ import annotations

import json
import math
import os
import secrets
import shutil
import stat
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from depthwise.errors import Refused
from depthwise.network.spec import shown
from depthwise.network.weights import Array

FORMAT = 1
DESCRIPTION = "model.json"
WEIGHTS = "weights.safetensors"
# What may lie in a model folder beside our two files, and is kept when they are replaced.
KEPT = "README.md"
LARGEST_DESCRIPTION = 64 * 2**20
# A safetensors file begins with a header in JSON; those of our networks have some 20 kB.
LARGEST_HEADER = 2**20
DTYPES = {"float32": np.float32, "float16": np.float16}


def read_description(path: Path) -> dict[str, Any]:
    """The JSON object in a file, of a format that this version reads.

    Raises: Refused, when the file is missing, too large, not an object or of another format; says which file.
    """
    try:
        size = _size(path)
        if size > LARGEST_DESCRIPTION:
            raise Refused(f"{path}: {size:,} bytes; a description has at most {LARGEST_DESCRIPTION:,}")
        description = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except (FileNotFoundError, NotADirectoryError):
        raise Refused(
            f"{path.parent}: not a model folder, it has no {path.name}; give a folder that `depthwise train` wrote"
        ) from None
    except OSError as problem:
        raise Refused(f"{path}: cannot be read ({problem.strerror})") from None
    except (ValueError, RecursionError) as problem:
        raise Refused(f"{path}: not valid JSON ({problem}); the file is damaged") from None
    if not isinstance(description, dict):
        raise Refused(f"{path}: holds no JSON object; the file is damaged")
    found = description.get("format")
    # `True == 1` in Python, so the type is compared too.
    if type(found) is not int or found != FORMAT:
        raise Refused(
            f"{path}: format {shown(found)}; this version of depthwise reads format {FORMAT}, update depthwise"
        )
    return description


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
        size = _size(path)
        if size > largest:
            raise Refused(f"{path.name} has {size:,} bytes; this network needs at most {largest:,}")
        return from_bytes(path.read_bytes())
    except FileNotFoundError:
        raise Refused(f"it has no {path.name}; copy the whole folder") from None
    except OSError as problem:
        raise Refused(f"{path.name} cannot be read ({problem.strerror})") from None
    except (SafetensorError, struct.error, ValueError, KeyError, AttributeError, TypeError) as problem:
        raise Refused(f"{path.name} is damaged ({problem})") from None


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files under a temporary name beside `folder`, then put it in its place.

    Raises: Refused, when `folder` holds something else, or cannot be written; what was there before is then whole.
    """
    # A link to a folder stays a link: what it points to is replaced.
    folder = folder.resolve()
    mark = secrets.token_hex(4)
    fresh = folder.parent / f".{folder.name}.{mark}.new"
    old = folder.parent / f".{folder.name}.{mark}.old"
    try:
        _check_replaceable(folder, files)
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh.mkdir()
        for name, content in files.items():
            with (fresh / name).open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        if folder.exists():
            if (folder / KEPT).is_file():
                shutil.copy2(folder / KEPT, fresh / KEPT)
            folder.rename(old)
        fresh.rename(folder)
    except OSError as problem:
        raise Refused(f"{folder}: cannot be written ({problem.strerror})") from None
    finally:
        # Whatever ended it, an interrupt between the two renames included, the old folder comes back.
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _check_replaceable(folder: Path, files: Mapping[str, bytes]) -> None:
    if folder.exists() and (not folder.is_dir() or not {entry.name for entry in folder.iterdir()} <= {*files, KEPT}):
        raise Refused(f"{folder}: exists and is not a model folder; choose another name or remove it")


def _size(path: Path) -> int:
    """Bytes of a plain file. A device or a pipe, even behind a link, has no end or never answers."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(0, "it is not a plain file")
    return status.st_size


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON value")
