"""PyTorch's own files: their arrays, read by PyTorch in a process of its own, which may run no code of theirs.

This module is also that program. It is the only place below `interop` that names torch, and no other imports it.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from depthwise.errors import Refused
from depthwise.interop.archive import foreign_zip
from depthwise.interop.source import content
from depthwise.network.weights import Array

# Keys under which training loops keep the weights beside an optimiser; averages of weights are what is used, so first.
KEYS = (
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "ema",
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "network",
)
DEEPEST = 3
PROCESSOR_SECONDS, CLOCK_SECONDS = 60, 120
# Of data alone, beside PyTorch's libraries.
MEMORY = 3 << 29
REFUSED, MISSING = 3, 4
# Names of PyTorch's own quantised layers.
_QUANTISED = ("_packed_params", "_packed_params.dtype")
_SAVE = "save its weights by torch.save(model.state_dict(), 'weights.pth'), or export it to ONNX"


def extract(path: Path) -> dict[str, Array]:
    """The arrays of a .pt, .pth or .bin file by name, in the file's order.

    Raises: Refused, when it is damaged, holds code, is of TorchScript, or PyTorch is not installed.
    """
    from safetensors.numpy import load

    _refuse_script(content(path))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "depthwise.interop.pytorch.pickled", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=CLOCK_SECONDS, env=environment, check=False)
    except subprocess.TimeoutExpired:
        raise Refused(f"reading it took more than {CLOCK_SECONDS} seconds; it is damaged") from None
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode in (REFUSED, MISSING):
        raise Refused(said)
    if done.returncode != 0:
        raise Refused(f"PyTorch could not read it ({said.splitlines()[-1] if said else 'it gave up'}); it is damaged")
    size = int.from_bytes(done.stdout[:8], "little")
    order, arrays = done.stdout[8 : 8 + size].decode().split("\0"), load(done.stdout[8 + size :])
    return {name: arrays[str(place)] for place, name in enumerate(order)} if arrays else {}


def _refuse_script(file: bytes) -> None:
    try:
        with foreign_zip(io.BytesIO(file)) as archive:
            names = archive.namelist()
    except Refused:
        return
    if any(name.endswith("constants.pkl") or "/code/" in name for name in names):
        raise Refused(f"it is a TorchScript program, which is code and is not run here; {_SAVE}")
    if any(name.endswith("archive_format") for name in names):
        raise Refused(f"it is a program that torch.export wrote, which is code and is not run here; {_SAVE}")


def _tensors(found: Any, depth: int = 0) -> Mapping[str, Any]:
    """The largest dictionary of tensors, alone or under one of the usual keys."""
    if not isinstance(found, Mapping) or depth > DEEPEST:
        return {}
    own = {str(name): value for name, value in found.items() if hasattr(value, "detach")}
    for key in KEYS:
        inner = _tensors(found.get(key), depth + 1)
        if len(inner) > len(own):
            return inner
    return own


def contents(path: Path) -> Iterator[tuple[str, Any]]:
    """Names and NumPy arrays of a file, read here and now by PyTorch.

    Raises: Refused, as `extract` does. ModuleNotFoundError, without PyTorch.
    """
    torch = importlib.import_module("torch")
    try:
        # Options of a training script, which hold nothing but values.
        with torch.serialization.safe_globals([argparse.Namespace]):
            found = torch.load(path, map_location="cpu", weights_only=True, mmap=False)
    except Exception as problem:
        first = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
        if "weights_only" in str(problem) or "Unsupported" in str(problem):
            raise Refused(f"it holds a whole object of Python, which is code and is not run here; {_SAVE}") from None
        raise Refused(f"it is not a file of PyTorch, or damaged ({first[:200]})") from None
    tensors = _tensors(found)
    if not tensors:
        raise Refused(f"it holds no dictionary of arrays; {_SAVE}")
    if any(tensor.is_quantized for tensor in tensors.values()) or any(name.endswith(_QUANTISED) for name in found):
        raise Refused(
            "PyTorch quantised it, in a form of its own, which is not read; save the weights of the float network, and"
            " run depthwise quantize"
        )
    for name, tensor in tensors.items():
        whole = tensor.detach()
        yield name, (whole.float() if whole.is_floating_point() else whole).contiguous().numpy()


def _limit() -> None:
    """Take memory and time away from this process, where the system can."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    """Write names and arrays of the file that the command names to stdout."""
    from safetensors.numpy import save

    _limit()
    try:
        found = dict(contents(Path(sys.argv[1])))
    except Refused as refusal:
        sys.stderr.write(str(refusal))
        return REFUSED
    except ModuleNotFoundError:
        sys.stderr.write(
            "it is PyTorch's own form, a pickle, which only PyTorch reads, and that is not installed; run: pip install"
            " 'depthwise[cloud]', or save the weights as .safetensors"
        )
        return MISSING
    text = "\0".join(found).encode()
    arrays = {str(place): array for place, array in enumerate(found.values())}
    sys.stdout.buffer.write(len(text).to_bytes(8, "little") + text + save(arrays))
    return 0


if __name__ == "__main__":
    sys.exit(main())
