"""Pixels to the square that a network takes: the same bytes in training, in Python on a device and in emitted C.

docs/preprocessing.md is the specification; kernels/artifact/dwk_prepare.h computes `prepare` in C, to the same bytes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from depthwise.edge.decoding import SUFFIXES, decode
from depthwise.errors import Refused

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

__all__ = ["LARGEST_ASPECT", "SUFFIXES", "Floats", "Geometry", "Pixels", "decode", "geometry", "prepare"]

# A longer picture is cut to its middle before the resize, which would blow up 20,000 x 1 to 1,280,000 x 64.
LARGEST_ASPECT = 4


class Geometry(NamedTuple):
    """What `prepare` does to an image, in whole pixels: cut its middle out, resize that, crop the middle of the result.

    Attributes:
        top, left, height, width: the part of the image that is resized; all of it up to an aspect of 4 to 1.
        resized_height, resized_width: its size after the resize; the shorter side is `resize`.
        crop_top, crop_left: where the crop begins in that.
    """

    top: int
    left: int
    height: int
    width: int
    resized_height: int
    resized_width: int
    crop_top: int
    crop_left: int


def geometry(height: int, width: int, *, resize: int, crop: int) -> Geometry:
    """The one rule for sizes: the shorter side becomes `resize`, the other is rounded to nearest, halves up."""
    short = min(height, width)
    cut_height, cut_width = (min(side, LARGEST_ASPECT * short) for side in (height, width))
    resized_height, resized_width = ((2 * side * resize + short) // (2 * short) for side in (cut_height, cut_width))
    return Geometry(
        (height - cut_height) // 2,
        (width - cut_width) // 2,
        cut_height,
        cut_width,
        resized_height,
        resized_width,
        (resized_height - crop) // 2,
        (resized_width - crop) // 2,
    )


def prepare(image: Pixels, *, resize: int, crop: int) -> Pixels:
    """The middle of an image at the size that the network takes.

    Args:
        image: (H, W, C), C is 1 or 3.
        resize: length of the shorter side after the resize, at least `crop`.
        crop: side of the square that is returned.

    Returns: (crop, crop, C), resized with Pillow's antialiased bilinear filter.
    Raises: Refused, when `image` is not of that kind or `resize` is below `crop`.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (1, 3) or image.size == 0:
        raise Refused(f"an image is {image.dtype} of shape {image.shape}; it must be uint8 of (height, width, 1 or 3)")
    if not 1 <= crop <= resize:
        raise Refused(f"resize is {resize} and crop {crop}; the crop must be at least 1 and fit into the resized image")
    g = geometry(*image.shape[:2], resize=resize, crop=crop)
    part = image[g.top : g.top + g.height, g.left : g.left + g.width]
    picture = Image.fromarray(part[:, :, 0] if part.shape[2] == 1 else part)
    # In two calls, because which pass one call begins with depends on Pillow's version.
    for size in ((g.resized_width, g.height), (g.resized_width, g.resized_height)):
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    square = picture.crop((g.crop_left, g.crop_top, g.crop_left + crop, g.crop_top + crop))
    return np.array(square).reshape(crop, crop, image.shape[2])
