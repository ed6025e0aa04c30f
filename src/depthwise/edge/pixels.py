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

__all__ = ["FILTERS", "LARGEST_ASPECT", "SUFFIXES", "Floats", "Geometry", "Pixels", "decode", "geometry", "prepare"]

# A longer picture is cut to its middle before the resize, which would blow up 20,000 x 1 to 1,280,000 x 64.
LARGEST_ASPECT = 4
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


class Geometry(NamedTuple):
    """What `prepare` does to an image, in whole pixels: cut its middle out, resize that, crop the middle of the result.

    Attributes:
        top, left, height, width: the part that is resized: of a crop, all of the image up to an aspect of 4 to 1.
        resized_height, resized_width: its size after the resize.
        crop_top, crop_left: where the square begins in that; below 0 where the square goes beyond it.
    """

    top: int
    left: int
    height: int
    width: int
    resized_height: int
    resized_width: int
    crop_top: int
    crop_left: int


def geometry(height: int, width: int, *, resize: int, crop: int, mode: str = "crop") -> Geometry:
    """The one rule for sizes, in each mode, rounded to nearest, halves up; no side becomes less than 1.

    `crop`: the shorter side becomes `resize`. `squash`: both sides become `crop`. `fit`: the longer one becomes `crop`.
    """
    if mode == "squash":
        return Geometry(0, 0, height, width, crop, crop, 0, 0)
    unit, target = (max(height, width), crop) if mode == "fit" else (min(height, width), resize)
    longest = LARGEST_ASPECT * unit
    cut_height, cut_width = (min(side, longest) for side in (height, width))
    resized_height, resized_width = (
        max((2 * side * target + unit) // (2 * unit), 1) for side in (cut_height, cut_width)
    )
    return Geometry(
        (height - cut_height) // 2,
        (width - cut_width) // 2,
        cut_height,
        cut_width,
        resized_height,
        resized_width,
        _half(resized_height - crop),
        _half(resized_width - crop),
    )


def _half(pixels: int) -> int:
    """Half of it, rounded towards 0, as C divides."""
    return pixels // 2 if pixels >= 0 else -(-pixels // 2)


def prepare(
    image: Pixels, *, resize: int, crop: int, mode: str = "crop", fill: tuple[int, ...] = (), filter: str = "bilinear"
) -> Pixels:
    """An image as the square that the network takes.

    Args:
        image: (H, W, C), C is 1 or 3.
        resize: of mode `crop`, the length of the shorter side after the resize, at least `crop`.
        crop: side of the square that is returned.
        mode: `crop`, `squash` or `fit`, as `geometry` has them.
        fill: of mode `fit`, the colour around the image, a byte a channel.
        filter: a name of `FILTERS`.

    Returns: (crop, crop, C), resized as Pillow does it, antialiased.
    Raises: Refused, when `image` is not of that kind or `resize` is below `crop`.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (1, 3) or image.size == 0:
        raise Refused(f"an image is {image.dtype} of shape {image.shape}; it must be uint8 of (height, width, 1 or 3)")
    if not 1 <= crop <= resize:
        raise Refused(f"resize is {resize} and crop {crop}; the crop must be at least 1 and fit into the resized image")
    g = geometry(*image.shape[:2], resize=resize, crop=crop, mode=mode)
    part = image[g.top : g.top + g.height, g.left : g.left + g.width]
    picture = Image.fromarray(part[:, :, 0] if part.shape[2] == 1 else part)
    # In two calls, because which pass one call begins with depends on Pillow's version.
    for size in ((g.resized_width, g.height), (g.resized_width, g.resized_height)):
        picture = picture.resize(size, FILTERS[filter])
    if mode == "fit":
        square = np.empty((crop, crop, image.shape[2]), np.uint8)
        square[:] = fill
        top, left = -g.crop_top, -g.crop_left
        fitted = np.array(picture).reshape(g.resized_height, g.resized_width, image.shape[2])
        square[top : top + g.resized_height, left : left + g.resized_width] = fitted
        return square
    cut = picture.crop((g.crop_left, g.crop_top, g.crop_left + crop, g.crop_top + crop))
    return np.array(cut).reshape(crop, crop, image.shape[2])
