"""Weights of the float32 kernels, in the order in which they are read."""

from __future__ import annotations

import dataclasses

import numpy as np

from depthwise.kernels.packing import by_group
from depthwise.kernels.tiling import Panels
from depthwise.kernels.weights import Cut, Floats, Weights


def depthwise(weights: Weights, lanes: int) -> Floats:
    """For each `lanes` channels the bias, then the nine factors: (C / lanes, 10, lanes)."""
    rows = np.concatenate([weights.bias[None], weights.weight])
    return rows.reshape(10, -1, lanes).transpose(1, 0, 2).ravel()


def product(weights: Weights, panels: tuple[Panels, ...]) -> Floats:
    """For each panel the bias, then for each value under the kernel the panel's factors; zeros after the last one."""
    N = weights.bias.size
    rows = np.concatenate([weights.bias[None], weights.weight.reshape(-1, N)])
    width = sum(group.count * group.channels for group in panels)
    rows = np.pad(rows, ((0, 0), (0, width - N)))
    pieces = []
    start = 0
    for group in panels:
        end = start + group.count * group.channels
        pieces.append(rows[:, start:end].reshape(len(rows), group.count, -1).transpose(1, 0, 2).ravel())
        start = end
    return np.concatenate(pieces)


def strassen(weights: Weights, panels: Panels) -> Floats:
    """For each two panels the bias of the first, what is added for that of the second, and the seven blocks of factors.

    The identities stand in kernels/portable/dwk_strassen_f32.h. Sums are taken in float64 and rounded once.
    """
    width, count = panels.channels, panels.count * panels.channels
    half = weights.weight.shape[1] // 2
    # (pair of panels, panel, channel) and (pair of panels, panel, half of the values, value, channel)
    bias = weights.bias[:count].reshape(-1, 2, width).astype(np.float64)
    weight = weights.weight[0, :, :count].reshape(2, half, -1, 2, width).transpose(2, 3, 0, 1, 4).astype(np.float64)
    (b11, b21), (b12, b22) = weight[:, 0].swapaxes(0, 1), weight[:, 1].swapaxes(0, 1)
    t1 = b12 - b11
    t2 = b22 - t1
    blocks = np.stack([b11, b21, t2, b22 - b12, b21 - t2, t1, b22], axis=1)
    ends = np.stack([bias[:, 0], bias[:, 1] - bias[:, 0]], axis=1)
    return np.concatenate([ends.reshape(len(ends), -1), blocks.reshape(len(blocks), -1)], axis=1).astype(np.float32)


def product_calls(weights: Weights, cut: Cut) -> list[Floats]:
    """Plain products: an array for each group of panels."""
    return [product(part, (group,)) for part, group in by_group(weights, cut.groups)]


def strassen_calls(weights: Weights, cut: Cut) -> list[Floats]:
    """The channels of Strassen's products, then the others as plain ones."""
    (panels,) = cut.strassen
    done = panels.count * panels.channels
    rest = dataclasses.replace(weights, weight=weights.weight[..., done:], bias=weights.bias[done:])
    return [strassen(weights, panels).ravel(), *product_calls(rest, cut)]


def depthwise_calls(weights: Weights, cut: Cut) -> list[Floats]:
    """A depthwise convolution in the vectors of its step."""
    return [depthwise(weights, cut.lanes)]
