"""PPM and PGM files of 8 bits, which need no Pillow: what cameras, and `ffmpeg -f image2pipe -c:v ppm`, write."""

from __future__ import annotations

import re

from depthwise.edge.frames import LAYOUTS, Frame
from depthwise.errors import Refused

# Kind, width, height and largest value, with blanks and comments between, and one blank behind.
_HEADER = re.compile(rb"P([56])" + rb"(?:\s|#[^\r\n]*[\r\n])+(\d{1,9})" * 3 + rb"\s")
MARKS = (b"P5", b"P6")


def parse(content: bytes, name: str = "picture") -> Frame:
    """The frame of a file's bytes.

    Raises: Refused, when it is no such file, has other values than bytes, or is cut off.
    """
    found = _HEADER.match(content)
    if found is None or int(found[4]) != 255:
        raise Refused(f"{name}: is not a binary PPM or PGM file of 8 bits; save it as one")
    layout = LAYOUTS["rgb" if found[1] == b"6" else "grey"]
    width, height = int(found[2]), int(found[3])
    pixels = content[found.end() : found.end() + layout.bytes(height, width)]
    if len(pixels) < layout.bytes(height, width):
        raise Refused(f"{name}: is cut off; copy it again or leave it out")
    return Frame.of_bytes(layout, height, width, pixels)
