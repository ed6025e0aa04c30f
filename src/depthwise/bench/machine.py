"""The machine and the versions that figures belong to."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

from depthwise import __version__
from depthwise.cores import cores


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What figures are of.

    Attributes:
        processor: its name as the system has it.
        cores: how many this process may use.
        system, python, depthwise: names and versions.
        date: of the measurement, YYYY-MM-DD.
        load: processes that wanted to run in the last minute before; above 0.5 the figures are of a busy machine.
        tiles: whether it has those of AMX, and the system tells: what peers take where they know how.
    """

    processor: str
    cores: int
    system: str
    python: str
    depthwise: str
    date: str
    load: float | None
    tiles: bool = False


def machine() -> Machine:
    """This one, now."""
    return Machine(
        processor=_processor(),
        cores=cores(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        depthwise=__version__,
        date=time.strftime("%Y-%m-%d"),
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        tiles=any("amx_tile" in line.split() for line in _told("flags")),
    )


def _told(field: str) -> list[str]:
    """What Linux tells of each core of the processor."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
            return [line.partition(":")[2].strip() for line in file if line.startswith(field)]
    except OSError:
        return []


def _processor() -> str:
    names = _told("model name")
    return names[0] if names else platform.processor() or platform.machine()
