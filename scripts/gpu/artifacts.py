"""Artifacts of target cuda as users run them: one image at a time, and the first label of a process."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from depthwise.compiler.compile import compile_model
from depthwise.compiler.lower.compilation import AnyModel
from depthwise.edge.artifact import Artifact
from depthwise.errors import Refused
from depthwise.network.spec import Spec
from gpu.models import SEED, random_int8, random_model
from gpu.place import Place

# By whether this machine's processor is one of ARM.
TARGETS = {False: "cuda", True: "cuda-aarch64"}
FIRST = """
import sys
import numpy as np
from depthwise.edge.artifact import Artifact
with Artifact.open(sys.argv[1]) as artifact:
    print(int(artifact.run(np.zeros(artifact.input_shape, np.uint8)).argmax()), flush=True)
"""


def of_artifacts(place: Place, spec: Spec, rounds: int) -> list[dict[str, Any]]:
    """Of each precision the microseconds of an image, the seconds to a first label, and what golden cases say.

    The first start of a process is told apart: in it the driver compiles the kernels, and keeps them for the others.
    Where an artifact fails, its row says how, and the others are measured.
    """
    target = TARGETS[platform.machine() == "aarch64"] if place.is_gpu else "host"
    models: dict[str, Callable[[Spec], AnyModel]] = {"int8": random_int8, "float16": random_model}
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for precision, made in models.items():
            model = made(spec)
            ours, host = Path(folder) / f"{precision}.so", Path(folder) / f"{precision}-host.so"
            compile_model(model, target=target, out=ours)
            compile_model(model, target="host", out=host)
            try:
                row = _measured(place, ours, host, rounds)
            except (Refused, subprocess.CalledProcessError) as problem:
                row = {"failed": f"{problem} {getattr(problem, 'stderr', '')}"}
            found.append({"precision": precision, "target": target, **row})
    return found


def _measured(place: Place, ours: Path, host: Path, rounds: int) -> dict[str, Any]:
    """Of one artifact beside that for the processor."""
    with tempfile.TemporaryDirectory() as kept:
        starts = [_first(ours, kept) for _ in range(rounds)]
    with Artifact.open(ours) as one, Artifact.open(host) as other:
        pixels = np.random.default_rng(SEED).integers(0, 256, one.input_shape, dtype=np.uint8)
        ways = {"on the GPU": lambda: one.run(pixels), "on the processor": lambda: other.run(pixels)}
        medians = place.medians(ways, rounds)
        try:
            worst: float | str = one.verify()
        except Refused as problem:
            worst = str(problem)
    return {
        "microseconds an image": {name: seconds * 1e6 for name, seconds in medians.items()},
        "seconds to the first label": {"first start": starts[0], "later": min(starts[1:], default=starts[0])},
        "golden cases": worst,
    }


def _first(artifact: Path, kept: str) -> float:
    """Seconds from the start of a process to its first label; the driver keeps compiled kernels in a folder."""
    start = time.perf_counter()
    environment = {**os.environ, "CUDA_CACHE_PATH": kept}
    command = [sys.executable, "-c", FIRST, str(artifact)]
    subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return time.perf_counter() - start
