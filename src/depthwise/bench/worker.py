"""The process of one contender: loads its network, and does what the conductor says in lines of JSON.

Each contender has a process of its own: threads that spin in wait of the next call, allocators and memory are then its
own. Started as `python -m depthwise.bench.worker NAME FILE SETTING`, where the setting is JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import IO, Any

import numpy as np

from depthwise.bench.peers import Pixels, Runner, peer, setting_of
from depthwise.bench.tiles import asked_for_tiles
from depthwise.errors import Refused

# A turn warms up for this long, at least one call, and then makes its timed calls, at least three.
WARM_SECONDS, TIMED_SECONDS = 0.002, 0.02
FEWEST_CALLS, MOST_CALLS = 3, 100


def main(arguments: list[str]) -> int:
    """Load the network, say so, and obey until stdin ends."""
    name, file, setting, images = arguments
    out = _own_stdout()
    before = resident_bytes()
    pixels: Pixels = np.load(images)
    try:
        runner = peer(name).load(Path(file), setting_of(json.loads(setting)))
        runner.convert(pixels[-1])
        runner.run()
    except Exception as problem:
        text = str(problem) if isinstance(problem, Refused) else f"{type(problem).__name__}: {problem}"
        _say(out, {"error": text.partition("\n")[0]})
        return 1
    label = int(runner.answer().argmax())
    _say(out, {"label": label, "bytes_before": before, "asked_for_tiles": asked_for_tiles()})
    for line in sys.stdin:
        _say(out, _obey(runner, pixels, json.loads(line)))
    return 0


def turn(runner: Runner, pixels: Pixels) -> tuple[list[int], list[int]]:
    """One turn: nanoseconds of each timed call from bytes to probabilities, and of the network alone in it."""
    clock = time.perf_counter_ns
    begun = clock()
    while True:
        runner.convert(pixels)
        runner.run()
        if clock() - begun > WARM_SECONDS * 1e9:
            break
    whole: list[int] = []
    alone: list[int] = []
    begun = clock()
    while len(whole) < FEWEST_CALLS or (len(whole) < MOST_CALLS and clock() - begun < TIMED_SECONDS * 1e9):
        start = clock()
        runner.convert(pixels)
        ready = clock()
        runner.run()
        end = clock()
        whole.append(end - start)
        alone.append(end - ready)
    return whole, alone


def resident_bytes(field: str = "VmRSS") -> int | None:
    """Memory of this process, now or (`VmHWM`) at most so far; None where the system does not tell."""
    try:
        with Path("/proc/self/status").open(encoding="ascii", errors="replace") as status:
            line = next(line for line in status if line.startswith(f"{field}:"))
    except (OSError, StopIteration):
        return None
    return int(line.split()[1]) * 1024


def _obey(runner: Runner, pixels: Pixels, order: dict[str, Any]) -> dict[str, Any]:
    match order["do"]:
        case "answers":
            found = []
            for image in pixels:
                runner.convert(image)
                runner.run()
                found.append(runner.answer().tolist())
            return {"answers": found}
        case "turn":
            whole, alone = turn(runner, pixels[-1])
            return {"whole": whole, "alone": alone}
        case "memory":
            return {"bytes": resident_bytes("VmHWM")}
        case unknown:
            return {"error": f"unknown order {unknown!r}"}


def _own_stdout() -> IO[str]:
    """The pipe to the conductor, for ourselves: what libraries print goes to stderr."""
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return own


def _say(out: IO[str], document: dict[str, Any]) -> None:
    out.write(json.dumps(document) + "\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
