#!/usr/bin/env python3
"""Ours on one thread and two, beside other runtimes, on a busy machine or as it is: scripts/measure_load.py [OPTIONS]

Each contender has a process of its own, and they take turns. Before each turn so many busy processes are started
(--busy), and with --one-core all of them share one core with the contender. --before COMMIT adds our artifact as that
commit compiles it. Printed are milliseconds of a call over all turns, and how the least times of two threads now and
before compare, turn by turn. The network has random weights. Needs `depthwise[bench]`, Linux, and git for --before.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from depthwise.bench.peers import OWN, Pixels, Setting, forms, peer
from depthwise.bench.process import environment
from depthwise.bench.subject import comparison_images, random_subject
from depthwise.network.spec import Spec
from depthwise.precision import Precision

ROOT = Path(__file__).resolve().parents[1]
BEFORE = "before"
PEERS = ("onnxruntime", "litert")
# Threads that wait for the next call go to sleep after a while; only then does the next contender begin.
SECONDS_TO_SLEEP = 0.05
# Writes the artifact, with whichever sources of ours are found: WIDTH SIZE PRECISION FOLDER.
WRITE = """
import sys
from pathlib import Path
from depthwise.bench.peers import OWN, forms, peer
from depthwise.bench.subject import random_subject
from depthwise.network.spec import Spec
width, size, precision, folder = sys.argv[1:]
model = random_subject(Spec(width=float(width), resolution=int(size)), precision).model
peer(OWN).write(model, forms(OWN, precision, keep_dead=True)[0], Path(folder))
"""


@dataclass(kw_only=True)
class Contender:
    """A process that runs the network in one way, and milliseconds of its calls, a list for each turn."""

    name: str
    process: subprocess.Popen[str]
    turns: list[list[float]] = field(default_factory=list)

    def take_turn(self, seconds: float) -> None:
        """Have it make calls for so long."""
        stdin, stdout = self._pipes()
        stdin.write(f"{seconds}\n")
        stdin.flush()
        self.turns.append(json.loads(stdout.readline()))

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        return self.process.stdin, self.process.stdout


def main(arguments: list[str]) -> int:
    """Measure and print."""
    if arguments[:1] == ["--worker"]:
        return work(*arguments[1:])
    options = parsed(arguments)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        contenders = [
            stack.enter_context(started(name, file, threads, options))
            for name, file, threads in written(options, Path(folder))
        ]
        for turn in range(options.rounds):
            for step in range(len(contenders)):
                time.sleep(SECONDS_TO_SLEEP)
                with busy(options.busy):
                    contenders[(turn + step) % len(contenders)].take_turn(options.seconds)
    report(contenders, options)
    return 0


def parsed(arguments: list[str]) -> argparse.Namespace:
    """The options; --one-core takes effect at once, as processes inherit it."""
    about, _, _ = (__doc__ or "").partition("\n")
    options = argparse.ArgumentParser(description=about, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    options.add_argument("--width", type=float, default=0.25)
    options.add_argument("--size", type=int, default=128, help="pixels a side")
    options.add_argument("--precision", default="int8")
    options.add_argument("--before", metavar="COMMIT", help="also ours as this commit compiles it")
    options.add_argument("--busy", type=int, default=0, help="busy processes beside each turn")
    options.add_argument("--one-core", action="store_true", help="all processes share one core")
    options.add_argument("--rounds", type=int, default=10, help="turns of each contender")
    options.add_argument("--seconds", type=float, default=1.0, help="of a turn")
    options.add_argument("--every", type=float, default=0.0, metavar="MS", help="begin a call so often, as cameras do")
    options.add_argument("--without-peers", action="store_true", help="ours only")
    found = options.parse_args(arguments)
    if found.one_core:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return found


def written(options: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Path, int]]:
    """Name, file and threads of each contender."""
    words = [str(options.width), str(options.size), options.precision]
    sources = {OWN: ROOT / "src"}
    if options.before:
        sources[BEFORE] = sources_of(options.before, folder / "sources")
    for name, source in sources.items():
        place = folder / name
        place.mkdir()
        where = os.environ | {"PYTHONPATH": str(source)}
        subprocess.run([sys.executable, "-c", WRITE, *words, str(place)], env=where, check=True)
        yield from ((name, place / "artifact.so", threads) for threads in (1, 2))
    model = random_subject(Spec(width=options.width, resolution=options.size), options.precision).model
    for name in () if options.without_peers else PEERS:
        file = peer(name).write(model, forms(name, options.precision, keep_dead=True)[0], folder)
        yield from ((name, file, threads) for threads in (1, 2))


def sources_of(commit: str, folder: Path) -> Path:
    """The sources of a commit, unpacked into a new folder."""
    folder.mkdir()
    archive = folder / "sources.tar"
    subprocess.run(["git", "-C", str(ROOT), "archive", "--output", str(archive), commit, "src"], check=True)
    shutil.unpack_archive(archive, folder, filter="data")
    return folder / "src"


@contextmanager
def started(name: str, file: Path, threads: int, options: argparse.Namespace) -> Iterator[Contender]:
    """A contender; its process ends with the context."""
    spec = Spec(width=options.width, resolution=options.size)
    mean = random_subject(spec, options.precision).model.preprocessing.mean
    words = [name, str(file), options.precision, str(threads), str(options.size), str(options.every), json.dumps(mean)]
    with subprocess.Popen(
        [sys.executable, __file__, "--worker", *words],
        env=environment(threads),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Contender(name=f"{name} {threads}", process=process)
        assert process.stdin is not None
        process.stdin.close()


@contextmanager
def busy(count: int) -> Iterator[None]:
    """So many processes that compute, for as long as the context lasts."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        if count:
            time.sleep(SECONDS_TO_SLEEP)
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def work(name: str, file: str, precision: str, threads: str, size: str, every: str, mean: str) -> int:
    """In a contender's process: for each line of stdin make calls for so many seconds, and say what they took."""
    setting = Setting(precision=cast(Precision, precision), threads=int(threads), mean=tuple(json.loads(mean)))
    runner = peer(OWN if name == BEFORE else name).load(Path(file), setting)
    pixels: Pixels = comparison_images(Spec(resolution=int(size)))[-1]
    for line in sys.stdin:
        taken = []
        end = time.perf_counter() + float(line)
        while (begun := time.perf_counter()) < end:
            runner.convert(pixels)
            runner.run()
            taken.append((time.perf_counter() - begun) * 1e3)
            if float(every) > taken[-1]:
                time.sleep((float(every) - taken[-1]) / 1e3)
        print(json.dumps(taken), flush=True)
    return 0


def report(contenders: list[Contender], options: argparse.Namespace) -> None:
    """A line for each contender, and the comparison of now and before."""
    place = "one core" if options.one_core else f"{len(os.sched_getaffinity(0))} cores"
    network = f"{options.width:g}-{options.size} {options.precision}"
    print(f"{network} on {place}, {options.busy} more processes busy, load {os.getloadavg()[0]:.1f}")
    print(f"{'ms a call':16} {'least':>8} {'median':>8} {'p99':>8} {'mean':>8} {'calls':>7}")
    for one in contenders:
        calls = sorted(call for turn in one.turns for call in turn)
        last = calls[math.ceil(0.99 * len(calls)) - 1]
        numbers = (calls[0], statistics.median(calls), last, statistics.fmean(calls))
        print(f"{one.name:16} " + " ".join(f"{number:8.3f}" for number in numbers) + f" {len(calls):7}")
    by_name = {one.name: one for one in contenders}
    for threads in (1, 2) if options.before else ():
        now, before = (by_name[f"{name} {threads}"].turns for name in (OWN, BEFORE))
        whole = min(map(min, now)) / min(map(min, before))
        turns = statistics.geometric_mean(min(a) / min(b) for a, b in zip(now, before, strict=True))
        print(f"least time now over before, threads {threads}: {whole:.3f}; turn by turn {turns:.3f}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
