#!/usr/bin/env python3
"""Read damaged files by the thousand: python tests/interop/fuzz.py CASES [SEED] [FORMAT ...]

Takes the small files that this project writes and the real ones of the data pack, wounds them, and reads each. Works in
processes with a gigabyte of memory; prints a line a format, and ends with 1 when one case was a crash, a bug, or slow.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from conftest import BESIDE, make_model
from depthwise.interop.keras import file as keras_file
from depthwise.interop.keras import graph as keras_graph
from depthwise.interop.keras import published as keras_published
from depthwise.interop.match import to_model
from depthwise.interop.onnx import format as onnx
from depthwise.interop.pytorch import format as timm
from depthwise.interop.source import Source
from depthwise.interop.tflite import format as tflite
from tools.keras_files import keras_model, write_dot_keras, write_keras
from tools.mutation import SECONDS, mutated, outcome

MEMORY = 1 << 30
ROUND = 250
LARGEST_SEED = 4 * 2**20
SUFFIXES = {"keras": ".h5", "onnx": ".onnx", "tflite": ".tflite", "timm": ".safetensors"}


def read_keras(path: Path) -> object:
    """In this process: a crash of HDF5 ends it, as it ends the reader's own process in use."""
    contents = keras_file.contents(path)
    chain = keras_graph.described(contents) if contents.config else keras_published.published(contents)
    return to_model(chain, Source(name="x", format="keras", sha256="0" * 64))


READERS: dict[str, Callable[[Path], object]] = {
    "keras": read_keras,
    "onnx": onnx.read,
    "tflite": tflite.read,
    "timm": timm.read,
}


def seeds(name: str, folder: Path) -> Iterator[bytes]:
    """Whole files of a format."""
    small: dict[str, Any] = {"width": 0.03, "padding": "same"}
    path = folder / f"seed{SUFFIXES[name]}"
    if name == "keras":
        for whole in (True, False):
            write_keras(make_model(**small), path, whole=whole)
            yield path.read_bytes()
        write_dot_keras(path, *keras_model(make_model(**small), keras=3))
        yield path.read_bytes()
    else:
        {"onnx": onnx, "tflite": tflite, "timm": timm}[name].write(make_model(**small), path)
        yield path.read_bytes()
    for real in sorted((Path(os.environ.get("DEPTHWISE_DATA") or BESIDE) / "models").glob(f"*{SUFFIXES[name]}")):
        if real.stat().st_size < LARGEST_SEED:
            yield real.read_bytes()


def work(name: str, files: list[bytes], seed: int, report: int) -> None:
    """Read ROUND cases; write the counts, the slowest and the first failure as JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    rng, counts, slowest, failure = random.Random(seed), Counter[str](), 0.0, ""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"case{SUFFIXES[name]}"
        for _ in range(ROUND):
            path.write_bytes(mutated(rng.choice(files), rng))
            cpu = resource.getrusage(resource.RUSAGE_SELF).ru_utime
            try:
                answer, _ = outcome(READERS[name], path)
                counts["read" if answer == "read" else "refused"] += 1
            except Exception:
                counts["bug"] += 1
                failure = failure or traceback.format_exc()
            slowest = max(slowest, resource.getrusage(resource.RUSAGE_SELF).ru_utime - cpu)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    os.write(report, json.dumps({"counts": counts, "slowest": slowest, "peak": peak, "failure": failure}).encode())


def rounds(name: str, files: list[bytes], cases: int, seed: int) -> tuple[Counter[str], float, int]:
    """Run as many processes, one after the other, as the cases need."""
    counts, slowest, peak = Counter[str](), 0.0, 0
    for number in range(-(-cases // ROUND)):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            work(name, files, seed + number, writing)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            text = pipe.read()
        _, status = os.waitpid(child, 0)
        if not text:
            counts["crash"] += 1
            print(f"{name}: seed {seed + number} ended its process with status {status}", file=sys.stderr)
            continue
        found = json.loads(text)
        counts.update(found["counts"])
        slowest, peak = max(slowest, found["slowest"]), max(peak, found["peak"])
        if found["failure"]:
            print(found["failure"], file=sys.stderr)
    return counts, slowest, peak


def main() -> int:
    """Every format in turn."""
    cases, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    bad = False
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[3:] or READERS:
            files = list(seeds(name, Path(folder)))
            counts, slowest, peak = rounds(name, files, cases, seed)
            text = ", ".join(f"{count:,} {what}" for what, count in sorted(counts.items()))
            print(f"{name}: {text}; slowest {slowest:.2f} s of processor, peak {peak / 1024:.0f} MiB", flush=True)
            bad |= bool(counts["bug"]) or slowest > SECONDS or (bool(counts["crash"]) and name != "keras")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
