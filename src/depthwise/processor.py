"""For which processor this process is, which need not be what the machine has."""

from __future__ import annotations

import platform
import sys

# What sysconfig calls the builds of Python for Windows.
_WINDOWS = {"win-amd64": "amd64", "win-arm64": "arm64", "win-arm32": "arm", "win32": "x86"}
# A process of 32 bits on a kernel of 64 is told what the kernel is for.
_IN_32_BITS = {"aarch64": "armv7l", "armv8l": "armv7l", "x86_64": "i686", "riscv64": "riscv32"}


def processor() -> str:
    """The processor whose libraries this process loads, as `platform.machine()` calls it, in small letters."""
    if sys.platform == "win32":
        # Windows runs programs for x86 on ARM, and of 32 bits on 64; Python then says what the machine has.
        import sysconfig

        here = sysconfig.get_platform()
        return _WINDOWS.get(here, here)
    here = platform.machine().lower()
    if sys.maxsize < 2**32:
        return _IN_32_BITS.get(here, here)
    # As `linux32 python3` is told.
    return "aarch64" if here == "armv8l" else here
