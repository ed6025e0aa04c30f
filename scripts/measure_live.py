#!/usr/bin/env python3
"""Measure labels of a video: depthwise beside OpenCV with LiteRT, in turns, each in a process of its own on one core.

usage: scripts/measure_live.py [--frames 1800] [--rounds 5] [--width 0.5] [--resolution 160]

Prints processor milliseconds a frame, decoding included: the difference between a long and a short video, so that
starting is not counted, nor what others on the machine take. Beside it the most memory of each process. Needs PyAV,
OpenCV and LiteRT.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from depthwise.bench.subject import random_subject
from depthwise.compiler import compile_model
from depthwise.interop import formats
from depthwise.network.spec import Spec

PEER = Path(__file__).with_name("opencv_litert.py")
SIZE = (640, 480)
SHORT = 20
OURS = """
import sys
import depthwise
with depthwise.live(sys.argv[1], video=sys.argv[2], smooth=0) as live:
    for seen in live:
        pass
"""
# The decoder alone, which both wait for.
DECODER = """
import sys, threading
from depthwise.edge.live.decoder import Video
for captured in Video(path=sys.argv[2]).frames(threading.Event(), print):
    pass
"""


def film(place: Path, frames: int) -> None:
    """A video of moving colours, as H.264 where PyAV can write it."""
    import av

    rng = np.random.default_rng(0)
    base = rng.integers(0, 256, (60, 80, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(str(place), "w") as out:
        stream = out.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(frames):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.roll(base, number, axis=1), format="rgb24")))
        out.mux(stream.encode(None))


def run(command: list[str]) -> tuple[float, float]:
    """Processor seconds of a process, and its most memory in MB; on one core."""
    core = min(os.sched_getaffinity(0))
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )  # fmt: skip
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command[:3]} ended with {status}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--width", type=float, default=0.5)
    parser.add_argument("--resolution", type=int, default=160)
    asked = parser.parse_args()
    spec = Spec(width=asked.width, resolution=asked.resolution, classes=200)
    model = random_subject(spec, "int8").model
    pre = model.preprocessing
    with tempfile.TemporaryDirectory() as folder:
        long, short = Path(folder, "long.mp4"), Path(folder, "short.mp4")
        film(long, asked.frames + SHORT)
        film(short, SHORT)
        artifact, lite = str(Path(folder, "model.so")), str(Path(folder, "model.tflite"))
        compile_model(model, target="host", out=Path(artifact), keep_dead=True)
        formats.write(model, Path(lite))
        # FILM is the place of the video.
        ways = {
            "depthwise": [sys.executable, "-c", OURS, artifact, "FILM"],
            "OpenCV and LiteRT": [sys.executable, str(PEER), lite, "FILM", str(pre.resize), str(pre.crop)],
            "decoder alone": [sys.executable, "-c", DECODER, artifact, "FILM"],
        }
        found: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(asked.rounds):
            for name, command in ways.items():
                seconds, memory = run([str(long) if word == "FILM" else word for word in command])
                start, _ = run([str(short) if word == "FILM" else word for word in command])
                found[name].append((seconds - start) / asked.frames * 1e3)
                print(f"{name:18} {found[name][-1]:7.3f} ms a frame, {memory:5.0f} MB", flush=True)
    for name, times in found.items():
        print(f"{name:18} median {statistics.median(times):7.3f} ms, least {min(times):7.3f} ms")


if __name__ == "__main__":
    main()
