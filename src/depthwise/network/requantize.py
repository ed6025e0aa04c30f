"""The one rounding rule of int8, R1 to R4 of docs/int8.md, and the proof that an integer form gives the same bytes.

Sizes: N channels, last; one multiplier a channel.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthwise.errors import Refused

Integers = NDArray[np.signedinteger[Any]]

# A smaller float32 is denormal, and chips that flush those to zero would compute another product.
SMALLEST_MULTIPLIER = float(np.finfo(np.float32).smallest_normal)
# How far `choose_multiplier` may go from the multiplier asked for: less than 2**-15 of it, 1/128 of a byte at 255.
FARTHEST = 256
# Bits that an integer form may shift its high word to the right.
LARGEST_SHIFT = 16
LARGEST_FACTOR = 2**31 - 1
# A search looks at every so many thresholds first.
SCREEN = 16


def requantize(
    acc: Integers, multiplier: NDArray[np.float32], zero_point: int, *, low: int = 0, high: int = 255
) -> NDArray[np.uint8]:
    """Turn accumulators into activations.

    Args:
        acc: (..., N), sums of u8 x s8 products with the bias in, each within int32.
        multiplier: (N,), scale of the accumulator over scale of the output.
        zero_point: the byte that stands for real 0, 0 to 255.
        low, high: the bytes to clamp to.
    Returns: (..., N), same leading shape.
    Raises: Refused, when a multiplier is not a positive normal float32 (names the channel).
    Source: docs/int8.md R1-R4.
    """
    check_multiplier(multiplier)
    real = acc.astype(np.float32)  # R1: to nearest, halves to even
    with np.errstate(over="ignore"):
        real = real * multiplier  # R2: one float32 product
    real = np.rint(real)  # R3: halves to the even neighbour
    # R4. The bounds are whole numbers, so clamping before the sum is the same and needs no wider type.
    whole = np.clip(real, np.float32(low - zero_point), np.float32(high - zero_point))
    return np.asarray(whole + np.float32(zero_point), np.uint8)


def check_multiplier(multiplier: NDArray[np.float32]) -> None:
    """Refuse multipliers with which machines could disagree.

    Raises: Refused, naming the channel, for another type, a value that is not finite, or one below the normal floats.
    """
    if multiplier.dtype != np.float32:
        raise Refused(f"a multiplier is {multiplier.dtype}; it must be float32")
    wrong = ~(np.isfinite(multiplier) & (multiplier >= SMALLEST_MULTIPLIER))
    if wrong.any():
        channel = int(np.flatnonzero(wrong)[0])
        raise Refused(
            f"the multiplier of channel {channel} is {multiplier.flat[channel]}; it must be finite and at least"
            f" {SMALLEST_MULTIPLIER:.3g}"
        )


class Reach(NamedTuple):
    """What the accumulators and bytes of N channels can be: (N,) lowest and highest sum, and the layer's bytes."""

    lowest: Integers
    highest: Integers
    zero_point: int = 0
    low: int = 0
    high: int = 255

    def ends(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(N, 1) lowest and highest accumulator."""
        return np.asarray(self.lowest, np.int64)[:, None], np.asarray(self.highest, np.int64)[:, None]

    def select(self, channels: NDArray[Any]) -> Reach:
        """The same for some of the channels."""
        return self._replace(lowest=self.lowest[channels], highest=self.highest[channels])


class IntegerForm(NamedTuple):
    """`(acc * factor + 2**(31 + shift)) >> (32 + shift)`, plus zero point and clamp, in place of R1 to R4.

    Without a shift that is one instruction, a multiply-high that rounds; with one it is a multiply-high, then
    `(high + 2**(shift - 1)) >> shift`, which is the same number.

    Attributes:
        factor: (N,) int64 within 0 to 2**31 - 1; -1 where no factor gives the same bytes.
        shift: (N,) int64, 0 to 16.
    """

    factor: NDArray[np.int64]
    shift: NDArray[np.int64]

    @property
    def exists(self) -> NDArray[np.bool_]:
        """(N,) whether the channel has such a form."""
        return self.factor >= 0

    def apply(self, acc: Integers, zero_point: int, *, low: int = 0, high: int = 255) -> NDArray[np.uint8]:
        """(..., N) bytes of accumulators, computed in integers alone."""
        half = np.int64(1) << (31 + self.shift)
        rounded = (acc.astype(np.int64) * self.factor + half) >> (32 + self.shift)
        return np.asarray(np.clip(rounded + zero_point, low, high), np.uint8)


class Chosen(NamedTuple):
    """Multipliers with the integer form that is proven for them, and how many float32 steps they were moved."""

    multiplier: NDArray[np.float32]
    form: IntegerForm
    steps: NDArray[np.int64]


def thresholds(
    multiplier: NDArray[np.float32], reach: Reach, *, every: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the staircase of R1-R4 rises.

    Args:
        every: look at every so many levels only, from the highest down.
    Returns: (L,) the levels low+1 to high, and (N, L) for each the smallest accumulator within reach whose byte is at
        least that; one above the highest for a level that none has.
    """
    levels = np.arange(reach.low + 1, reach.high + 1, dtype=np.int64)[::-every]
    wanted = (levels - reach.zero_point).astype(np.float64)
    lowest, highest = reach.ends()
    guess = (wanted - 0.5) / multiplier.astype(np.float64)[:, None]
    # R1 and R2 each change a value by at most 2**-24 of it; the margin is twice as wide as both together.
    margin = np.abs(guess) * 2.0**-22 + 2
    # `below` has not reached the level and `above` has; so have not and have those just outside of the range.
    below = np.clip(np.floor(guess - margin), lowest - 1, highest).astype(np.int64)
    above = np.clip(np.ceil(guess + margin), lowest, highest + 1).astype(np.int64)
    while (above - below > 1).any():
        middle = (below + above) >> 1
        reached = np.rint(middle.astype(np.float32) * multiplier[:, None]) >= wanted
        open_ = above - below > 1
        above = np.where(open_ & reached, middle, above)
        below = np.where(open_ & ~reached, middle, below)
    return levels, above


def integer_form(
    multiplier: NDArray[np.float32], reach: Reach, *, largest_shift: int = LARGEST_SHIFT, even: bool = False
) -> IntegerForm:
    """The integer form of each channel that gives the bytes of R1-R4 for every accumulator within reach.

    Both are monotone staircases, so that equal thresholds are equal bytes everywhere: this is a proof, where a test on
    images is not. The smallest shift is taken.

    Args:
        even: take factors that are even alone, for processors whose multiply-high doubles the product.
    Source: docs/int8.md, section "Integer forms".
    """
    step = 2 if even else 1
    factor = np.full(len(multiplier), -1, np.int64)
    shift = np.zeros(len(multiplier), np.int64)
    for bits in range(largest_shift + 1):
        # Most channels without a form fail at a few levels already, which is the cheap part.
        left = np.flatnonzero(factor < 0)
        for every in (SCREEN, 1):
            low, high = _factors(multiplier[left], reach.select(left), bits, every)
            low, high = -(-low // step), high // step
            left, low, high = left[low <= high], low[low <= high], high[low <= high]
        nearest = np.rint(multiplier[left].astype(np.float64) * 2.0 ** (32 + bits) / step)
        factor[left], shift[left] = step * np.clip(nearest, low, high).astype(np.int64), bits
        if (factor >= 0).all():
            break
    return IntegerForm(factor, shift)


def same_thresholds(multiplier: NDArray[np.float32], form: IntegerForm, reach: Reach) -> NDArray[np.bool_]:
    """(N,) whether an integer form gives the bytes of R1-R4 for every accumulator within reach: the proof."""
    proven = np.zeros(len(multiplier), np.bool_)
    for bits in np.unique(form.shift[form.exists]):
        here = np.flatnonzero(form.exists & (form.shift == bits))
        low, high = _factors(multiplier[here], reach.select(here), int(bits), 1)
        proven[here] = (low <= form.factor[here]) & (form.factor[here] <= high)
    return proven


def choose_multiplier(wanted: NDArray[np.floating[Any]], reach: Reach, *, farthest: int = FARTHEST) -> Chosen:
    """The float32 multiplier nearest to the one wanted that has an integer form, for each channel.

    One with an even factor and no shift is looked for up to `farthest` float32 steps away, then any without a shift,
    then one with a shift; a channel for which nothing is found keeps the nearest float32, and `form.exists` says so (a
    multiplier of a half or more, whose factor is no int32).
    """
    start = wanted.astype(np.float32)
    check_multiplier(start)
    multiplier, steps = start.copy(), np.zeros(len(start), np.int64)
    factor, shift = np.full(len(start), -1, np.int64), np.zeros(len(start), np.int64)
    for largest_shift, even in ((0, True), (0, False), (LARGEST_SHIFT, False)):
        for step in sorted(range(-farthest, farthest + 1), key=lambda s: (abs(s), s)):
            left = np.flatnonzero((factor < 0) & (start < 0.5))
            if not len(left):
                break
            # Positive floats are ordered as their bits are, so the neighbour is one integer further.
            moved = (start[left].view(np.int32) + np.int32(step)).view(np.float32)
            usable = np.isfinite(moved) & (moved >= SMALLEST_MULTIPLIER)
            left, moved = left[usable], moved[usable]
            form = integer_form(moved, reach.select(left), largest_shift=largest_shift, even=even)
            found = left[form.exists]
            multiplier[found], steps[found] = moved[form.exists], step
            factor[found], shift[found] = form.factor[form.exists], form.shift[form.exists]
    return Chosen(multiplier, IntegerForm(factor, shift), steps)


def _factors(
    multiplier: NDArray[np.float32], reach: Reach, bits: int, every: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(N,) the least and the greatest factor whose staircase is that of R1-R4; the least is above it where none is.

    A form reaches level v at a when `a * factor >= (2v - 1) * 2**(31 + bits)`; it must at a threshold, and must not
    one below. Each is a half line of factors, and all of them must meet.
    """
    levels, first = thresholds(multiplier, reach, every=every)
    lowest, highest = reach.ends()
    bound = np.broadcast_to((2 * (levels - reach.zero_point) - 1) << (31 + bits), first.shape)
    low, high = np.zeros(len(first), np.int64), np.full(len(first), LARGEST_FACTOR, np.int64)
    # A level that all have has no place below it, one that none has no place that reaches it.
    for place, counts, reaches in ((first, first <= highest, True), (first - 1, first > lowest, False)):
        least, greatest = _half_line(place, bound, reaches)
        low = np.maximum(low, np.where(counts, least, 0).max(axis=1, initial=0))
        high = np.minimum(high, np.where(counts, greatest, LARGEST_FACTOR).min(axis=1, initial=LARGEST_FACTOR))
    return low, high


def _half_line(
    place: NDArray[np.int64], bound: NDArray[np.int64], reaches: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Least and greatest factor with `place * factor >= bound`, or with `<` where it must not be reached."""
    divisor = np.where(place == 0, 1, place)
    up = -(-bound // divisor)  # the quotient, rounded up
    down = bound // divisor
    if reaches:
        least = np.where(place > 0, up, np.where((place == 0) & (bound > 0), LARGEST_FACTOR + 1, 0))
        greatest = np.where(place < 0, down, LARGEST_FACTOR)
    else:
        least = np.where(place < 0, down + 1, np.where((place == 0) & (bound <= 0), LARGEST_FACTOR + 1, 0))
        greatest = np.where(place > 0, up - 1, LARGEST_FACTOR)
    return least, greatest
