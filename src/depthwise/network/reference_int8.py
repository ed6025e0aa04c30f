"""The int8 oracle: the bytes that an int8 network computes, in numpy, exactly.

docs/int8.md is what it computes; its rules are cited by number. Sums of u8 x s8 products are whole numbers, and below
2**24 a float32 holds each of them, below 2**53 a float64: a matrix product of BLAS is then exact in whatever order it
adds, and quick. Sizes: B images, H W C of an input, N output channels; channels are last (NHWC).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthwise.errors import Refused
from depthwise.network import reference
from depthwise.network.layers import Layer, Padding, layers
from depthwise.network.quantized import QuantizedLayer, QuantizedModel
from depthwise.network.requantize import requantize

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What an int8 network answers for B images.

    Attributes:
        logits: (B, classes) float32 (Q8).
        probabilities: (B, classes) float64, their softmax.
        features: (B, C) float32, the pooled features in real numbers.
        activations: (B, H, W, N) bytes by name of the layer; empty unless asked for. A classifier whose logits are
            not rounded has none.
    """

    logits: NDArray[np.float32]
    probabilities: NDArray[np.float64]
    features: NDArray[np.float32]
    activations: Mapping[str, Bytes] = field(default_factory=dict)


class Step(NamedTuple):
    """One layer: its row, its numbers, its accumulators (B, H, W, N), and its bytes, None for unrounded logits."""

    layer: Layer
    numbers: QuantizedLayer
    acc: NDArray[np.int32]
    output: Bytes | None


def run(model: QuantizedModel, pixels: Bytes, *, keep: bool = False) -> Result:
    """The network's answer for prepared pixels.

    Args:
        pixels: (B, H, W, C) bytes as `edge.pixels.prepare` makes them, B at least 1.
        keep: also return the bytes of every layer.
    Raises: Refused, when the pixels are not bytes of this network's shape.
    """
    reference.check_pixels(model.spec, pixels)
    parts: dict[str, list[Bytes]] = {}
    scores: list[NDArray[np.float32]] = []
    count = reference.together(model.spec)
    for start in range(0, len(pixels), count):
        for step in walk(model, pixels[start : start + count]):
            if step.output is not None and (keep or step.layer.kind == "pool"):
                parts.setdefault(step.layer.name, []).append(step.output)
        scores.append(logits(step.numbers, step.acc)[:, 0, 0])
    whole = {name: np.concatenate(found) for name, found in parts.items()}
    answer = np.concatenate(scores)
    return Result(
        logits=answer,
        probabilities=np.asarray(reference.softmax(answer.astype(np.float64)), np.float64),
        features=real(model.layers["global_pool"], whole["global_pool"])[:, 0, 0],
        activations=whole if keep else {},
    )


def walk(model: QuantizedModel, pixels: Bytes) -> Iterator[Step]:
    """Each layer with what it computes, in the order of the table.

    Args:
        pixels: (B, H, W, C) bytes.
    Raises: Refused, for a kind of layer that the oracle does not know.
    """
    x, border = pixels, model.border
    for layer in layers(model.spec):
        numbers = model.layers[layer.name]
        acc = accumulate(layer, numbers, x, border)
        output = None
        if numbers.rounded:
            output = requantize(
                acc, numbers.multiplier, numbers.zero_point, low=numbers.low, high=numbers.high
            )  # R1-R4
            x, border = output, (numbers.zero_point,) * layer.output.channels
        yield Step(layer, numbers, acc, output)


def accumulate(layer: Layer, numbers: QuantizedLayer, x: Bytes, border: tuple[int, ...]) -> NDArray[np.int32]:
    """Accumulators (B, H', W', N) of one layer for its input bytes (B, H, W, C): bias and products (Q5).

    Args:
        border: the byte of each input channel that stands around the image (Q3).
    """
    bias = numbers.bias
    if layer.kind == "pool":
        return np.asarray(x.sum(axis=(1, 2), keepdims=True, dtype=np.int64) + bias, np.int32)
    # Exact as long as no sum of absolute products exceeds what the float type holds without gaps.
    largest = 255 * int(np.abs(numbers.factors.astype(np.int64)).reshape(len(bias), -1).sum(axis=1).max())
    dtype: type[np.floating[Any]] = np.float32 if largest < 2**24 else np.float64
    weight: reference.Floats = numbers.factors.astype(dtype)
    values: reference.Floats = pad(x, layer.padding, border).astype(dtype)
    match layer.kind:
        case "stem" | "standard" | "pointwise":
            sums = reference.convolution(values, weight, layer.stride, Padding())
        case "depthwise":
            sums = reference.depthwise(values, weight, layer.stride, Padding())
        case "classifier":
            sums = values @ weight.T
        case kind:
            raise Refused(f"layer {layer.name}: the int8 oracle has no form for kind {kind}")
    return np.asarray(sums.astype(np.int64) + bias, np.int32)


def pad(x: Bytes, padding: Padding, border: tuple[int, ...]) -> Bytes:
    """The image with border bytes around it, each channel with its own."""
    if padding == Padding():
        return x
    B, H, W, C = x.shape
    out = np.empty((B, padding.top + H + padding.bottom, padding.left + W + padding.right, C), np.uint8)
    out[:] = np.array(border, np.uint8)
    out[:, padding.top : padding.top + H, padding.left : padding.left + W] = x
    return out


def logits(numbers: QuantizedLayer, acc: NDArray[np.int32]) -> NDArray[np.float32]:
    """Real logits of a classifier's accumulators (Q8): by bytes, or the products of R2 as they are."""
    if numbers.rounded:
        return real(
            numbers,
            requantize(acc, numbers.multiplier, numbers.zero_point, low=numbers.low, high=numbers.high),
        )
    return np.asarray(acc.astype(np.float32) * numbers.multiplier, np.float32)


def real(numbers: QuantizedLayer, x: Bytes) -> NDArray[np.float32]:
    """Bytes (..., N) of a layer in real numbers (Q1)."""
    return np.asarray((x.astype(np.float32) - np.float32(numbers.zero_point)) * numbers.scale, np.float32)
