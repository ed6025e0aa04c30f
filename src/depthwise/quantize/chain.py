"""Quantise layer by layer: each is made for the bytes that the layers before it really put out.

Sizes: M images to measure with, H W C of a layer's input, N output channels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from depthwise.errors import Refused
from depthwise.network.folding import Doubles
from depthwise.network.layers import Layer
from depthwise.network.quantized import QuantizedLayer, reach
from depthwise.network.reference_int8 import Bytes, accumulate
from depthwise.network.requantize import choose_multiplier, requantize
from depthwise.network.spec import ACTIVATIONS
from depthwise.quantize.floats import FloatNet, Floats, Pixels, parts
from depthwise.quantize.options import Options
from depthwise.quantize.places import draw
from depthwise.quantize.rounding import round_with_feedback
from depthwise.quantize.search import Ranges, Search, squares
from depthwise.quantize.statistics import Outputs
from depthwise.quantize.weights import Draft, draft, start

# Places of a layer's output by which its weights are rounded.
PLACES = 8192
# A mean over fewer values than this says nothing of a channel.
FEWEST = 64


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided for a layer, and how well its bytes follow the float network.

    Attributes:
        rule, exponent: how its ranges were set; "" and 0 for the classifier, which has none.
        corrected: whether the bias was corrected.
        signal, noise: sums of squares of the float output and of the difference from it, over the measured images.
    """

    name: str
    rule: str
    exponent: float
    corrected: bool
    signal: float
    noise: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Input:
    """What a layer gets: floats and bytes (M, H, W, C); by channel, how bytes are read and which pads."""

    floats: Floats
    bytes: Bytes
    scale: Doubles
    zero: Doubles
    border: tuple[int, ...]


class Chain:
    """The layers, one after the other.

    Args:
        pixels: (M, H, W, C) images to measure with.
        outputs: histograms of each layer's output, over all calibration images.
        size: images to work on at once.

    Attributes:
        layers: those that are done, by name.
        decisions: one for each.
        border: one byte a channel of the image (Q3).
    """

    def __init__(
        self, net: FloatNet, pixels: Pixels, outputs: tuple[Outputs | None, ...], options: Options, size: int
    ) -> None:
        self._net, self._options, self._outputs, self._size = net, options, outputs, size
        self.layers: dict[str, QuantizedLayer] = {}
        self.decisions: list[Decision] = []
        self.border = tuple(int(mean) for mean in np.rint(net.means))
        self._input = Input(
            floats=net.start(pixels),
            bytes=pixels,
            scale=np.ones(len(self.border)),
            zero=net.means.astype(np.float64),
            border=self.border,
        )

    def advance(self) -> None:
        """Quantise the next layer."""
        index = len(self.layers)
        layer = self._net.table[index]
        sums = self._net.sums(index, self._input.floats)
        made = self._draft(index, sums)
        acc = self._accumulate(layer, made)
        if layer.kind == "classifier":
            self._finish_logits(layer, made, acc, sums)
            return
        floats = self._net.activate(index, sums)
        outputs = self._outputs[index]
        assert outputs is not None
        # Ranges are judged by what they alone change, biases by all that differs from the float network.
        unrounded = np.concatenate(
            [
                self._net.activate(index, ((acc[part] + made.bias) * made.step).astype(np.float32))
                for part in parts(len(acc), self._size)
            ]
        )
        ranges = Search(self._net, index, acc, unrounded, self._size).ranges(made, outputs, self._options)
        corrected = False
        if self._options.correct_bias:
            search = Search(self._net, index, acc, floats, self._size)
            better = self._corrected(index, made, acc, sums)
            corrected = search.error(better, ranges.scale) < search.error(made, ranges.scale)
            made = better if corrected else made
        self._finish(layer, made, acc, floats, ranges, corrected)

    def _draft(self, index: int, sums: Floats) -> Draft:
        """The layer's weights, rounded."""
        layer, given = self._net.table[index], self._input
        folded = None if layer.kind == "pool" else self._net.folded[layer.name]
        moments = np.zeros(layer.input.channels)
        for part in parts(len(given.bytes), self._size):
            centred = given.bytes[part].reshape(-1, layer.input.channels) - given.zero
            moments += (centred**2).sum(axis=0)
        moments /= given.bytes[..., 0].size
        made = draft(layer, folded, given.scale, given.zero, moments, per_tensor=self._options.per_tensor)
        if folded is None or self._options.rounding == "nearest":
            return made
        rng = np.random.default_rng(self._options.seed + index)
        places = draw(layer, given.bytes, given.zero, given.border, rng, PLACES)
        weight = round_with_feedback(made.exact, places.inputs)
        if self._options.rounding == "learned":
            from depthwise.quantize.adaround import learn_rounding

            weight = learn_rounding(
                layer,
                made._replace(weight=weight),
                folded.bias,
                given.bytes,
                given.zero,
                given.border,
                sums,
                self._net.activation if layer.norm else "",
                seed=self._options.seed + index,
            )
        return made._replace(weight=weight, bias=start(layer, weight, folded.bias / made.step, given.zero))

    def _accumulate(self, layer: Layer, made: Draft) -> NDArray[np.int32]:
        """Sums of products (M, H', W', N), without the bias."""
        ones = np.ones(layer.output.channels, np.float32)
        bare = QuantizedLayer(weight=made.weight, bias=np.zeros(len(ones), np.int32), multiplier=ones, scale=ones)
        given = self._input
        return np.concatenate(
            [accumulate(layer, bare, given.bytes[part], given.border) for part in parts(len(given.bytes), self._size)]
        )

    def _corrected(self, index: int, made: Draft, acc: NDArray[np.int32], sums: Floats) -> Draft:
        """The bias without the mean error of each channel, taken where the activation lets a change through."""
        top = ACTIVATIONS[self._net.activation]
        error, count = np.zeros(len(made.step)), np.zeros(len(made.step))
        for part in parts(len(acc), self._size):
            found = (acc[part] + made.bias) * made.step - sums[part]
            if self._net.table[index].norm:
                passes = (sums[part] > 0) & (sums[part] < top)
                found, count = found * passes, count + passes.sum(axis=(0, 1, 2))
            else:
                count = count + found[..., 0].size
            error += found.sum(axis=(0, 1, 2))
        mean = np.where(count >= FEWEST, error / np.maximum(count, 1), 0)
        return made._replace(bias=made.bias - np.rint(mean / made.step).astype(np.int64))

    def _finish(
        self, layer: Layer, made: Draft, acc: NDArray[np.int32], floats: Floats, ranges: Ranges, corrected: bool
    ) -> None:
        """Keep a layer with bytes, and go on to the next with what it puts out."""
        numbers = _numbers(layer, made, ranges.scale)
        output = np.concatenate(
            [requantize(acc[part] + numbers.bias, numbers.multiplier, 0) for part in parts(len(acc), self._size)]
        )
        noise = sum(squares(output[part] * ranges.scale - floats[part]) for part in parts(len(acc), self._size))
        self._keep(
            layer,
            numbers,
            Decision(
                name=layer.name,
                rule=ranges.rule,
                exponent=ranges.exponent,
                corrected=corrected,
                signal=squares(floats),
                noise=noise,
            ),
        )
        self._input = Input(
            floats=floats,
            bytes=output,
            scale=ranges.scale.astype(np.float64),
            zero=np.zeros(layer.output.channels),
            border=(0,) * layer.output.channels,
        )

    def _finish_logits(self, layer: Layer, made: Draft, acc: NDArray[np.int32], sums: Floats) -> None:
        """Keep the classifier, whose products are the logits (Q8)."""
        corrected = self._options.correct_bias
        if corrected:
            made = self._corrected(len(self.layers), made, acc, sums)
        noise = squares((acc + made.bias) * made.step - sums)
        numbers = replace(_numbers(layer, made, np.ones(len(made.step), np.float32), logits=True), rounded=False)
        self._keep(
            layer,
            numbers,
            Decision(name=layer.name, rule="", exponent=0.0, corrected=corrected, signal=squares(sums), noise=noise),
        )

    def _keep(self, layer: Layer, numbers: QuantizedLayer, decision: Decision) -> None:
        self.layers[layer.name] = numbers
        self.decisions.append(decision)


def _numbers(layer: Layer, made: Draft, scale: NDArray[np.float32], *, logits: bool = False) -> QuantizedLayer:
    """The finished layer; where it rounds, with multipliers that have an integer form."""
    wrong = np.flatnonzero(np.abs(made.bias) >= 2**31)
    if len(wrong):
        raise Refused(f"layer {layer.name}: the bias of channel {wrong[0]} is too large for int8; train again")
    wanted = made.step / scale
    numbers = QuantizedLayer(
        weight=made.weight, bias=made.bias.astype(np.int32), multiplier=wanted.astype(np.float32), scale=scale
    )
    if logits:
        return numbers
    return replace(numbers, multiplier=choose_multiplier(wanted, reach(layer, numbers)).multiplier)
