"""The makers of processors of x86, as cpuid names them: their instructions are the same, and not as fast."""

from __future__ import annotations

from pathlib import Path

from depthwise.kernels.machine import AMD, INTEL

__all__ = ["AMD", "INTEL", "maker_here"]

_TOLD = Path("/proc/cpuinfo")


def maker_here() -> str:
    """The maker of this machine's processor; empty where Linux does not tell."""
    try:
        with _TOLD.open(encoding="utf-8", errors="replace") as file:
            names = (line.partition(":")[2].strip() for line in file if line.startswith("vendor_id"))
            return next(names, "")
    except OSError:
        return ""
