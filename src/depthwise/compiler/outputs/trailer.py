"""What is appended to a library, so that a truncated or foreign file is known before it is loaded."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from zlib import crc32

from depthwise.kernels.headers import INTERFACE
from depthwise.kinds import ARTIFACT_MARK

# Mark, length and CRC-32 of the library before the trailer, major and minor version of the interface; little-endian.
TRAILER = struct.Struct("<8sQIII")
_STEP = 1 << 20


def add_trailer(library: Path) -> None:
    """Append to a library the 28 bytes that follow one."""
    checksum = 0
    with library.open("rb+") as file:
        while part := file.read(_STEP):
            checksum = crc32(part, checksum)
        file.write(TRAILER.pack(ARTIFACT_MARK, file.tell(), checksum, *interface_version()))


def interface_version() -> tuple[int, int]:
    """Major and minor version of depthwise.h."""
    text = INTERFACE.read_text(encoding="utf-8")
    numbers = [re.search(rf"#define DW_INTERFACE_{part} (\d+)u", text) for part in ("MAJOR", "MINOR")]
    major, minor = (int(number[1]) for number in numbers if number is not None)
    return major, minor
