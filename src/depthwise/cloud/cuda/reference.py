"""The torch expressions that define the kernels; without a GPU they are what the operators run.

A convolution here begins with what the batch normalisation and the activation before it make of its input, and ends
with the mean and the variance of its output over the batch, so that neither needs a pass of its own:

    a = clamp(x * scale + shift, 0, ceiling)      scale, shift: (C,), or None for a = x
    y = convolution(a, weight), rounded to x's type
    mean, variance = of y over batch, height and width, the variance without Bessel's correction

`ceiling` is where the activation ends. Sums are in float32 at least. What a pointwise product is taken of is rounded to
x's type first, as tensor cores take it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

# y, mean, variance.
Measured = tuple[Tensor, Tensor, Tensor]
# Gradients of x, scale, shift and weight; those of scale and shift are (0,) where there are none.
Gradients = tuple[Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class Backward:
    """What the backward pass of a convolution is given: gradients of its three results, what it was given, and y and
    mean as it found them."""

    dy: Tensor
    dmean: Tensor
    dvariance: Tensor
    x: Tensor
    scale: Tensor | None
    shift: Tensor | None
    weight: Tensor
    y: Tensor
    mean: Tensor

    def by_moments(self) -> tuple[Tensor, Tensor]:
        """What each value of y is given of the gradients of mean and variance (C,): so much, and so much times how far
        it is from the mean."""
        count = self.y.numel() // self.y.shape[1]
        return self.dmean / count, 2 * self.dvariance / count


def wide(x: Tensor) -> torch.dtype:
    """The type that is computed in."""
    return torch.promote_types(x.dtype, torch.float32)


def activated(x: Tensor, scale: Tensor | None, shift: Tensor | None, ceiling: float) -> Tensor:
    """(B, C, H, W) in the wide type: what a convolution is taken of."""
    x = x.to(wide(x))
    if scale is None or shift is None:
        return x
    return (x * scale[:, None, None] + shift[:, None, None]).clamp(0, ceiling)


def depthwise(
    x: Tensor,
    scale: Tensor | None,
    shift: Tensor | None,
    weight: Tensor,
    stride: int,
    padding: Sequence[int],
    ceiling: float,
) -> Measured:
    """Depthwise 3x3 convolution of (B, C, H, W) by weights (C, 1, 3, 3), with zeros top, bottom, left and right."""
    inputs = _padded(activated(x, scale, shift, ceiling), padding)
    return _measured(F.conv2d(inputs, weight.to(inputs.dtype), stride=stride, groups=x.shape[1]), x)


def pointwise(x: Tensor, scale: Tensor | None, shift: Tensor | None, weight: Tensor, ceiling: float) -> Measured:
    """Pointwise convolution of (B, C, H, W) by weights (N, C, 1, 1)."""
    inputs = _rounded(activated(x, scale, shift, ceiling), x)
    return _measured(F.conv2d(inputs, _rounded(weight, x)), x)


def separable(
    x: Tensor,
    depthwise_weight: Tensor,
    depthwise_bias: Tensor,
    pointwise_weight: Tensor,
    pointwise_bias: Tensor,
    stride: int,
    padding: Sequence[int],
    ceiling: float,
) -> Tensor:
    """Both, with normalisations folded into weights and biases, and activations behind each: (B, N, H', W')."""
    inputs = _padded(x.to(wide(x)), padding)
    weight, *biases = (one.to(inputs.dtype) for one in (depthwise_weight, depthwise_bias, pointwise_bias))
    middle = F.conv2d(inputs, weight, biases[0], stride=stride, groups=x.shape[1]).clamp(0, ceiling)
    out = F.conv2d(_rounded(middle, x), _rounded(pointwise_weight, x), biases[1]).clamp(0, ceiling)
    return out.to(x.dtype).contiguous(memory_format=torch.channels_last)


def depthwise_backward(given: Backward, stride: int, padding: Sequence[int], ceiling: float) -> Gradients:
    """Gradients of `depthwise`."""
    x, weight = given.x, given.weight
    inputs = _padded(activated(x, given.scale, given.shift, ceiling), padding)
    by_input, by_weight = _slopes(_slope_of_output(given), inputs, weight, stride, x.shape[1])
    top, bottom, left, right = padding
    by_input = F.pad(by_input, (-left, -right, -top, -bottom))
    return (*_through_activation(by_input, given, ceiling), by_weight.to(weight.dtype))


def pointwise_backward(given: Backward, ceiling: float) -> Gradients:
    """Gradients of `pointwise`."""
    x, weight = given.x, given.weight
    slope = _rounded(_slope_of_output(given), x)
    inputs = _rounded(activated(x, given.scale, given.shift, ceiling), x)
    by_input, by_weight = _slopes(slope, inputs, _rounded(weight, x), 1, 1)
    return (*_through_activation(by_input, given, ceiling), by_weight.to(weight.dtype))


def _rounded(values: Tensor, x: Tensor) -> Tensor:
    """Values as the type of x holds them, in the wide type."""
    return values.to(x.dtype).to(wide(x))


def _padded(x: Tensor, padding: Sequence[int]) -> Tensor:
    top, bottom, left, right = padding
    return F.pad(x, (left, right, top, bottom))


def _measured(y: Tensor, x: Tensor) -> Measured:
    """The output in the type of the input, and its moments as they are behind that rounding."""
    y = y.to(x.dtype).contiguous(memory_format=torch.channels_last)
    variance, mean = torch.var_mean(y.to(wide(y)), (0, 2, 3), correction=0)
    return y, mean, variance


def _slope_of_output(given: Backward) -> Tensor:
    """Gradient of y with what comes back through its mean and variance."""
    y, dy = given.y, given.dy
    centred = y.to(wide(y)) - given.mean[:, None, None]
    by_mean, by_square = (one[:, None, None] for one in given.by_moments())
    return dy.to(wide(dy)) + by_mean + by_square * centred


def _slopes(slope: Tensor, inputs: Tensor, weight: Tensor, stride: int, groups: int) -> tuple[Tensor, Tensor]:
    """Gradients of a convolution's inputs and weights."""
    found = torch.ops.aten.convolution_backward(
        slope, inputs, weight.to(inputs.dtype), None, [stride, stride], [0, 0], [1, 1], False, [0, 0], groups,
        [True, True, False],
    )  # fmt: skip
    return found[0], found[1]


def _through_activation(slope: Tensor, given: Backward, ceiling: float) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of x, scale and shift from that of the activation's output."""
    x, scale, shift = given.x, given.scale, given.shift
    if scale is None or shift is None:
        none = slope.new_empty(0)
        return _as(slope, x), none, none.clone()
    before = x.to(slope.dtype) * scale[:, None, None] + shift[:, None, None]
    slope = torch.where((before <= 0) | (before >= ceiling), 0.0, slope)
    by_scale, by_shift = (slope * x).sum((0, 2, 3)), slope.sum((0, 2, 3))
    return _as(slope * scale[:, None, None], x), by_scale, by_shift


def _as(gradient: Tensor, x: Tensor) -> Tensor:
    return gradient.to(x.dtype).contiguous(memory_format=torch.channels_last)
