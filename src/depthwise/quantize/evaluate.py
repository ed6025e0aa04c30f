"""Float against int8: agreement, accuracy where there are labels, and what each layer costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthwise.network import reference_int8
from depthwise.network.dequantize import dequantize
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.progress import Reporter, Silent
from depthwise.quantize.floats import FloatNet, Floats, Pixels, together
from depthwise.quantize.search import squares

# Images with which layers are judged one by one, each of which takes the rest of the network.
JUDGES = 16


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Shares of labelled images, from 0 to 1, that the float and the int8 network get right."""

    float_top1: float
    float_top5: float
    int8_top1: float
    int8_top5: float

    @property
    def drop(self) -> float:
        """How many points of top-1 accuracy int8 costs; negative where it gains."""
        return 100 * (self.float_top1 - self.int8_top1)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two precisions on the same images.

    Attributes:
        images: how many.
        agreement: share, from 0 to 1, for which both have the same first label.
        signal_db: logits' variance over that of their difference, in decibels: the higher, the closer.
        accuracy: what both get right; None where the images have no labels.
    """

    images: int
    agreement: float
    signal_db: float
    accuracy: Accuracy | None


def compare(
    model: Model,
    quantized: QuantizedModel,
    batches: Iterable[tuple[Pixels, NDArray[np.int64] | None]],
    total: int,
    progress: Reporter | None = None,
) -> Comparison:
    """Both networks on the same images.

    Args:
        batches: pixels (B, H, W, C) and the (B,) indices of their labels; None in all batches where there are none.
        total: images in all batches, for the progress.
    """
    progress = progress or Silent()
    net, size = FloatNet.of(model), together(model.spec)
    floats, ints, truths = [], [], []
    progress.begin("float against int8", total)
    try:
        for pixels, labels in batches:
            for start in range(0, len(pixels), size):
                part = pixels[start : start + size]
                floats.append(net.forward(net.start(part))[:, 0, 0])
                ints.append(reference_int8.run(quantized, part).logits)
                if labels is not None:
                    truths.append(labels[start : start + size])
                for _ in part:
                    progress.advance()
    finally:
        progress.end()
    found = np.concatenate(floats), np.concatenate(ints)
    return _compared(*found, _accuracy(*found, np.concatenate(truths)) if truths else None)


def _compared(floats: Floats, ints: Floats, accuracy: Accuracy | None) -> Comparison:
    return Comparison(
        images=len(floats),
        accuracy=accuracy,
        agreement=float((floats.argmax(axis=1) == ints.argmax(axis=1)).mean()),
        signal_db=decibels(squares(floats - floats.mean(axis=0)), squares(ints - floats)),
    )


def _accuracy(floats: Floats, ints: Floats, truths: NDArray[np.int64]) -> Accuracy:
    float_top1, float_top5 = _tops(floats, truths)
    int8_top1, int8_top5 = _tops(ints, truths)
    return Accuracy(float_top1=float_top1, float_top5=float_top5, int8_top1=int8_top1, int8_top5=int8_top5)


def _tops(logits: Floats, truths: NDArray[np.int64]) -> tuple[float, float]:
    best = np.argsort(-logits, axis=1, kind="stable")[:, :5] == truths[:, None]
    return float(best[:, 0].mean()), float(best.any(axis=1).mean())


def decibels(signal: float, noise: float) -> float:
    """10 log10 of a ratio of sums of squares, between -200 and 200."""
    if noise <= 0 or signal <= 0:
        return 200.0 if noise <= 0 else -200.0
    return float(np.clip(10 * np.log10(signal / noise), -200, 200))


def layer_noise(
    model: Model, quantized: QuantizedModel, pixels: Pixels, progress: Reporter | None = None
) -> dict[str, float]:
    """What each layer alone costs: squared error of the logits over their variance, when only it is in int8.

    Args:
        pixels: some images; the first 16 are used.
    """
    progress = progress or Silent()
    net, real = FloatNet.of(model), dequantize(quantized)
    x = net.start(pixels[:JUDGES])
    logits = net.forward(x)
    signal = max(squares(logits - logits.mean(axis=0)), 1e-30)
    found = {}
    progress.begin("cost of each layer", len(net.table))
    for index, layer in enumerate(net.table):
        numbers = quantized.layers[layer.name]
        output = net.activate(index, net.sums(index, x, real.get(layer.name)))
        if numbers.rounded:
            step = numbers.scale
            output = np.clip(np.rint(output / step), numbers.low, numbers.high).astype(np.float32) * step
        found[layer.name] = squares(net.forward(output, index + 1) - logits) / signal
        x = net.activate(index, net.sums(index, x))
        progress.advance()
    progress.end()
    return found
