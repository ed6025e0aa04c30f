"""Square windows of many images at once, as views: what is read or written is a block of whole rows, not pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from depthwise.attack.subject import Ints


def windows(images: NDArray[Any], side: int) -> NDArray[Any]:
    """All windows of images (N, H, W, C), a view (N, H - side + 1, W - side + 1, side, side * C).

    Indexed by three arrays (image, top, left) it gives, or takes, one window for each.
    """
    count, height, width, channels = images.shape
    assert images.flags.c_contiguous
    image, row, pixel, value = images.strides
    shape = (count, height - side + 1, width - side + 1, side, side * channels)
    return as_strided(images, shape, (image, row, pixel, row, value))


def corners(places: NDArray[np.float32], side: int, height: int, width: int) -> tuple[Ints, Ints]:
    """(M,) tops and lefts of windows whose places (M, 2) were drawn from 0 to 1."""
    rooms = np.array([height - side + 1, width - side + 1], np.float32)
    found = (places * rooms).astype(np.int64)
    return found[:, 0], found[:, 1]
