"""The arrays and the description of a Keras HDF5 file, read by a process of its own.

The HDF5 library is written in C and damaged files can make it crash or run on; so this module is also a program, which
the reader starts with little memory and little time, and whose end, whatever it is, becomes a sentence.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.source import LARGEST_FILE
from depthwise.network.weights import Array

MOST_OBJECTS = 5000
DEEPEST = 8
LARGEST_CONFIG = 16 * 2**20
MEMORY = 1 << 30
# Seconds of processor time that a file may take; the largest honest one takes a fifth. The clock's limit is for a
# process that sleeps, and for machines that are busy.
PROCESSOR_SECONDS, CLOCK_SECONDS = 2, 60
CONFIG = "model_config"
REFUSED = 3
_WEIGHTS, _OPTIMISER = "model_weights", "optimizer_weights"


def extract(path: Path) -> tuple[str, dict[str, Array]]:
    """The description (JSON, "" where there is none) and the arrays by `<layer>/<part>` of a file.

    Raises: Refused, when the file is damaged, takes too long, or is none.
    """
    from safetensors.numpy import load

    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "depthwise.interop.keras_file", str(path)]
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
    return done.stdout[8 : 8 + size].decode(), load(done.stdout[8 + size :])


def contents(path: Path) -> tuple[str, dict[str, Array]]:
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
        with h5py.File(path, "r") as file:
            config = file.attrs.get(CONFIG, "")
            text = config.decode() if isinstance(config, bytes) else str(config)
            if len(text) > LARGEST_CONFIG:
                raise Refused(f"its description has {len(text):,} characters; no MobileNet V1 needs so many")
            return text, _arrays(h5py, file, path.stat().st_size)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, MemoryError) as problem:
        raise Refused(f"it is not an HDF5 file, or damaged ({problem})") from None


def _arrays(h5py: Any, file: Any, size: int) -> dict[str, Array]:
    """Every dataset below the model's weights, without following links to other places or files."""
    found: dict[str, Array] = {}
    whole = _WEIGHTS in file
    waiting = [(file[_WEIGHTS] if whole else file, "", 0)]
    seen, left = 0, min(size, LARGEST_FILE)
    while waiting:
        group, parent, depth = waiting.pop()
        for name in group:
            seen += 1
            if seen > MOST_OBJECTS or depth > DEEPEST:
                raise Refused(f"it holds more than {MOST_OBJECTS} parts or nests them deeper than {DEEPEST}")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink) or (not whole and name == _OPTIMISER):
                continue
            entry = group[name]
            if isinstance(entry, h5py.Group):
                waiting.append((entry, name, depth + 1))
            elif isinstance(entry, h5py.Dataset):
                key = f"{parent}/{name.removesuffix(':0')}"
                array = _dataset(entry, key, left)
                left -= array.nbytes
                if key in found:
                    raise Refused(f"it holds two arrays {key}; it is not one network")
                found[key] = array
    return found


def _dataset(entry: Any, key: str, left: int) -> Array:
    """One array, which can have no more bytes than the file has left for it."""
    if entry.external or entry.is_virtual:
        raise Refused(f"array {key} lies in another file; save the model whole")
    if entry.dtype not in (np.float32, np.float16) or len(entry.shape or ()) > DEEPEST:
        return np.zeros(0, np.float32)
    if entry.nbytes > left:
        raise Refused(f"array {key} has {entry.nbytes:,} bytes, more than the file; it is damaged")
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
        config, arrays = contents(Path(sys.argv[1]))
    except Refused as refusal:
        sys.stderr.write(str(refusal))
        return REFUSED
    text = config.encode(errors="replace")
    sys.stdout.buffer.write(len(text).to_bytes(8, "little") + text + save(arrays))
    return 0


if __name__ == "__main__":
    sys.exit(main())
