"""The network's features by the operators of this folder: in training with batch statistics, and for answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from depthwise.cloud.cuda import operators
from depthwise.cloud.cuda.reference import wide
from depthwise.cloud.processes import SharedNorm, remember
from depthwise.network.layers import Layer


@dataclass(frozen=True, eq=False)
class Step:
    """A convolution with the batch normalisation behind it, and its row of the table of layers."""

    layer: Layer
    convolution: nn.Conv2d
    norm: nn.BatchNorm2d

    @property
    def padding(self) -> list[int]:
        """Zeros at the top, bottom, left and right."""
        pad = self.layer.padding
        return [pad.top, pad.bottom, pad.left, pad.right]


@dataclass(frozen=True, eq=False)
class Folded:
    """A separable block for answers: weights and biases with normalisations folded in."""

    depthwise: Tensor
    depthwise_bias: Tensor
    pointwise: Tensor
    pointwise_bias: Tensor
    stride: int
    padding: list[int]


def has_form(steps: Sequence[Step]) -> bool:
    """Whether a network is a stem and separable blocks, which the operators have forms for."""
    kinds = [step.layer.kind for step in steps]
    return kinds == ["stem", *("depthwise", "pointwise") * (len(kinds) // 2)]


def trained(steps: Sequence[Step], x: Tensor, ceiling: float) -> Tensor:
    """Pooled features (B, C) of images (B, C, H, W) while all normalisations take the statistics of the batch.

    Normalised and activated values are made where they are read, forward and backward, and are never in memory.
    """
    stem, *rest = steps
    x = F.conv2d(_padded(stem, x), stem.convolution.weight, stride=stem.layer.stride)
    variance, mean = torch.var_mean(x.to(wide(x)), (0, 2, 3), correction=0)
    scale, shift = _normalising(stem.norm, mean, variance, x)
    for step in rest:
        weight = step.convolution.weight
        if step.layer.kind == "depthwise":
            made = operators.depthwise(x, scale, shift, weight, step.layer.stride, step.padding, ceiling)
        else:
            made = operators.pointwise(x, scale, shift, weight, ceiling)
        x, mean, variance = made
        scale, shift = _normalising(step.norm, mean, variance, x)
    return (x.to(wide(x)) * scale[:, None, None] + shift[:, None, None]).clamp(0, ceiling).mean((2, 3))


def _normalising(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """What batch normalisation multiplies by and adds, (C,) each; running statistics are updated."""
    count = x.numel() // x.shape[1]
    if isinstance(norm, SharedNorm):
        mean, variance, count = norm.over_all(mean, variance, count)
    remember(norm, mean, variance * count / max(count - 1, 1))
    scale = norm.weight * (variance + norm.eps).rsqrt()
    return scale, norm.bias - mean * scale


def folded(steps: Sequence[Step]) -> tuple[tuple[Tensor, Tensor], tuple[Folded, ...]]:
    """Weights and bias of the stem, and the blocks, with running statistics folded in."""
    stem, *rest = steps
    blocks = []
    for depthwise, pointwise in zip(rest[::2], rest[1::2], strict=True):
        blocks.append(Folded(*_fold(depthwise), *_fold(pointwise), depthwise.layer.stride, depthwise.padding))
    return _fold(stem), tuple(blocks)


def _fold(step: Step) -> tuple[Tensor, Tensor]:
    """Weights and bias of a convolution that does what it and its normalisation do."""
    norm = step.norm
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    return step.convolution.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale


def answered(stem: Step, weights: tuple[Tensor, Tensor], blocks: Sequence[Folded], x: Tensor, ceiling: float) -> Tensor:
    """Pooled features (B, C) of images (B, C, H, W) by what `folded` gave, in the type of x or of autocast."""
    weight, bias = (one.to(x.dtype) for one in weights)
    x = F.conv2d(_padded(stem, x), weight, bias, stride=stem.layer.stride).clamp(0, ceiling)
    for block in blocks:
        x = operators.separable(
            x, block.depthwise, block.depthwise_bias, block.pointwise, block.pointwise_bias, block.stride,
            block.padding, ceiling,
        )  # fmt: skip
    return x.to(wide(x)).mean((2, 3))


def _padded(step: Step, x: Tensor) -> Tensor:
    top, bottom, left, right = step.padding
    return F.pad(x, (left, right, top, bottom))
