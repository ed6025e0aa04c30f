"""Places of a layer's output drawn at random, with the input bytes that lie under the kernel there.

Sizes: P places, G groups of input channels (as many as channels in a depthwise layer, else 1), K values under the
kernel in each.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthwise.network.folding import Doubles
from depthwise.network.layers import Layer
from depthwise.network.reference_int8 import Bytes, pad

Floats = NDArray[np.float32]


class Places(NamedTuple):
    """(P,) image, row and column of each, and (P, G, K) bytes, less the one that stands for 0, ordered as weights."""

    image: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    inputs: Floats


def draw(
    layer: Layer, inputs: Bytes, zero: Doubles, border: tuple[int, ...], rng: np.random.Generator, count: int
) -> Places:
    """Places with what lies under the kernel.

    Args:
        inputs: (M, H, W, C) bytes.
        zero, border: (C,) the byte that stands for 0, and the one that pads.
        count: how many; fewer where there are not so many.
    """
    padded = pad(inputs, layer.padding, border)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (layer.kernel, layer.kernel), axis=(1, 2))
    windows = windows[:, :: layer.stride, :: layer.stride]
    M, H, W = windows.shape[:3]
    image, row, column = np.unravel_index(rng.permutation(M * H * W)[:count], (M, H, W))
    under = windows[image, row, column].astype(np.float32) - zero[:, None, None].astype(np.float32)
    groups = layer.input.channels if layer.kind == "depthwise" else 1
    return Places(image, row, column, under.reshape(len(image), groups, -1))
