"""Where is measured, and how."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Place:
    """Where is measured, and how.

    Attributes:
        device: "cuda" or "cpu".
        seconds: that one timing takes at the least.
        narrow: the type that is computed in.
    """

    device: torch.device
    seconds: float
    narrow: torch.dtype

    @property
    def is_gpu(self) -> bool:
        """Whether the figures are worth anything."""
        return self.device.type == "cuda"

    def wait(self) -> None:
        """Until the device has done all that it was given."""
        if self.is_gpu:
            torch.cuda.synchronize()

    def seconds_of(self, work: Callable[[], object]) -> float:
        """Seconds of one piece of work, of as many as fill the time."""
        count, passed = 1, 0.0
        while passed < self.seconds:
            count = count if not passed else max(count + 1, min(count * 10, int(count * self.seconds / passed * 1.2)))
            self.wait()
            start = time.perf_counter()
            for _ in range(count):
                work()
            self.wait()
            passed = time.perf_counter() - start
        return passed / count

    def medians(self, ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
        """Median seconds of each way, all in turns."""
        found: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, work in ways.items():
                found[name].append(self.seconds_of(work))
        return {name: statistics.median(values) for name, values in found.items()}


def where(place: Place) -> dict[str, str]:
    """What the figures depend on."""
    found = {"python": platform.python_version(), "torch": torch.__version__, "date": time.strftime("%Y-%m-%d")}
    if place.is_gpu:
        import triton

        found |= {"gpu": torch.cuda.get_device_name(), "cuda": str(torch.version.cuda), "triton": triton.__version__}
    return found


def bandwidth(place: Place, tiny: bool) -> float:
    """Bytes a second that a copy of a large tensor moves, read and written: what the floor of a layer is taken by."""
    source = torch.empty(2**20 if tiny else 2**30, dtype=torch.uint8, device=place.device)
    target = torch.empty_like(source)
    return 2 * source.numel() / place.seconds_of(lambda: target.copy_(source))


def rates(place: Place, ways: Mapping[str, Callable[[], object]], batch: int, rounds: int) -> dict[str, Any]:
    """Images a second of each way."""
    medians = place.medians(ways, rounds)
    return {"batch": batch, "images/s": {name: batch / seconds for name, seconds in medians.items()}}
