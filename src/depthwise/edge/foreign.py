"""For which machine a library is, told by its first bytes, where this machine did not load it."""

from __future__ import annotations

import sys
from pathlib import Path

from depthwise.processor import processor

# What Python calls the processors of e_machine in ELF, of cputype in Mach-O, and of Machine in Windows' files.
_ELF = {3: "i686", 40: "armv7l", 62: "x86_64", 183: "aarch64", 243: "riscv64"}
_MACHO = {0x01000007: "x86_64", 0x0100000C: "arm64"}
_WINDOWS = {0x14C: "x86", 0x8664: "amd64", 0xAA64: "arm64"}


def foreign(path: str) -> str:
    """The kind of machine that a library is for; "" where it is of this one, or of no kind that is known."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(1024)
    except OSError:
        return ""
    system, kind = _machine(head)
    here = {"win32": "Windows", "darwin": "macOS"}.get(sys.platform, "")
    if not (system or kind):
        return ""
    if system != here:
        return system or kind
    if kind in ("", processor()):
        return ""
    return f"{system} on {kind}" if system else kind


def _machine(head: bytes) -> tuple[str, str]:
    """The system of a library, "" where it is one with ELF, and its processor, "" where it is none that is known."""
    if head.startswith(b"MZ"):
        at = int.from_bytes(head[0x3C:0x40], "little")
        kind = int.from_bytes(head[at + 4 : at + 6], "little") if head[at : at + 4] == b"PE\0\0" else 0
        return "Windows", _WINDOWS.get(kind, "")
    if head.startswith(b"\xcf\xfa\xed\xfe"):
        return "macOS", _MACHO.get(int.from_bytes(head[4:8], "little"), "")
    if head.startswith(b"\xca\xfe\xba\xbe"):
        return "macOS", ""
    if head.startswith(b"\x7fELF") and len(head) >= 20:
        return "", _ELF.get(int.from_bytes(head[18:20], "little" if head[5] == 1 else "big"), "")
    return "", ""
