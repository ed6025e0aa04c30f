#!/usr/bin/env python3
"""Measure labels of a video: depthwise beside OpenCV with LiteRT, in turns, each in a process of its own on one core.

usage: scripts/measure_live.py [--frames 500] [--again 1] [--rounds 3] [--width 0.5] [--resolution 160] [--alone]

Prints milliseconds of the processor from label to label, decoding included, as p50, p95 and p99: what others on the
machine take is not counted. Beside them the frames a second of a whole core, and the most memory of each process. With
--again the video is played so often, by a decoder that is opened anew each time, and depthwise tells its memory and
open files after each tenth of all frames. --alone leaves the others out. Needs PyAV, OpenCV and LiteRT.
"""

from __future__ import annotations

import argparse
import json
import os
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
# Labels before this one are not counted: files and code are loaded for them.
WARM = 20
# What each process prints of a frame: seconds of the processor since the last.
OURS = """
import json, resource, sys, time
from pathlib import Path
from depthwise.edge.artifact import Artifact
from depthwise.edge.live.decoder import Video
from depthwise.edge.live.loop import Live
again, part = int(sys.argv[3]), int(sys.argv[4])
class Again:
    every = True
    def frames(self, stop, notice):
        for _ in range(again):
            yield from Video(path=sys.argv[2]).frames(stop, notice)
with Artifact.open(sys.argv[1]) as artifact, Live(artifact, Again(), smooth=0) as live:
    last = time.process_time()
    for seen in live:
        now = time.process_time()
        document = {"label": seen.label, "busy": now - last}
        if seen.number % part == part - 1:
            document["kilobytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            document["open_files"] = sum(1 for _ in Path("/proc/self/fd").iterdir())
        print(json.dumps(document))
        last = now
"""
# The decoder alone, which both wait for.
DECODER = """
import json, sys, threading, time
from depthwise.edge.live.decoder import Video
last = time.process_time()
for captured in Video(path=sys.argv[2]).frames(threading.Event(), print):
    now = time.process_time()
    print(json.dumps({"busy": now - last}))
    last = now
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


def run(command: list[str]) -> tuple[list[dict[str, float]], float]:
    """What a process prints of each frame, and its most memory in MB; on one core."""
    core = min(os.sched_getaffinity(0))
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, {core})
        )
        _, status, used = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"{command[:3]} ended with {status}")
        out.seek(0)
        return [json.loads(line) for line in out], used.ru_maxrss / 1024


def line(name: str, busy: list[float], memory: float) -> str:
    """One row: milliseconds of the processor a frame, frames a second of a core, and memory."""
    p50, p95, p99 = (1e3 * np.quantile(busy, share) for share in (0.5, 0.95, 0.99))
    rate = len(busy) / sum(busy)
    return (
        f"{name:18} p50 {p50:6.3f}  p95 {p95:6.3f}  p99 {p99:6.3f} ms, {rate:6.1f} frames/s of a core, {memory:4.0f} MB"
    )


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=500)
    parser.add_argument("--again", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--width", type=float, default=0.5)
    parser.add_argument("--resolution", type=int, default=160)
    parser.add_argument("--alone", action="store_true")
    asked = parser.parse_args()
    spec = Spec(width=asked.width, resolution=asked.resolution, classes=200)
    model = random_subject(spec, "int8").model
    pre = model.preprocessing
    with tempfile.TemporaryDirectory() as folder:
        place = str(Path(folder, "film.mp4"))
        film(Path(place), asked.frames)
        artifact, lite = str(Path(folder, "model.so")), str(Path(folder, "model.tflite"))
        compile_model(model, target="host", out=Path(artifact), keep_dead=True)
        part = max(asked.frames * asked.again // 10, 1)
        ways = {"depthwise": [sys.executable, "-c", OURS, artifact, place, str(asked.again), str(part)]}
        if not asked.alone:
            formats.write(model, Path(lite))
            ways["OpenCV and LiteRT"] = [sys.executable, str(PEER), lite, place, str(pre.resize), str(pre.crop)]
            ways["decoder alone"] = [sys.executable, "-c", DECODER, artifact, place]
        found: dict[str, list[float]] = {name: [] for name in ways}
        most = dict.fromkeys(ways, 0.0)
        for _ in range(asked.rounds):
            for name, command in ways.items():
                frames, memory = run(command)
                busy = [frame["busy"] for frame in frames[WARM:]]
                found[name] += busy
                most[name] = max(most[name], memory)
                print(line(name, busy, memory), flush=True)
                for number, frame in enumerate(frames, 1):
                    if "open_files" in frame and asked.again > 1:
                        print(f"{number:8,} frames: {frame['kilobytes']:,} kB, {frame['open_files']} open files")
    print("all rounds:")
    for name, busy in found.items():
        print(line(name, busy, most[name]))


if __name__ == "__main__":
    main()
