#!/usr/bin/env python3
"""Everything that docs/cuda.md leaves to a GPU, by one command: python scripts/measure_gpu.py [--out gpu.json]

Images a second in training and in answers, ours beside PyTorch's own layers, torch.compile and TensorRT (where it is
installed); each layer's share of what the memory's bandwidth allows; the time from the start of a process to its first
label; and artifacts of target cuda, one image at a time. What is measured is in the folder gpu, a subject a file.

Prints tables and writes one JSON document. `--device cpu --tiny` goes the whole way on a small network without a GPU,
in minutes, to see that the way is there; its figures say nothing of a GPU. Needs `depthwise[all,cuda]`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from depthwise.cloud.cuda.support import what_is_missing
from depthwise.network.spec import Spec
from gpu.artifacts import of_artifacts
from gpu.first import first_labels
from gpu.floor import show_floor
from gpu.networks import answers, training
from gpu.of_layers import per_layer
from gpu.place import Place, bandwidth, where

BATCHES, TINY_BATCHES = (1, 32, 256, 1024), (2,)
# Rounds in which every way is timed once, one after the other, so that what else the machine does slows all alike.
ROUNDS = 7


def main() -> int:
    """Measure what is asked for; the exit code."""
    asked = arguments()
    if asked.floor:
        show_floor(Spec())
        return 0
    missing = what_is_missing() if asked.device == "cuda" else ""
    if missing:
        print(f"no GPU is measured here: {missing}; `--device cpu --tiny` shows the way without one", file=sys.stderr)
        return 2
    device = torch.device(asked.device)
    place = Place(device, 0.005 if asked.tiny else 0.3, torch.bfloat16 if device.type == "cuda" else torch.float32)
    spec = Spec(width=0.25, resolution=32, classes=5) if asked.tiny else Spec()
    batches, rounds = (TINY_BATCHES, 1) if asked.tiny else (BATCHES, ROUNDS)
    found: dict[str, Any] = {"where": where(place), "bandwidth": bandwidth(place, asked.tiny)}
    show("where", found["where"])
    parts: dict[str, Callable[[], Any]] = {
        "training": lambda: [training(place, spec, batch, rounds) for batch in batches],
        "answers": lambda: [answers(place, spec, batch, rounds, asked.tiny) for batch in batches],
        "layers": lambda: per_layer(place, spec, batches[-1] if asked.tiny else 256, found["bandwidth"], rounds),
        "first": lambda: first_labels(place, spec, 1 if asked.tiny else 5),
        "artifacts": lambda: of_artifacts(place, spec, 1 if asked.tiny else 5),
    }
    for name, part in parts.items():
        found[name] = part()
        show(name, found[name])
        asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"written: {asked.out}", file=sys.stderr)
    return 0


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a small network and one round of everything")
    parser.add_argument("--floor", action="store_true", help="print the bytes that an image must move, and end")
    parser.add_argument("--out", type=Path, default=Path("gpu.json"), help="the JSON document to write")
    return parser.parse_args()


def show(name: str, found: Any) -> None:
    """Print one part as lines."""
    print(f"\n{name}")
    for row in found if isinstance(found, list) else [found]:
        cells = [f"{key} {shown(value)}" for key, value in row.items() if value not in ([], "")]
        print("  " + "  ".join(cells), flush=True)


def shown(value: Any) -> str:
    """A figure, or several by name."""
    if isinstance(value, dict):
        return "; ".join(f"{key}: {shown(one)}" for key, one in value.items())
    return (
        f"{value:,.3g}"
        if isinstance(value, float) and value < 100
        else f"{value:,.0f}"
        if isinstance(value, float)
        else str(value)
    )


if __name__ == "__main__":
    sys.exit(main())
