"""What the layers put out on the calibration images: histograms, channel by channel, in one pass."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthwise.network.spec import ACTIVATIONS
from depthwise.progress import Reporter
from depthwise.quantize.floats import FloatNet, Floats, Pixels, parts

BINS = 1024
# Of larger maps every second row and column is counted in the histogram: neighbours are alike.
COUNTED_WHOLE = 28


@dataclass(frozen=True, kw_only=True, eq=False)
class Outputs:
    """The outputs of one layer, N channels; all are at least 0.

    Attributes:
        counts: (N, BINS), how often a value lay in each of the bins from 0 to `top`.
        top: upper end of the last bin, at least `largest`.
        largest: (N,), the largest value of each channel.
    """

    counts: NDArray[np.int64]
    top: float
    largest: NDArray[np.float64]

    @property
    def middles(self) -> NDArray[np.float64]:
        """(BINS,) the value in the middle of each bin."""
        return np.asarray((np.arange(BINS) + 0.5) * (self.top / BINS), np.float64)


def collect(net: FloatNet, pixels: Pixels, size: int, progress: Reporter) -> tuple[Outputs | None, ...]:
    """Histograms of the outputs of each layer; None for the classifier, whose output has no bytes.

    Args:
        pixels: (B, H, W, C) calibration images.
        size: images to work on at once.
    """
    kept = [layer.kind != "classifier" for layer in net.table]
    # ReLU6 says where outputs end; without it a first pass has to find out.
    top = ACTIVATIONS[net.activation]
    passes = 1 if math.isfinite(top) else 2
    progress.begin("ranges", passes * len(pixels))
    largest = [np.zeros(layer.output.channels) for layer in net.table]
    tops = [top] * len(net.table)
    if passes == 2:
        _walk(net, pixels, size, progress, largest, None, tops)
        tops = [max(float(most.max()), 1e-6) for most in largest]
    counts = [np.zeros((layer.output.channels, BINS), np.int64) for layer in net.table]
    _walk(net, pixels, size, progress, largest, counts, tops)
    progress.end()
    return tuple(
        Outputs(counts=counts[i], top=tops[i], largest=largest[i]) if kept[i] else None for i in range(len(kept))
    )


def _walk(
    net: FloatNet,
    pixels: Pixels,
    size: int,
    progress: Reporter,
    largest: list[NDArray[np.float64]],
    counts: list[NDArray[np.int64]] | None,
    tops: list[float],
) -> None:
    """One pass over the images; adds to `largest` and to `counts`."""
    for part in parts(len(pixels), size):
        x = net.start(pixels[part])
        for index, layer in enumerate(net.table[:-1]):
            x = net.activate(index, net.sums(index, x))
            np.maximum(largest[index], x.max(axis=(0, 1, 2)), out=largest[index])
            if counts is not None:
                every = 1 if layer.output.height <= COUNTED_WHOLE else 2
                counts[index] += _histogram(x[:, ::every, ::every], tops[index])
        for _ in pixels[part]:
            progress.advance()


def _histogram(x: Floats, top: float) -> NDArray[np.int64]:
    """(N, BINS) counts of (B, H, W, N) values."""
    N = x.shape[-1]
    bins = np.minimum(x * np.float32(BINS / top), BINS - 1).astype(np.int64)
    flat = (bins + np.arange(N) * BINS).ravel()
    return np.bincount(flat, minlength=N * BINS).reshape(N, BINS)
