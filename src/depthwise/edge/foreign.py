"""For which machine a library is, told by its first bytes, where this machine did not load it."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

# e_machine of ELF, and what Python calls such processors.
_PROCESSORS = {3: "i686", 40: "armv7l", 62: "x86_64", 183: "aarch64", 243: "riscv64"}


def foreign(path: str) -> str:
    """The kind of machine that a library is for; "" where it is of this one, or of no kind that is known."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(20)
    except OSError:
        return ""
    if head.startswith(b"MZ"):
        return "" if sys.platform == "win32" else "Windows"
    if head[:4] in (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"):
        return "" if sys.platform == "darwin" else "macOS"
    if not head.startswith(b"\x7fELF") or len(head) < 20:
        return ""
    kind = _PROCESSORS.get(int.from_bytes(head[18:20], "little" if head[5] == 1 else "big"), "")
    return "" if kind == platform.machine() else kind
