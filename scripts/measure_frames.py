#!/usr/bin/env python3
"""Label frames that are decoded already, one after the other, and print what a minute of it took.

usage: scripts/measure_frames.py ARTIFACT [SECONDS [OF_A_LINE]]

A line is a document: frames, processor milliseconds a frame and frames a second of a whole core, milliseconds of
preparing, of the network and of a frame's age, and the process's most memory and open files. Frames are noise of 640 x
480 in NV12. Only for systems with /proc.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from depthwise.edge.artifact import Artifact
from depthwise.edge.frames import LAYOUTS, Frame
from depthwise.edge.live.loop import Live
from depthwise.edge.live.source import Captured, Notice

# More than a processor's nearer caches hold, as a decoder's frames are.
READY = 8


class Ready:
    """A source whose frames are there at once, for some seconds."""

    every = True

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def frames(self, stop: threading.Event, notice: Notice) -> Iterator[Captured]:
        """The same few frames again and again."""
        del notice
        of, rng = LAYOUTS["nv12"], random.Random(0)
        ready = [Frame.of_bytes(of, 480, 640, rng.randbytes(of.bytes(480, 640))) for _ in range(READY)]
        begun, number = time.monotonic(), 0
        while time.monotonic() - begun < self._seconds and not stop.is_set():
            yield Captured(frame=ready[number % READY], at=time.monotonic(), time=number / 30, waited=0.0)
            number += 1


def main() -> None:
    """Label, and print a line for each part of the time."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 600.0
    part = float(sys.argv[3]) if len(sys.argv) > 3 else 60.0
    with Artifact.open(sys.argv[1]) as artifact, Live(artifact, Ready(seconds)) as live:
        used, begun, before = time.process_time(), time.monotonic(), 0
        for seen in live:
            if time.monotonic() - begun < part:
                continue
            frames, taken = seen.number + 1 - before, time.process_time() - used
            document = {
                "frames": frames,
                "milliseconds_of_a_core": round(taken / frames * 1e3, 3),
                "frames_a_second_of_a_core": round(frames / taken, 1),
                "so_far": live.figures.document(live.dropped)["milliseconds"],
                "kilobytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
                "open_files": sum(1 for _ in Path("/proc/self/fd").iterdir()),
            }
            print(json.dumps(document), flush=True)
            used, begun, before = time.process_time(), time.monotonic(), seen.number + 1


if __name__ == "__main__":
    main()
