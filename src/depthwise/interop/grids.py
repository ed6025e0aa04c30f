"""An int8 model in the terms of formats that have one scale and zero point for a whole activation."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.errors import Refused
from depthwise.network.layers import Layer, layers
from depthwise.network.quantized import QuantizedLayer, QuantizedModel
from depthwise.network.spec import ACTIVATIONS

# What byte 255 stands for after ReLU6, over 255.
OF_RELU6 = ACTIVATIONS["relu6"] / 255
# How many float32 steps a scale may be moved so that the multiplier made of it is the model's own.
FARTHEST = 8


def described(model: QuantizedModel) -> QuantizedModel:
    """The model with the preprocessing that its file has: what is taken off a pixel is the byte of the borders.

    What the model's own mean differs from that is in its first biases.

    Raises: Refused, when the borders differ from channel to channel.
    """
    if len(set(model.border)) > 1:
        raise Refused(f"it pads its image with {model.border}; the format has one value for all channels")
    pixels, C = model.preprocessing, model.spec.channels
    whole = dataclasses.replace(pixels, mean=tuple(map(float, model.border)), scale=pixels.scale[:1] * C)
    return model.replace(preprocessing=whole)


def grids(model: QuantizedModel) -> dict[str, tuple[float, int]]:
    """Scale and zero point, as a byte, of the input (under "input") and of every layer's output."""
    table = layers(model.spec)
    hidden = [model.layers[layer.name].scale for layer in table[:-1]]
    # Scales by channel are restated: one for all layers, so that multipliers are scales of weights to the bit. After
    # ReLU6 each channel's range becomes the same, and its clip, wherever it was, the one at its end.
    by_channel = any((scale != scale[0]).any() for scale in hidden)
    largest = max(float(scale.max()) for scale in hidden)
    common = OF_RELU6 if model.spec.activation == "relu6" else 2.0 ** math.ceil(math.log2(largest))
    found = {"input": (_float32(model.preprocessing.scale[0]), model.border[0])}
    for layer in table:
        numbers = model.layers[layer.name]
        scale = common if by_channel and layer.kind != "classifier" else float(numbers.scale.max())
        found[layer.name] = (_float32(scale), numbers.zero_point)
    return found


def check_logits(numbers: QuantizedLayer) -> None:
    """Refuse what no format can say of a classifier.

    Raises: Refused, when its logits are clamped within the byte, or have a scale by class.
    """
    if numbers.rounded and ((numbers.low, numbers.high) != (0, 255) or (numbers.scale != numbers.scale[0]).any()):
        raise Refused("its logits are clamped within the byte or have a scale a class; the format has neither")


def steps(multiplier: NDArray[np.float32], before: float, after: float) -> NDArray[np.float32]:
    """(N,) scales of weights for which `before * scale / after` is the multiplier, to the bit where there is one."""
    wanted = multiplier.astype(np.float64) * after / before
    best = wanted.astype(np.float32)
    for away in range(1, FARTHEST + 1):
        for direction in (-np.inf, np.inf):
            wrong = (best.astype(np.float64) * before / after).astype(np.float32) != multiplier
            if not wrong.any():
                return best
            moved = wanted.astype(np.float32)
            for _ in range(away):
                moved = np.nextafter(moved, np.float32(direction))
            right = (moved.astype(np.float64) * before / after).astype(np.float32) == multiplier
            best = np.where(wrong & right, moved, best)
    return best


def exceptions(model: QuantizedModel) -> dict[str, dict[str, float]]:
    """Multipliers that no scale of a weight makes to the bit, by layer and channel: one float32 step away."""
    levels, found = grids(model), {}
    before = levels["input"]
    for layer in layers(model.spec):
        numbers, after = model.layers[layer.name], levels[layer.name]
        target = after[0] if numbers.rounded else 1.0
        scales = steps(numbers.multiplier, before[0], target).astype(np.float64)
        wrong = np.flatnonzero((scales * before[0] / target).astype(np.float32) != numbers.multiplier)
        if len(wrong):
            found[layer.name] = {str(c): float(numbers.multiplier[c]) for c in wrong}
        before = after
    return found


def restated(layer: Layer, numbers: QuantizedLayer, zero: int) -> NDArray[np.int32]:
    """(N,) biases of sums of `weight * (byte - zero)`, as the formats have them.

    Raises: Refused, when one leaves 32 bits.
    """
    N = layer.output.channels
    if layer.kind == "pool":
        total = np.full(N, layer.input.height * layer.input.width, np.int64)
    else:
        total = numbers.factors.astype(np.int64).reshape(N, -1).sum(axis=1)
    bias = numbers.bias.astype(np.int64) + zero * total
    if (np.abs(bias) >= 2**31).any():
        raise Refused(f"the bias of channel {int(np.abs(bias).argmax())} leaves 32 bits in the format's terms")
    return bias.astype(np.int32)


def unsigned(numbers: QuantizedLayer) -> tuple[NDArray[np.uint8], int]:
    """Weight and its zero point as bytes from 0 to 255."""
    return numbers.weight.view(np.uint8) ^ np.uint8(128), numbers.weight_zero_point + 128


def is_mean(
    layer: Layer,
    numbers: QuantizedLayer,
    before: tuple[float, int],
    after: tuple[float, int],
    *,
    halves_up: bool = False,
) -> bool:
    """Whether a pool is the plain mean, from one scale and zero point to another.

    Args:
        halves_up: with halves rounded up, and not to even.
    """
    area = layer.kernel**2
    mean = np.float32(before[0] / (after[0] * area))
    even = (numbers.multiplier == (upwards(mean) if halves_up else mean)).all()
    return bool(even and (numbers.bias == -area * before[1]).all() and (numbers.low, numbers.high) == (0, 255))


def upwards(mean: Any) -> Any:
    """The multiplier of a mean that rounds halves up: a step above 1 / area, and every other sum as before."""
    return np.nextafter(mean, np.float32(np.inf))


def _float32(value: float) -> float:
    return float(np.float32(value))
