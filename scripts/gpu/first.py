"""Seconds from the start of a process to its first label."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from depthwise.network.spec import Spec
from gpu.models import random_model
from gpu.place import Place

# The process of a first label, for each way; what is timed ends with the line that it prints.
FIRST = """
import sys, torch
from depthwise.cloud.module import to_network, normalise
from depthwise.network.model import Model
from pathlib import Path
device, way, folder = sys.argv[1:]
model = Model.load(Path(folder))
network = to_network(model).to(device)
network.kernels = way == "ours"
if way == "compiled":
    network = torch.compile(network)
pixels = torch.zeros((1, model.spec.resolution, model.spec.resolution, model.spec.channels), dtype=torch.uint8)
with torch.inference_mode():
    print(int(network(normalise(pixels.to(device), model.preprocessing)).argmax()), flush=True)
"""


def first_labels(place: Place, spec: Spec, starts: int) -> dict[str, float]:
    """Median seconds from the start of a process to its first label."""
    found: dict[str, list[float]] = {"eager": [], "ours": [], **({"compiled": []} if place.is_gpu else {})}
    with tempfile.TemporaryDirectory() as folder:
        random_model(spec).save(Path(folder) / "model")
        for _ in range(starts):
            for way, times in found.items():
                start = time.perf_counter()
                command = [sys.executable, "-c", FIRST, place.device.type, way, str(Path(folder) / "model")]
                subprocess.run(command, check=True, capture_output=True)
                times.append(time.perf_counter() - start)
    return {way: statistics.median(times) for way, times in found.items()}
