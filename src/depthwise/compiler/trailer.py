"""What is appended to a library, so that a truncated or foreign file is known before it is loaded."""

from __future__ import annotations

import hashlib
import re
import struct

from depthwise.kernels.headers import FOLDER, INTERFACE

# Mark, length and SHA-256 of the library before the trailer, major and minor version of the interface; little-endian.
TRAILER = struct.Struct("<8sQ32sII")
MARK = b"DWTRAIL1"


def trailer(library: bytes) -> bytes:
    """The 56 bytes that follow a library."""
    return TRAILER.pack(MARK, len(library), hashlib.sha256(library).digest(), *interface_version())


def interface_version() -> tuple[int, int]:
    """Major and minor version of depthwise.h."""
    text = (FOLDER / INTERFACE).read_text(encoding="utf-8")
    numbers = [re.search(rf"#define DW_INTERFACE_{part} (\d+)u", text) for part in ("MAJOR", "MINOR")]
    major, minor = (int(number[1]) for number in numbers if number is not None)
    return major, minor
