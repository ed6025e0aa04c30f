"""Whether this process asked the system for the tiles of AMX, which Linux lends to a process only once it has asked."""

from __future__ import annotations

import ctypes
import platform
import sys

# arch_prctl(ARCH_GET_XCOMP_PERM, address of 64 bits), and the bit of the tiles' contents in them (XFEATURE_XTILEDATA).
_ARCH_PRCTL, _GET_PERMISSION, _TILES = 158, 0x1022, 1 << 18


def asked_for_tiles() -> bool | None:
    """Whether it did, itself or by a library; None where the system does not tell."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return None
    granted = ctypes.c_uint64()
    system = ctypes.CDLL(None)
    system.syscall.restype = ctypes.c_long
    arguments = (ctypes.c_long(_ARCH_PRCTL), ctypes.c_long(_GET_PERMISSION), ctypes.byref(granted))
    return bool(granted.value & _TILES) if system.syscall(*arguments) == 0 else None
