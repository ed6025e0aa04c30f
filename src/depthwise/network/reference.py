"""The oracle: what a network computes, in numpy, plain and slow.

In float64 it is the definition that PyTorch, the emitted C and every kernel are compared with; float32 shows what a
machine's own rounding may change. Sizes: B images, H W C of an input, N output channels. Rows come before columns and
channels are last (NHWC), as pixels lie in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from depthwise.errors import Refused
from depthwise.network.layers import Layer, Padding, layers
from depthwise.network.memory import images_at_once
from depthwise.network.model import Array, Model
from depthwise.network.preprocessing import Preprocessing
from depthwise.network.spec import ACTIVATIONS, Spec

Floats = NDArray[np.floating[Any]]

# Images that are walked through the network together: enough for numpy to work on.
TOGETHER = 8
# How many times the oracles have the input and the output of one layer in memory, in float64.
COPIES = 5
# Key of the normalised pixels among the activations; no layer has this name.
INPUT = "input"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a network answers for B images.

    Attributes:
        logits: (B, classes), the classifier's sums.
        probabilities: (B, classes), their softmax.
        features: (B, C), the pooled features that the classifier reads.
        activations: (B, H, W, N) by name of the layer, after normalisation and activation, and the normalised
            pixels under "input"; empty unless asked for.
    """

    logits: Floats
    probabilities: Floats
    features: Floats
    activations: Mapping[str, Floats] = field(default_factory=dict)


def run(model: Model, pixels: NDArray[np.uint8], *, dtype: DTypeLike = np.float64, keep: bool = False) -> Result:
    """The network's answer for prepared pixels.

    Args:
        pixels: (B, H, W, C) bytes as `edge.pixels.prepare` makes them, B at least 1.
        dtype: what is computed in, float64 (the definition) or float32.
        keep: also return the activation of every layer.
    Raises: Refused, when the pixels are not bytes of this network's shape, or it takes too much memory (`together`).
    """
    spec = model.spec
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise Refused(f"dtype is {np.dtype(dtype)}; the oracle computes in float32 or float64")
    check_pixels(spec, pixels)
    weights = {name: array.astype(dtype) for name, array in model.weights.items()}
    parts: dict[str, list[Floats]] = {}
    count = together(spec)
    for start in range(0, len(pixels), count):
        x = normalise(pixels[start : start + count], model.preprocessing, dtype)
        if keep:
            parts.setdefault(INPUT, []).append(x)
        for layer, activation in walk(spec, weights, x):
            if keep or layer.kind in ("pool", "classifier"):
                parts.setdefault(layer.name, []).append(activation)
    whole = {name: np.concatenate(activations) for name, activations in parts.items()}
    logits = whole["classifier"][:, 0, 0]
    return Result(
        logits=logits,
        probabilities=softmax(logits),
        features=whole["global_pool"][:, 0, 0],
        activations=whole if keep else {},
    )


def together(spec: Spec) -> int:
    """How many images the oracles walk through a network at a time, as their memory allows.

    Raises: Refused, when it does not allow one.
    """
    return min(images_at_once(spec, "the reference's answers", copies=COPIES, value_bytes=8), TOGETHER)


def walk(spec: Spec, weights: Mapping[str, Array], x: Floats) -> Iterator[tuple[Layer, Floats]]:
    """Each layer with its output (B, H, W, N), in the order of the table.

    Args:
        weights: arrays of the dtype of `x`, named as in a model.
        x: (B, H, W, C), normalised pixels.
    Raises: Refused, for a kind of layer that the oracle does not know.
    """
    for layer in layers(spec):
        match layer.kind:
            case "stem" | "standard" | "pointwise":
                x = convolution(x, weights[f"{layer.name}.weight"], layer.stride, layer.padding)
            case "depthwise":
                x = depthwise(x, weights[f"{layer.name}.weight"], layer.stride, layer.padding)
            case "pool":
                x = pool(x)
            case "classifier":
                x = x @ weights[f"{layer.name}.weight"].T + weights[f"{layer.name}.bias"]
            case kind:
                raise Refused(f"layer {layer.name}: the oracle has no form for kind {kind}")
        if layer.norm:
            x = activate(normalise_batch(x, weights, layer.norm, spec.bn_epsilon), spec.activation)
        yield layer, x


def normalise(pixels: NDArray[np.uint8], preprocessing: Preprocessing, dtype: DTypeLike = np.float64) -> Floats:
    """Bytes (B, H, W, C) as the network's input: `(pixel - mean) * scale`, one mean and scale a channel."""
    mean, scale = np.array(preprocessing.mean, dtype), np.array(preprocessing.scale, dtype)
    result: Floats = (pixels.astype(dtype) - mean) * scale
    return result


def convolution(x: Floats, weight: Floats, stride: int, padding: Padding) -> Floats:
    """A convolution without bias: (B, H, W, C) with (N, C, K, K) to (B, H', W', N)."""
    N, C, K, _ = weight.shape
    total: Floats | None = None
    for row, column, tap in _taps(x, K, stride, padding):
        # One matrix product a tap of the kernel: every pixel under it times its (C, N) weights.
        product = (tap.reshape(-1, C) @ weight[:, :, row, column].T).reshape(*tap.shape[:3], N)
        total = product if total is None else total + product
    assert total is not None
    return total


def depthwise(x: Floats, weight: Floats, stride: int, padding: Padding) -> Floats:
    """A convolution of each channel alone, without bias: (B, H, W, C) with (C, 1, K, K) to (B, H', W', C)."""
    K = weight.shape[2]
    total: Floats | None = None
    for row, column, tap in _taps(x, K, stride, padding):
        product = tap * weight[:, 0, row, column]
        total = product if total is None else total + product
    assert total is not None
    return total


def normalise_batch(x: Floats, weights: Mapping[str, Array], norm: str, epsilon: float) -> Floats:
    """Batch normalisation with running statistics: (x - mean) / sqrt(var + epsilon) * weight + bias.

    Source: arXiv:1502.03167 algorithm 2.
    """
    mean, variance = weights[f"{norm}.running_mean"], weights[f"{norm}.running_var"]
    result: Floats = (x - mean) / np.sqrt(variance + epsilon) * weights[f"{norm}.weight"] + weights[f"{norm}.bias"]
    return result


def activate(x: Floats, activation: str) -> Floats:
    """`relu6`: between 0 and 6; `relu`: from 0.

    Raises: Refused, for another name.
    """
    match activation:
        case "relu6":
            return np.clip(x, 0, ACTIVATIONS["relu6"])
        case "relu":
            return np.maximum(x, 0)
        case other:
            raise Refused(f"activation is {other!r}; the oracle knows relu6 and relu")


def pool(x: Floats) -> Floats:
    """The mean of each channel over the image: (B, H, W, C) to (B, 1, 1, C)."""
    result: Floats = x.mean(axis=(1, 2), keepdims=True)
    return result


def softmax(logits: Floats) -> Floats:
    """Probabilities along the last axis. The largest logit is taken off first, so that nothing overflows."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return result


def _taps(x: Floats, size: int, stride: int, padding: Padding) -> Iterator[tuple[int, int, Floats]]:
    """For each place of a square kernel, the pixels (B, H', W', C) that it meets as the kernel moves over the image."""
    padded = np.pad(x, ((0, 0), (padding.top, padding.bottom), (padding.left, padding.right), (0, 0)))
    # (B, H', W', C, K, K): a view, no pixel is copied.
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))[:, ::stride, ::stride]
    for row in range(size):
        for column in range(size):
            yield row, column, windows[..., row, column]


def check_pixels(spec: Spec, pixels: NDArray[np.uint8]) -> None:
    """Refuse pixels that are not bytes of a network's shape, or none at all."""
    wanted = (spec.resolution, spec.resolution, spec.channels)
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1:] != wanted or not len(pixels):
        raise Refused(
            f"pixels are {pixels.dtype} of shape {pixels.shape}; this network takes at least one image of uint8"
            f" pixels, shape (images, {', '.join(map(str, wanted))})"
        )
