"""Anything that is an image, to probabilities: a file, its bytes, an image of Pillow, an array, a frame of a camera."""

from __future__ import annotations

import os
from pathlib import Path

from depthwise.edge import ppm
from depthwise.edge.artifact import Artifact
from depthwise.edge.frames import LAYOUTS, Frame
from depthwise.errors import Refused

TYPE_CHECKING = False  # without `typing`, as edge/__init__.py says
if TYPE_CHECKING:
    from typing import Any

# Of a PPM or PGM file; what is larger goes to Pillow's reader, which says how many pixels are too many.
_MOST_BYTES = 288_000_000
_LONGEST_HEADER = 256


def seen(artifact: Artifact, image: Any, most_pixels: int | None = None) -> list[float]:
    """Probabilities of an image, one a label. Files of PPM, arrays and frames need no Pillow.

    Args:
        image: the path or the bytes of an image file, an image of Pillow, an array of bytes (H, W, channels) with red
            first or (H, W), or a `Frame`.
        most_pixels: of a file that is decoded; None for what `decoding.picture` allows.
    Raises: Refused, when it cannot be read.
    """
    if isinstance(image, Frame):
        return artifact.see(image)
    if hasattr(image, "__array_interface__") and not hasattr(image, "getbands"):
        return artifact.see(_of_array(image))
    if hasattr(image, "getbands"):
        return artifact.label(image.convert("L" if artifact.input_shape[2] == 1 else "RGB"))
    channels = artifact.input_shape[2]
    frame = _of_ppm(image, channels, _MOST_BYTES if most_pixels is None else most_pixels * channels + _LONGEST_HEADER)
    if frame is not None:
        return artifact.see(frame)
    from depthwise.edge.decoding import picture

    return artifact.label(picture(image, channels=channels, most=most_pixels))


def _of_array(array: Any) -> Frame:
    height, width, *channels = array.shape
    layout = {(): "grey", (1,): "grey", (3,): "rgb"}.get(tuple(channels))
    if layout is None or memoryview(array).format != "B":
        raise Refused(
            f"an image is an array of bytes (height, width) or (height, width, 3), not {array.dtype} of {array.shape}"
        )
    return Frame.of_bytes(LAYOUTS[layout], height, width, array)


def _of_ppm(image: Any, channels: int, most: int) -> Frame | None:
    """The frame of a PPM or PGM file that has the network's channels; None for all else, which Pillow reads."""
    if isinstance(image, str | os.PathLike):
        path = Path(image)
        if path.suffix.lower() not in (".ppm", ".pgm") or not path.is_file() or path.stat().st_size > most:
            return None
        content, name = path.read_bytes(), str(path)
    elif isinstance(image, bytes | bytearray) and len(image) <= most:
        content, name = bytes(image), f"image of {len(image):,} bytes"
    else:
        return None
    if content[:2] != {1: b"P5", 3: b"P6"}[channels]:
        return None
    try:
        return ppm.parse(content, name)
    except Refused:
        return None
