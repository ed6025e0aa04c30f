"""The arrays and the description of a Keras file, HDF5 or a zip around it, read by a process of its own.

The HDF5 library is written in C and damaged files can make it crash or run on; so this module is also a program, which
the reader starts with little memory and little time, and whose end, whatever it is, becomes a sentence.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from depthwise.errors import Refused
from depthwise.files import open_file
from depthwise.interop.archive import foreign_zip, member
from depthwise.interop.damage import DAMAGE
from depthwise.interop.source import LARGEST_FILE
from depthwise.network.weights import Array

MOST_OBJECTS = 5000
DEEPEST = 16
# Lists of three bytes take 60 in memory.
LARGEST_CONFIG = 4 * 2**20
MEMORY = 1 << 30
# Seconds of processor time that a file may take; the largest honest one takes a fifth. The clock's limit is for a
# process that sleeps, and for machines that are busy.
PROCESSOR_SECONDS, CLOCK_SECONDS = 2, 60
CONFIG = "model_config"
REFUSED = 3
_WEIGHTS = "model_weights"
# What training leaves beside the weights.
_TRAINING = ("optimizer_weights", "optimizer", "metrics", "_metrics", "compile_metrics", "_compile_metrics")
# Members of a .keras file.
ZIPPED_CONFIG, ZIPPED_WEIGHTS = "config.json", "model.weights.h5"
# Versions of Keras 2 call the layers of a model so; on Windows they write backslashes.
_OLD_LAYERS, LAYERS = "_layer_checkpoint_dependencies", "layers"


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a file holds.

    Attributes:
        config: the description, JSON; "" where there is none.
        arrays: by their path in the file, without the ":0" of variables.
        groups: the path of each group of the weights, and the name of the layer that it says it is of, or "".
    """

    config: str
    arrays: dict[str, Array]
    groups: dict[str, str] = field(default_factory=dict)


def extract(path: Path) -> Contents:
    """What a file holds, read by a process of its own.

    Raises: Refused, when the file is damaged, takes too long, or is none.
    """
    from safetensors.numpy import load

    try:
        open_file(path).close()
    except OSError as problem:
        raise Refused(f"it cannot be read ({problem.strerror})") from None
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "depthwise.interop.keras.file", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=CLOCK_SECONDS, env=environment, check=False)
    except subprocess.TimeoutExpired:
        raise Refused(f"reading it took more than {CLOCK_SECONDS} seconds; it is damaged") from None
    if done.returncode == REFUSED:
        raise Refused(done.stderr.decode(errors="replace").strip())
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()
        raise Refused(f"HDF5 could not read it ({last[-1] if last else 'it gave up'}); it is damaged")
    size = int.from_bytes(done.stdout[:8], "little")
    said = json.loads(done.stdout[8 : 8 + size])
    return Contents(config=said["config"], groups=said["groups"], arrays=load(done.stdout[8 + size :]))


def contents(path: Path) -> Contents:
    """What `extract` returns, read here and now.

    Raises: Refused, as `extract` does. A crash, too, is possible.
    """
    try:
        import h5py
    except ImportError:
        raise Refused(
            "Keras files need the package h5py, which is not installed; run: pip install 'depthwise[interop]'"
        ) from None
    try:
        if zipfile.is_zipfile(path):
            config, weights = _unzipped(path)
            with h5py.File(io.BytesIO(weights), "r") as file:
                return _read(h5py, file, config)
        with h5py.File(path, "r") as file:
            found = file.attrs.get(CONFIG, "")
            return _read(h5py, file, found.decode() if isinstance(found, bytes) else str(found))
    except (OSError, RuntimeError, *DAMAGE) as problem:
        raise Refused(f"it is not an HDF5 file, or damaged ({problem})") from None


def _unzipped(path: Path) -> tuple[str, bytes]:
    """The description and the HDF5 file of a .keras file."""
    with open_file(path) as file, foreign_zip(file) as whole:
        names = whole.namelist()
        if "model.weights.json" in names:
            raise Refused("its weights lie in several files; save the model without sharding")
        for name in (ZIPPED_CONFIG, ZIPPED_WEIGHTS):
            if name not in names:
                raise Refused(f"it is a zip file without {name}; a model that Keras saved has one")
        return member(whole, ZIPPED_CONFIG, LARGEST_CONFIG).decode(), member(whole, ZIPPED_WEIGHTS, LARGEST_FILE)


def _read(h5py: Any, file: Any, config: str) -> Contents:
    if len(config) > LARGEST_CONFIG:
        raise Refused(f"its description has {len(config):,} characters; no MobileNet V1 needs so many")
    found = Contents(config=config, arrays={})
    _walk(h5py, file.get(_WEIGHTS, file), found, whole=_WEIGHTS in file)
    return found


def _walk(h5py: Any, root: Any, found: Contents, *, whole: bool) -> None:
    """Take every dataset and group below the model's weights, without following links to other places or files."""
    waiting = [(root, "", 0)]
    seen, left = 0, LARGEST_FILE
    while waiting:
        group, before, depth = waiting.pop()
        for name in group:
            seen += 1
            if seen > MOST_OBJECTS or depth > DEEPEST:
                raise Refused(f"it holds more than {MOST_OBJECTS} parts or nests them deeper than {DEEPEST}")
            training = not whole and depth == 0 and name in _TRAINING
            if training:
                continue
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise Refused(
                    f"{before}{name} is a link to another place or file, which is not followed; save the model whole"
                )
            entry, path = group[name], before + _cleaned(name)
            if isinstance(entry, h5py.Group):
                found.groups[path] = _layer_name(entry)
                waiting.append((entry, f"{path}/", depth + 1))
            elif isinstance(entry, h5py.Dataset) and entry.dtype.kind == "f":
                if path in found.arrays:
                    raise Refused(f"it holds two arrays {path}; it is not one network")
                found.arrays[path] = _dataset(entry, path, left)
                left -= found.arrays[path].nbytes


def _cleaned(name: str) -> str:
    parts = name.removesuffix(":0").replace("\\", "/").split("/")
    return "/".join(LAYERS if part == _OLD_LAYERS else part for part in parts)


def _layer_name(group: Any) -> str:
    """The name that Keras 3 gives to what lies in a group."""
    name = group.attrs.get("name", "")
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)


def _dataset(entry: Any, path: str, left: int) -> Array:
    """One array as float32; all of a file together may have as many bytes as the largest file."""
    if entry.external or entry.is_virtual:
        raise Refused(f"array {path} lies in another file; save the model whole")
    if len(entry.shape or ()) > DEEPEST:
        raise Refused(f"array {path} has {len(entry.shape)} dimensions; it is damaged")
    size = 4 * int(entry.size or 0)
    if size > left:
        raise Refused(
            f"array {path} has {size:,} bytes, more than a MobileNet V1 has; it is another network or damaged"
        )
    return np.asarray(entry[()], dtype=np.float32)


def _limit() -> None:
    """Take memory and time away from this process, where the system can."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    """Write the description and the arrays of the file that the command names to stdout."""
    from safetensors.numpy import save

    _limit()
    try:
        found = contents(Path(sys.argv[1]))
    except Refused as refusal:
        sys.stderr.write(str(refusal))
        return REFUSED
    text = json.dumps({"config": found.config, "groups": found.groups}).encode()
    sys.stdout.buffer.write(len(text).to_bytes(8, "little") + text + save(found.arrays))
    return 0


if __name__ == "__main__":
    sys.exit(main())
