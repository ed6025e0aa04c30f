#!/usr/bin/env python3
"""Time the same C as built by each compiler of this machine: python scripts/compare_compilers.py --help

Networks with random weights, for each level of x86 that this machine runs and makes a difference for the precision.
Builds verify themselves first. Then they are called in turn; behind each compiler stand the least and the median time
of all its calls as shares of the least and the median of zig's, or of the first compiler.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthwise.bench.subject import random_subject
from depthwise.compiler import targets
from depthwise.compiler.choices import Choices
from depthwise.compiler.compile import emit
from depthwise.compiler.outputs import compilers
from depthwise.compiler.outputs.library import library
from depthwise.compiler.targets import Target
from depthwise.kernels.x86.levels import LEVELS
from depthwise.network.spec import Spec
from depthwise.precision import Precision

ZIG = "zig"
NETWORKS = "0.25-128,0.5-160,1.0-224"
PRECISIONS = "int8,float32,bf16"
# Calls in a row take about so long, so that turns are many and a library's weights are in the caches.
TURN = 4e-3


@dataclass(kw_only=True, eq=False)
class Build:
    """An artifact of one compiler, and the seconds of its calls."""

    compiler: str
    library: ctypes.CDLL
    pixels: NDArray[np.uint8]
    answer: NDArray[np.float32]
    seconds: list[float] = field(default_factory=list)

    def call(self) -> float:
        """Seconds of one call."""
        pixels, answer = self.pixels.ctypes.data, self.answer.ctypes.data
        begun = time.perf_counter()
        self.library.dw_run(pixels, answer, None)
        return time.perf_counter() - begun


def main(arguments: list[str]) -> int:
    """Print one line for each network, precision and level; 1 where a build does not give the oracle's answers."""
    found = _arguments(arguments)
    others = "".join(f"{name:>16}" for name in found.cc[1:])
    print(f"{'precision':10}{'level':10}{'network':10}{found.cc[0] + ' ms':>12}{others}")
    good = True
    for precision in found.precisions:
        for row in _levels(precision, found.levels):
            for network in found.networks:
                with tempfile.TemporaryDirectory(prefix="depthwise-") as folder:
                    builds = _builds(network, precision, row, found.cc, Path(folder))
                    good &= all(_verified(one) for one in builds)
                    _time(builds, found.seconds)
                print(_line(precision, row.level, network, builds), flush=True)
    return 0 if good else 1


def _arguments(arguments: list[str]) -> argparse.Namespace:
    def words(text: str) -> list[str]:
        return text.split(",")

    def levels(text: str) -> list[str]:
        named, known = words(text), [*(level.name for level in LEVELS), "host"]
        if unknown := [name for name in named if name not in known]:
            raise argparse.ArgumentTypeError(f"there is no level {unknown[0]!r}; there are {', '.join(known)}")
        return named

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cc", type=words, default=_installed(), help="compilers, the first to be compared with")
    parser.add_argument("--precisions", type=words, default=words(PRECISIONS), help=PRECISIONS)
    parser.add_argument("--levels", type=levels, default=None, help="as --cpu takes them, and host; all unless given")
    parser.add_argument("--networks", type=words, default=words(NETWORKS), help=f"width-resolution: {NETWORKS}")
    parser.add_argument("--seconds", type=float, default=2.0, help="that each build is called for; 2 unless given")
    return parser.parse_args(arguments)


def _installed() -> list[str]:
    """zig, and every gcc and clang on the path, the newest last."""
    found = {"gcc", "clang"} | {
        path.name
        for folder in os.get_exec_path()
        for path in Path(folder).glob("*-*")
        if re.fullmatch(r"(gcc|clang)-\d+", path.name)
    }
    # Of two names for one file the longer one says the version.
    files = {Path(path).resolve(): name for name in sorted(found, key=_age) if (path := shutil.which(name))}
    return [ZIG, *files.values()]


def _age(name: str) -> tuple[str, int]:
    kind, _, version = name.partition("-")
    return kind, int(version or 0)


def _levels(precision: Precision, wanted: Sequence[str] | None) -> list[Target]:
    """The levels that a library would carry and this machine runs, and the machine as it is."""
    host = targets.target("host")
    has = compilers.compiler(host, None).machine().features
    usable = [level for level in LEVELS if precision in level.carried and level.machine.features <= has]
    rows = [targets.at_level(host, level.name) for level in usable]
    return [row for row in (*rows, host) if wanted is None or row.level in wanted]


def _builds(network: str, precision: Precision, row: Target, names: Sequence[str], folder: Path) -> list[Build]:
    width, resolution = network.split("-")
    spec = Spec(width=float(width), resolution=int(resolution), classes=1000)
    model = random_subject(spec, precision).model
    machine = row.machine or compilers.compiler(row, None).machine()
    emitted = emit(model, target_name="host", machine=machine, choices=Choices(precision=precision))
    pixels = np.random.default_rng(0).integers(0, 256, (spec.resolution, spec.resolution, 3), np.uint8)
    builds = []
    for name in names:
        chosen = compilers.compiler(row, None if name == ZIG else name)
        out = folder / f"{name.replace('/', '-')}.so"
        library(chosen, emitted.model_c, emitted.packed.words, precision, out)
        loaded = ctypes.CDLL(str(out))
        loaded.dw_run.argtypes = (ctypes.c_void_p,) * 3
        answer = np.zeros(spec.classes, np.float32)
        builds.append(Build(compiler=name, library=loaded, pixels=pixels, answer=answer))
    return builds


def _verified(one: Build) -> bool:
    """Whether it gives the oracle's answers; says so where it does not."""
    worst = ctypes.c_float()
    if one.library.dw_verify(ctypes.byref(worst), None) == 0:
        return True
    print(f"error: the build of {one.compiler} is off by {worst.value:.3g}", file=sys.stderr)
    return False


def _time(builds: Sequence[Build], seconds: float) -> None:
    """Call them in turns, until each was called for so long."""
    calls = max(1, round(TURN / min(one.call() for one in builds)))
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds * len(builds):
        for one in builds:
            # The first call of a turn meets the weights of another build in the caches.
            one.call()
            one.seconds.extend(one.call() for _ in range(calls))


def _line(precision: Precision, level: str, network: str, builds: Sequence[Build]) -> str:
    least = [min(one.seconds) for one in builds]
    median = [statistics.median(one.seconds) for one in builds]
    shares = [f"{a / least[0]:.3f} {b / median[0]:.3f}" for a, b in zip(least[1:], median[1:], strict=True)]
    return f"{precision:10}{level:10}{network:10}{least[0] * 1e3:12.4f}" + "".join(f"{share:>16}" for share in shares)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
