#!/usr/bin/env python3
"""Times of networks as this tree compiles them over those as a commit compiled them: scripts/measure_before.py COMMIT

usage: scripts/measure_before.py COMMIT [--rounds N] [NETWORK-PRECISION ...]

Without names the sixteen networks of the family in int8 and four of them in float32, such as 0.25-128-int8. Both
artifacts of a network are for this processor, with random weights and all channels, and are called in turns in one
process on one thread, the one and the other first. Printed are milliseconds of processor time of the least call of
each, the ratio of the two, and the median of the ratios of neighbours; at the end the geometric means. On a busy
machine the least calls say most. Needs git.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depthwise.network.spec import RESOLUTIONS, WIDTHS
from measure_load import ROOT, WRITE, sources_of

FAMILY = [f"{width:g}-{side}" for width in WIDTHS for side in RESOLUTIONS]
USUAL = [
    *(f"{name}-int8" for name in FAMILY),
    *(f"{name}-float32" for name in ("1-224", "0.75-192", "0.5-160", "0.25-128")),
]
ROUNDS = 300
WARM = 5


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Milliseconds of each call of a network, before and now, pair by pair."""

    name: str
    before: list[float]
    now: list[float]

    @property
    def least(self) -> float:
        """The ratio of the least times."""
        return min(self.now) / min(self.before)

    @property
    def median(self) -> float:
        """The median of the ratios of neighbours."""
        return statistics.median(now / before for now, before in zip(self.now, self.before, strict=True))


def main(arguments: list[str]) -> int:
    """Measure and print."""
    about, _, _ = (__doc__ or "").partition("\n")
    options = argparse.ArgumentParser(description=about)
    options.add_argument("commit")
    options.add_argument("names", nargs="*", metavar="NETWORK-PRECISION")
    options.add_argument("--rounds", type=int, default=ROUNDS, help="pairs of calls of each network")
    found = options.parse_intermixed_args(arguments)
    print(
        "| network | before, ms | now, ms | least now / before | median |\n| --- | ---: | ---: | ---: | ---: |",
        flush=True,
    )
    rows = []
    for row in compared(found.commit, found.names or USUAL, found.rounds):
        rows.append(row)
        times = f"{min(row.before):.4f} | {min(row.now):.4f}"
        print(f"| {row.name} | {times} | {row.least:.3f} | {row.median:.3f} |", flush=True)
    means = [
        statistics.geometric_mean(numbers) for numbers in zip(*((row.least, row.median) for row in rows), strict=True)
    ]
    print(f"| geometric mean | | | {means[0]:.3f} | {means[1]:.3f} |\n\nload {os.getloadavg()[0]:.1f}")
    return 0


def compared(commit: str, names: list[str], rounds: int) -> Iterator[Compared]:
    """Each network, compiled by both and measured."""
    with tempfile.TemporaryDirectory(prefix="depthwise-before-") as place:
        before = sources_of(commit, Path(place, "sources"))
        for name in names:
            width, side, precision = name.split("-")
            files = []
            for title, sources in (("before", before), ("now", ROOT / "src")):
                folder = Path(place, f"{name}-{title}")
                folder.mkdir()
                environment = os.environ | {"PYTHONPATH": str(sources)}
                words = (width, side, precision, str(folder))
                subprocess.run([sys.executable, "-c", WRITE, *words], env=environment, check=True)
                files.append(folder / "artifact.so")
            yield in_turns(name, files, int(side), rounds)


def in_turns(name: str, files: list[Path], side: int, rounds: int) -> Compared:
    """Call both artifacts, one after the other, with another one first in every second round."""
    pixels = np.random.default_rng(1).integers(0, 256, (side, side, 3), np.uint8)
    calls = [caller(file, pixels.tobytes()) for file in files]
    taken: list[list[float]] = [[], []]
    for number in range(-WARM, rounds):
        for which in (0, 1) if number % 2 else (1, 0):
            begun = time.thread_time()
            calls[which]()
            if number >= 0:
                taken[which].append((time.thread_time() - begun) * 1e3)
    return Compared(name=name, before=taken[0], now=taken[1])


def caller(file: Path, pixels: bytes) -> Callable[[], None]:
    """A call of an artifact, which checks itself first."""
    library = ctypes.CDLL(str(file))
    if library.dw_verify(None, None) != 0:
        raise SystemExit(f"{file}: its golden cases do not hold")
    probabilities = (ctypes.c_float * library.dw_label_count())()

    def call() -> None:
        library.dw_run(pixels, probabilities, None)

    return call


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
