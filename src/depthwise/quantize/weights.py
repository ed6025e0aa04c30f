"""Weights to signed bytes. Sizes: N output channels, K weights in each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthwise.network.folding import Doubles, Folded
from depthwise.network.layers import Layer

LARGEST = 127
# A bias is at most this many steps of its accumulator, so that sums stay exact in R1 and far within 32 bits.
LARGEST_BIAS = 2**23
# Shares of the largest weight that the byte 127 may stand for, and how often each is refined.
TRIED = np.linspace(0.6, 1, 65)
REFINED = 2
# Weights lie on a grid where rounding to it loses less than this share of their squares: 80 dB, far finer than a byte.
ON_GRID = 1e-8
# So many weights of a channel are asked first which grid they lie on, and then so many of those that may lie on it.
FIRST, ASKED = 8, 64


class Draft(NamedTuple):
    """A layer in the making.

    Attributes:
        weight: int8, shaped as in PyTorch; empty for a pool.
        step: (N,) what one step of the accumulator is worth in real numbers.
        bias: (N,) int64, where the accumulator starts.
        exact: the weights before rounding, in steps; empty for a pool.
    """

    weight: NDArray[np.int8]
    step: Doubles
    bias: NDArray[np.int64]
    exact: Doubles


def draft(
    layer: Layer, folded: Folded | None, scale: Doubles, zero: Doubles, moments: Doubles, *, per_tensor: bool
) -> Draft:
    """Round a layer's weights for inputs whose bytes stand for `(byte - zero) * scale`.

    Args:
        folded: weight and bias; None for a pool.
        scale, zero: (C,) of the input's channels.
        moments: (C,) mean of `(byte - zero)**2` over calibration images.
        per_tensor: one step for the whole layer.
    """
    if folded is None:
        area = layer.input.height * layer.input.width
        empty = np.zeros(0)
        return Draft(empty.astype(np.int8), scale / area, np.rint(-area * zero).astype(np.int64), empty)
    by_input = input_axis(layer, folded.weight.ndim)
    weight = folded.weight * scale[by_input]
    N = len(weight)
    importance = np.broadcast_to(moments[by_input], weight.shape).reshape(N, -1)
    step = _steps(weight.reshape(N, -1), importance, per_tensor=per_tensor)
    # A channel without weights, or with a bias beyond all proportion, still needs its bias as a whole number.
    step = np.maximum(step, np.maximum(np.abs(folded.bias), 1e-9) / LARGEST_BIAS)
    exact = weight / step.reshape(-1, *[1] * (weight.ndim - 1))
    rounded = np.clip(np.rint(exact), -LARGEST, LARGEST)
    return Draft(rounded.astype(np.int8), step, start(layer, rounded, folded.bias / step, zero), exact)


def roughly_rounded(layer: Layer, folded: Folded, scale: Doubles) -> Folded:
    """A layer's weights as bytes for inputs with these scales, to the nearest and without a search for the best step.

    Args:
        scale: (C,) of the input's channels.
    """
    by_input = scale[input_axis(layer, folded.weight.ndim)]
    weight = (folded.weight * by_input).reshape(len(folded.weight), -1)
    grid = grid_steps(weight)
    step = np.where(grid > 0, grid, np.maximum(np.abs(weight).max(axis=1), 1e-30) / LARGEST)[:, None]
    rounded = np.asarray(np.rint(weight / step) * step, np.float64)
    return folded._replace(weight=rounded.reshape(folded.weight.shape) / by_input)


def start(layer: Layer, weight: NDArray[np.generic], bias: Doubles, zero: Doubles) -> NDArray[np.int64]:
    """(N,) where accumulators start: a bias in steps, less what the zero of the input's bytes adds (Q4)."""
    whole = np.asarray(weight, np.float64)
    zeros = (whole * zero[input_axis(layer, whole.ndim)]).reshape(len(whole), -1).sum(axis=1)
    return np.asarray(np.rint(bias - zeros), np.int64)


def input_axis(layer: Layer, ndim: int) -> tuple[slice | None, ...]:
    """Where the input's channels lie in a weight of so many axes."""
    if layer.kind == "depthwise":
        return (slice(None), *[None] * (ndim - 1))
    return (None, slice(None), *[None] * (ndim - 2))


def _steps(weight: Doubles, importance: Doubles, *, per_tensor: bool) -> Doubles:
    """(N,) steps with the least squared error at the layer's sums: the best share of the largest weight, refined.

    Where weights lie on a grid already, as those of a network that was trained for 8 bits do, that is their step.

    Args:
        weight: (N, K).
        importance: (N, K), mean square of what each weight is multiplied by.
    """
    if per_tensor:
        step = _steps(weight.reshape(1, -1), importance.reshape(1, -1), per_tensor=False)
        return np.repeat(step, len(weight))
    largest = np.maximum(np.abs(weight).max(axis=1), 1e-30)
    steps = [share * largest / LARGEST for share in TRIED]
    best = steps[-1]
    least = _error(weight, importance, best)
    for step in steps:
        refined = step
        for _ in range(REFINED):
            refined = _refined(weight, importance, refined)
        error = _error(weight, importance, refined)
        best, least = np.where(error < least, refined, best), np.minimum(error, least)
    grid = grid_steps(weight)
    return np.asarray(np.where(grid > 0, grid, best), np.float64)


def grid_steps(weight: Doubles) -> Doubles:
    """(N,) the widest step of which all weights of a channel are whole multiples, at most 127; 0 where there is none.

    The largest weight is then a whole number of steps, so there are only 127 to try. Networks that were trained with
    one step for a whole layer have many channels whose largest is 30 or 50 steps; spread over 127 they would lose by
    rounding what they need not lose.

    Args:
        weight: (N, K).
    """
    largest = np.abs(weight).max(axis=1)
    found = np.zeros(len(weight))
    allowed = ON_GRID * (weight**2).sum(axis=1)
    ones = np.ones((1, 1))
    steps = np.maximum(largest, 1e-30) / np.arange(LARGEST, 0, -1)[:, None]
    maybe = _error(weight[:, :FIRST], ones, steps) <= allowed
    for step, left in zip(steps[maybe.any(axis=1)], maybe[maybe.any(axis=1)], strict=True):
        fits = np.flatnonzero(left)
        for asked in (weight[:, :ASKED], weight):
            fits = fits[_error(asked[fits], ones, step[fits]) <= allowed[fits]]
        found[fits] = step[fits]
    return found


def _refined(weight: Doubles, importance: Doubles, step: Doubles) -> Doubles:
    """The best step for the whole numbers that a step gives."""
    whole = np.clip(np.rint(weight / step[:, None]), -LARGEST, LARGEST)
    strength = (importance * whole**2).sum(axis=1)
    fitted = (importance * whole * weight).sum(axis=1) / np.maximum(strength, 1e-300)
    return np.asarray(np.where((strength > 0) & (fitted > 0), fitted, step), np.float64)


def _error(weight: Doubles, importance: Doubles, step: Doubles) -> Doubles:
    """(..., N) squared error of rounding with steps of that shape."""
    whole = np.clip(np.rint(weight / step[..., None]), -LARGEST, LARGEST)
    return np.asarray(((weight - whole * step[..., None]) ** 2 * importance).sum(axis=-1), np.float64)
