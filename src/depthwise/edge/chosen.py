"""Which artifact of a folder of several is for this machine, by the names that `depthwise compile` gives them."""

from __future__ import annotations

import sys
from pathlib import Path

from depthwise.errors import Refused
from depthwise.processor import processor

# By `machine()`; a file has the name of its target.
_FILES = {
    "linux x86_64": "linux-x86_64.so",
    "linux aarch64": "linux-aarch64.so",
    "linux armv7l": "linux-armv7.so",
    "linux riscv64": "linux-riscv64.so",
    "android aarch64": "android-aarch64.so",
    "darwin x86_64": "macos-x86_64.dylib",
    "darwin arm64": "macos-arm64.dylib",
    "win32 amd64": "windows-x86_64.dll",
    "win32 arm64": "windows-arm64.dll",
}


def machine() -> str:
    """What libraries this process loads: the system and the processor, as Python calls them, in small letters."""
    # Python for Android says so itself since 3.13, and before that in Termux by this function.
    system = "android" if hasattr(sys, "getandroidapilevel") else sys.platform
    return f"{system} {processor()}"


def artifact_in(folder: str) -> str | None:
    """The path of the artifact for this machine; None where the folder holds none of any machine.

    Raises: Refused, when it holds artifacts for other machines only.
    """
    held = sorted({path.name for path in Path(folder).iterdir()}.intersection(_FILES.values()))
    wanted = _FILES.get(machine())
    if wanted in held:
        return str(Path(folder, wanted))
    if held:
        raise Refused(
            f"{folder}: holds {', '.join(held)}, and this is {machine()}; compile the model with --target host, or for"
            " this machine too"
        )
    return None
