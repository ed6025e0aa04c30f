"""What each precision makes of the exact sums of a layer: the reference of the tests of kernels, a row a precision.

Activations and factors are drawn as numbers that float32 holds; sums of them are taken in float64. For float32 and bf16
that is the formula; for int8 it is exact, and docs/int8.md says what becomes of the sum.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from depthwise.kernels import bfloat16
from depthwise.kernels.weights import Bounds, Rounding, Weights
from depthwise.network.requantize import requantize
from depthwise.precision import Precision

Array = NDArray[Any]
Doubles = NDArray[np.float64]

# Of bytes: zero point, low, high.
CLAMPS = ((0, 0, 255), (7, 3, 250), (200, 0, 255), (255, 31, 224))
# What a sum in float32 may be off, relative to the largest of its layer.
SUMS = 1e-5


class Rule(Protocol):
    """One precision, as the tests of its kernels need it.

    Attributes:
        fill: what stands in memory before a kernel writes there; not a number where the precision has such.
        pooled: the same of pooled features; of logits it is that of float32 in each precision.
        flags: for the compiler; those that break float32 must not matter to whole numbers.
        extremes: whether a layer of the largest values is tried beside one of noise.
    """

    fill: np.generic
    pooled: np.generic
    flags: tuple[str, ...]
    extremes: tuple[bool, ...]

    def numbers(self, rng: np.random.Generator, *shape: int, extreme: bool = False) -> Array:
        """Activations."""

    def stored(self, numbers: Array) -> Array:
        """Activations as they lie in memory."""

    def features(self, rng: np.random.Generator, count: int) -> Array:
        """Pooled features, as they lie in memory."""

    def weights(self, rng: np.random.Generator, shape: tuple[int, ...], *, extreme: bool = False) -> Weights:
        """Of a layer with an activation: `shape` ends with the channels, the others say how many products a sum has."""

    def weights_of_pool(self, rng: np.random.Generator, channels: int, pixels: int) -> Weights:
        """Of the mean of so many pixels."""

    def activated(self, sums: Doubles, weights: Weights, activation: str) -> Doubles:
        """What the layer makes of its sums, bias included."""

    def agrees(self, found: Array, expected: Doubles) -> bool:
        """Whether stored outputs are the expected ones."""

    def mean(self, numbers: Array, weights: Weights) -> Doubles:
        """(C,) features of (H, W, C) activations."""

    def features_agree(self, found: Array, expected: Doubles) -> bool:
        """Whether stored features are the expected ones."""

    def logits(self, sums: Doubles, weights: Weights, kind: str) -> Doubles:
        """What the classifier makes of its sums; `kind` is int8's."""

    def logits_agree(self, found: Array, expected: Doubles) -> bool:
        """Whether the logits, float32, are the expected ones."""


NOT_A_FLOAT = np.uint32(0xFFFFFFFF)
NOT_A_HALF = np.uint16(0xFFA5)


def near_enough(found: Array, expected: Doubles) -> bool:
    """Whether float32 sums differ by no more than the order of their additions makes them; a NaN differs."""
    off = np.abs(found.view(np.float32).astype(np.float64) - expected.reshape(found.shape))
    return bool((off <= SUMS * max(1, np.abs(expected).max())).all())


class Float32:
    """Sums of float32, in any order."""

    fill: np.generic = NOT_A_FLOAT
    pooled: np.generic = NOT_A_FLOAT
    flags: tuple[str, ...] = ()
    extremes: tuple[bool, ...] = (False,)

    def numbers(self, rng: np.random.Generator, *shape: int, extreme: bool = False) -> Array:
        """Noise on both sides of what ReLU6 cuts off."""
        return rng.normal(0, 2, shape).astype(np.float32)

    def stored(self, numbers: Array) -> Array:
        """As they are."""
        return numbers

    def features(self, rng: np.random.Generator, count: int) -> Array:
        """As after ReLU6."""
        return rng.uniform(0, 6, count).astype(np.float32)

    def weights(self, rng: np.random.Generator, shape: tuple[int, ...], *, extreme: bool = False) -> Weights:
        """Noise."""
        return Weights(
            weight=rng.normal(0, 1, shape).astype(np.float32), bias=rng.normal(0, 2, shape[-1]).astype(np.float32)
        )

    def weights_of_pool(self, rng: np.random.Generator, channels: int, pixels: int) -> Weights:
        """None."""
        return Weights(weight=np.zeros(0), bias=np.zeros(0))

    def activated(self, sums: Doubles, weights: Weights, activation: str) -> Doubles:
        """ReLU or ReLU6."""
        return np.clip(sums, 0, 6 if activation == "relu6" else None)

    def agrees(self, found: Array, expected: Doubles) -> bool:
        """But for the order of additions."""
        return near_enough(found, expected)

    def mean(self, numbers: Array, weights: Weights) -> Doubles:
        """The formula."""
        return np.asarray(numbers.astype(np.float64).mean(axis=(0, 1)), np.float64)

    def features_agree(self, found: Array, expected: Doubles) -> bool:
        """But for the order of additions."""
        return near_enough(found, expected)

    def logits(self, sums: Doubles, weights: Weights, kind: str) -> Doubles:
        """The sums."""
        return sums

    def logits_agree(self, found: Array, expected: Doubles) -> bool:
        """But for the order of additions."""
        return near_enough(found, expected)


class BFloat16(Float32):
    """Sums of float32 of numbers of bfloat16, within bounds of each channel and rounded once; features stay float32."""

    fill: np.generic = NOT_A_HALF

    def numbers(self, rng: np.random.Generator, *shape: int, extreme: bool = False) -> Array:
        """Noise of bfloat16."""
        return rounded(super().numbers(rng, *shape))

    def stored(self, numbers: Array) -> Array:
        """The upper halves."""
        return bfloat16.halves(numbers)

    def weights(self, rng: np.random.Generator, shape: tuple[int, ...], *, extreme: bool = False) -> Weights:
        """Factors of bfloat16, and bounds with and without an upper one, some of which begin at 0."""
        plain = super().weights(rng, shape)
        kept = np.rint(rng.uniform(0, 6, shape[-1]) * 32) / 32
        kept[::5] = 0
        most = np.where(np.arange(shape[-1]) % 3, 6, np.inf)
        bounds = Bounds(low=(-kept).astype(np.float32), high=(most - kept).astype(np.float32))
        return replace(plain, weight=rounded(plain.weight), bounds=bounds)

    def activated(self, sums: Doubles, weights: Weights, activation: str) -> Doubles:
        """Within the bounds."""
        assert weights.bounds is not None
        return np.asarray(np.clip(sums, weights.bounds.low, weights.bounds.high), np.float64)

    def agrees(self, found: Array, expected: Doubles) -> bool:
        """But for half a step, which is at most 2**-8 of a number, and the order of additions."""
        expected = expected.reshape(found.shape)
        off = np.abs(bfloat16.floats(found).astype(np.float64) - expected)
        return bool((off <= 2.0**-8 * np.abs(expected) + SUMS * max(1, np.abs(expected).max())).all())


class Int8:
    """Rules R1 to R4 and Q8 of docs/int8.md, to the last bit."""

    fill: np.generic = np.uint8(0xA5)
    pooled: np.generic = np.uint8(0xA5)
    flags: tuple[str, ...] = ("-ffast-math", "-ffp-contract=fast")
    extremes: tuple[bool, ...] = (False, True)

    def numbers(self, rng: np.random.Generator, *shape: int, extreme: bool = False) -> Array:
        """Any bytes, or the largest."""
        return rng.integers(255 if extreme else 0, 256, shape, np.uint8)

    def stored(self, numbers: Array) -> Array:
        """As they are."""
        return numbers

    def features(self, rng: np.random.Generator, count: int) -> Array:
        """Any bytes."""
        return rng.integers(0, 256, count, np.uint8)

    def weights(self, rng: np.random.Generator, shape: tuple[int, ...], *, extreme: bool = False) -> Weights:
        """Any bytes, or in each channel the lowest or the highest of all."""
        factors = rng.choice([-128, 127], shape[-1]) if extreme else rng.integers(-128, 128, shape)
        return Weights(
            weight=np.broadcast_to(factors, shape).astype(np.int8),
            bias=rng.integers(-20_000, 20_000, shape[-1]).astype(np.int32),
            rounding=rounding(rng, shape[-1], 10_000 * np.prod(shape[:-1]) ** 0.5),
        )

    def weights_of_pool(self, rng: np.random.Generator, channels: int, pixels: int) -> Weights:
        """Biases, and multipliers of about the mean."""
        bias = rng.integers(-900, 900, channels).astype(np.int32)
        return Weights(weight=np.zeros(0, np.int8), bias=bias, rounding=rounding(rng, channels, 128 * pixels))

    def activated(self, sums: Doubles, weights: Weights, activation: str) -> Doubles:
        """R1 to R4."""
        to = weights.rounding
        assert to is not None
        found = requantize(sums.astype(np.int32), to.multiplier, to.zero_point, low=to.low, high=to.high)
        return found.astype(np.float64)

    def agrees(self, found: Array, expected: Doubles) -> bool:
        """Every byte."""
        return bool((found == expected.reshape(found.shape)).all())

    def mean(self, numbers: Array, weights: Weights) -> Doubles:
        """R1 to R4 of the sums."""
        sums = numbers.sum(axis=(0, 1), dtype=np.int64) + weights.bias
        return self.activated(np.asarray(sums, np.float64), weights, "")

    def features_agree(self, found: Array, expected: Doubles) -> bool:
        """Every byte."""
        return self.agrees(found, expected)

    def logits(self, sums: Doubles, weights: Weights, kind: str) -> Doubles:
        """Q8: products as R2 gives them, or what the bytes of R4 are worth."""
        to = weights.rounding
        assert to is not None
        if kind == "products":
            return np.asarray(sums.astype(np.float32) * to.multiplier, np.float64)
        steps = self.activated(sums, weights, "").astype(np.float32) - np.float32(to.zero_point)
        return np.asarray(steps * to.scale, np.float64)

    def logits_agree(self, found: Array, expected: Doubles) -> bool:
        """Every bit."""
        return bool((found.view(np.float32) == expected).all())


def rounding(rng: np.random.Generator, channels: int, spread: float) -> Rounding:
    """A rounding that clamps some sums of a size about `spread` at either end; a power of two makes ties."""
    power = 2.0 ** np.round(np.log2(100 / spread))
    even, odd = rng.choice([1.0, 0.75, 1.3], channels) * power, rng.uniform(0.5, 1.5, channels) * 100 / spread
    own = (rng.integers(0, 256), rng.integers(0, 40), rng.integers(200, 256))
    zero_point, low, high = (*CLAMPS, own)[rng.integers(len(CLAMPS) + 1)]
    return Rounding(
        multiplier=np.where(rng.integers(0, 2, channels), even, odd).astype(np.float32),
        scale=rng.uniform(0.01, 0.1, channels).astype(np.float32),
        zero_point=int(zero_point),
        low=int(low),
        high=int(high),
        rounded=True,
    )


def rounded(values: Array) -> Array:
    """The nearest numbers of bfloat16."""
    return bfloat16.floats(bfloat16.halves(values))


RULES: dict[Precision, Rule] = {"float32": Float32(), "bf16": BFloat16(), "int8": Int8()}
