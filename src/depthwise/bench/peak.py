"""The most multiply-adds a second that this processor can do, measured with a loop that touches registers only."""

from __future__ import annotations

import ctypes
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from depthwise.bench.zig import compile_c

# Long enough that a call from Python is nothing beside it, short enough for a turn between others.
_SECONDS = 0.004


@dataclass(frozen=True, kw_only=True)
class Peak:
    """The limit of one precision.

    Attributes:
        instruction: the instruction that was repeated.
        threads: how many ran it at once.
        per_second: multiply-adds a second of all together, the most of all turns.
    """

    instruction: str
    threads: int
    per_second: float


class PeakLoop:
    """The loop of one precision, compiled for this machine."""

    def __init__(self, precision: str, folder: Path) -> None:
        library = ctypes.CDLL(str(compile_c(Path(__file__).with_name("peak.c"), folder / "peak.so")))
        name = library[f"dwb_{precision}_name"]
        name.restype = ctypes.c_char_p
        products = library[f"dwb_{precision}_products"]
        products.restype = ctypes.c_int64
        self._loop = library[f"dwb_{precision}"]
        self._loop.argtypes, self._loop.restype = (ctypes.c_int64,), None
        self._instruction: str = name().decode()
        self._products: int = products()
        self._turns = self._calibrated() if self._instruction else 0
        self._most: dict[int, float] = {}

    @property
    def exists(self) -> bool:
        """Whether the processor has an instruction for this precision."""
        return bool(self._instruction)

    def turn(self, threads: int) -> None:
        """Measure once, on so many threads at the same time."""
        if not self.exists:
            return
        begun: list[float] = []
        ended: list[float] = []
        start = threading.Barrier(threads)

        def run() -> None:
            start.wait()
            begun.append(time.perf_counter())
            self._loop(self._turns)
            ended.append(time.perf_counter())

        others = [threading.Thread(target=run) for _ in range(threads - 1)]
        for thread in others:
            thread.start()
        run()
        for thread in others:
            thread.join()
        found = threads * self._turns * self._products / (max(ended) - min(begun))
        self._most[threads] = max(found, self._most.get(threads, 0.0))

    def peak(self, threads: int) -> Peak | None:
        """The most that any turn with so many threads reached; None where there is no instruction."""
        if threads not in self._most:
            return None
        return Peak(instruction=self._instruction, threads=threads, per_second=self._most[threads])

    def _calibrated(self) -> int:
        turns = 1000
        while True:
            begun = time.perf_counter()
            self._loop(turns)
            seconds = time.perf_counter() - begun
            if seconds > _SECONDS / 4:
                return max(1, int(turns * _SECONDS / seconds))
            turns *= 4
