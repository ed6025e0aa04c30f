"""Candidates for the bytes of one layer, measured by the error that they cause where channels are next mixed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from depthwise.network.folding import Folded
from depthwise.network.layers import Layer
from depthwise.network.requantize import requantize
from depthwise.quantize.floats import FloatNet, Floats, parts
from depthwise.quantize.options import MEASURED, RULES, Options
from depthwise.quantize.ranges import limits, spread
from depthwise.quantize.statistics import Outputs
from depthwise.quantize.weights import Draft, grid_steps, roughly_rounded

MIXING = ("pointwise", "standard", "classifier")
# How far the ranges of channels may differ: from not at all to as much as their values do. The smaller, the more room
# do channels have for values that calibration did not show, and the coarser are the steps of quiet ones.
EXPONENTS = (0.0, 0.25, 0.5, 0.75, 1.0)
MARGIN = 0.05

T = TypeVar("T")


class Ranges(NamedTuple):
    """How a layer's ranges were chosen, and (N,) the step of each channel's byte."""

    rule: str
    exponent: float
    scale: NDArray[np.float32]


class Search:
    """Measures one layer.

    The layers that follow, up to the next one that mixes channels, are computed in float from the candidate's bytes and
    from the wanted output: so an error counts as much as the weights after it make of it.

    Where the next layer mixes channels and its weights lie on a grid, as those of a network that was trained for 8 bits
    do, the candidate rounds them, too: they are exact as bytes only while the ranges of channels stay alike.

    Args:
        index: of the layer.
        acc: (M, H, W, N) its sums of products.
        wanted: (M, H, W, N) the output to compare with.
        size: images to work on at once.
    """

    def __init__(self, net: FloatNet, index: int, acc: NDArray[np.int32], wanted: Floats, size: int) -> None:
        self._net, self._index, self._acc, self._size = net, index, acc, size
        kinds = [layer.kind for layer in net.table]
        self._stop = next(later for later in range(index + 1, len(kinds)) if kinds[later] in MIXING) + 1
        self._mixing = self._gridded()
        self._wanted = [self._ahead(wanted[part]) for part in parts(len(wanted), size)]

    def error(self, made: Draft, scale: NDArray[np.float32]) -> float:
        """Sum of squared differences from what follows from the wanted output."""
        multiplier = (made.step / scale).astype(np.float32)
        following = self._mixing and roughly_rounded(*self._mixing, scale.astype(np.float64))
        total = 0.0
        for part, wanted in zip(parts(len(self._acc), self._size), self._wanted, strict=True):
            output = requantize(self._acc[part] + made.bias, multiplier, 0)
            total += squares(self._ahead(output * scale, following) - wanted)
        return total

    def ranges(self, made: Draft, outputs: Outputs, options: Options) -> Ranges:
        """The ranges with the least error: the exponent first, then the rule."""
        exponents = EXPONENTS if options.equalises else EXPONENTS[:1]
        rules = RULES if options.ranges == MEASURED else (options.ranges,)

        def scale(rule: str, exponent: float) -> NDArray[np.float32]:
            found = limits(outputs, rule, shared=not options.equalises)
            return (spread(found, exponent) / 255).astype(np.float32)

        exponent = _first(exponents, lambda tried: self.error(made, scale(rules[0], tried)))
        rule = _first(rules, lambda tried: self.error(made, scale(tried, exponent)))
        return Ranges(rule, exponent, scale(rule, exponent))

    def _ahead(self, output: Floats, following: Folded | None = None) -> Floats:
        """What follows from an output, up to the layer that mixes channels; with other weights in that where given."""
        if following is None:
            return self._net.forward(output, self._index + 1, self._stop)
        return self._net.activate(self._index + 1, self._net.sums(self._index + 1, output, following))

    def _gridded(self) -> tuple[Layer, Folded] | None:
        """The next layer, where it mixes channels and most of its weights lie on a grid."""
        following = self._net.table[self._index + 1]
        if following.kind not in MIXING:
            return None
        folded = self._net.folded[following.name]
        on = grid_steps(folded.weight.reshape(len(folded.weight), -1)) > 0
        return (following, folded) if on.mean() > 1 / 2 else None


def squares(values: NDArray[Any]) -> float:
    """The sum of squares."""
    flat = values.ravel()
    return float(np.dot(flat, flat))


def _first(tried: tuple[T, ...], error: Callable[[T], float]) -> T:
    """The first whose error is as good as the least; nothing is measured where there is no choice.

    Candidates come with the most cautious first, since a gain within `MARGIN` says little of other images.
    """
    if len(tried) == 1:
        return tried[0]
    errors = [error(one) for one in tried]
    return next(one for one, found in zip(tried, errors, strict=True) if found <= (1 + MARGIN) * min(errors))
