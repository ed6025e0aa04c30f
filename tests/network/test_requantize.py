"""The rounding rule against exact fractions, and the proof of integer forms against every accumulator in reach."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthwise.errors import Refused
from depthwise.network.requantize import (
    FARTHEST,
    IntegerForm,
    Reach,
    choose_multiplier,
    integer_form,
    requantize,
    same_thresholds,
    thresholds,
)


def to_float32(value: Fraction) -> Fraction:
    """The float32 nearest to an exact value, halves to even, by integer arithmetic alone."""
    if value == 0:
        return value
    exponent = 0
    size = abs(value)
    while size >= 2**24:
        size, exponent = size / 2, exponent + 1
    while size < 2**23:
        size, exponent = size * 2, exponent - 1
    return Fraction(round(size)) * Fraction(2) ** exponent * (1 if value > 0 else -1)


def by_hand(acc: int, multiplier: float, zero_point: int, low: int = 0, high: int = 255) -> int:
    """R1 to R4 in exact fractions; `round` of a fraction goes to the even neighbour."""
    product = to_float32(to_float32(Fraction(acc)) * Fraction(float(np.float32(multiplier))))
    return min(max(round(product) + zero_point, low), high)


@pytest.mark.parametrize(
    ("acc", "byte"), [(10, 130), (14, 132), (-10, 126), (-6, 126), (0, 128), (511, 255), (-513, 0)]
)
def test_halves_go_to_the_even_neighbour_and_bytes_are_clamped(acc: int, byte: int) -> None:
    # R3 and R4, multiplier 0.25, zero point 128: the worked examples of docs/int8.md.
    assert by_hand(acc, 0.25, 128) == byte

    assert requantize(np.array([acc], np.int32), np.array([0.25], np.float32), 128).tolist() == [byte]


def test_an_accumulator_beyond_24_bits_is_rounded_before_the_product() -> None:
    # R1: 2**24 + 1 has no float32 and goes to the even 2**24; 2**24 + 3 goes up to 2**24 + 4.
    multiplier = np.array([3 / 2**23], np.float32)
    acc = np.array([[2**24 + 1], [2**24 + 3], [2**31 - 1], [-(2**31)]], np.int32)

    assert [by_hand(int(a), 3 / 2**23, 0) for a in acc[:, 0]] == requantize(acc, multiplier, 0)[:, 0].tolist()


@settings(max_examples=300)
@given(
    acc=st.integers(-(2**31), 2**31 - 1),
    exponent=st.integers(-40, 1),
    mantissa=st.integers(2**23, 2**24 - 1),
    zero_point=st.integers(0, 255),
    clamp=st.tuples(st.integers(0, 255), st.integers(0, 255)),
)
def test_the_rule_equals_exact_fractions(
    acc: int, exponent: int, mantissa: int, zero_point: int, clamp: tuple[int, int]
) -> None:
    multiplier = np.float32(mantissa / 2**24 * 2.0**exponent)
    low, high = sorted(clamp)

    found = requantize(np.array([acc], np.int32), np.array([multiplier]), zero_point, low=low, high=high)

    assert by_hand(acc, float(multiplier), zero_point, low, high) == int(found[0])


@pytest.mark.parametrize("wrong", [0.0, -0.5, np.inf, np.nan, 1e-39])
def test_a_multiplier_with_which_machines_could_disagree_is_refused_by_channel(wrong: float) -> None:
    with pytest.raises(Refused, match="multiplier of channel 1"):
        requantize(np.zeros((2, 2), np.int32), np.array([0.5, wrong], np.float32), 0)


def random_channels(seed: int, count: int, *, largest: int, smallest: float = 1e-3) -> tuple[np.ndarray, Reach]:
    rng = np.random.default_rng(seed)
    multiplier = np.exp(rng.uniform(np.log(smallest), np.log(0.4), count)).astype(np.float32)
    highest = rng.integers(1, largest, count)
    lowest = -rng.integers(0, largest, count)
    return multiplier, Reach(lowest, highest)


@pytest.mark.parametrize(("zero_point", "low", "high"), [(0, 0, 255), (128, 0, 255), (3, 3, 200), (255, 10, 255)])
def test_thresholds_are_where_the_bytes_of_all_accumulators_rise(zero_point: int, low: int, high: int) -> None:
    multiplier, reach = random_channels(zero_point, 20, largest=30_000)
    reach = reach._replace(zero_point=zero_point, low=low, high=high)

    levels, first = thresholds(multiplier, reach)

    for channel, factor in enumerate(multiplier):
        acc = np.arange(reach.lowest[channel], reach.highest[channel] + 1, dtype=np.int32)
        bytes_ = requantize(acc[:, None], np.array([factor]), zero_point, low=low, high=high)[:, 0]
        # searchsorted finds the first byte that is at least the level; past the end means none.
        assert (acc[0] + np.searchsorted(bytes_, levels)).tolist() == first[channel].tolist()


@pytest.mark.parametrize("zero_point", [0, 131])
def test_a_proven_integer_form_equals_the_rule_on_every_accumulator_within_reach(zero_point: int) -> None:
    multiplier, reach = random_channels(1, 60, largest=40_000)
    reach = reach._replace(zero_point=zero_point)
    form = integer_form(multiplier, reach)
    assert form.exists.sum() > 30
    assert (same_thresholds(multiplier, form, reach) == form.exists).all()

    for channel in np.flatnonzero(form.exists):
        acc = np.arange(reach.lowest[channel], reach.highest[channel] + 1, dtype=np.int32)[:, None]
        here = IntegerForm(form.factor[channel : channel + 1], form.shift[channel : channel + 1])
        assert (requantize(acc, multiplier[channel : channel + 1], zero_point) == here.apply(acc, zero_point)).all()


@pytest.mark.parametrize(
    ("largest", "zero_point", "steps"),
    [(20_000, 0, (-40, -2, -1, 0, 1, 2, 40)), (60, 0, (-(2**27), 0, 2**27)), (60, 100, (-(2**27), 0, 2**27))],
)
def test_the_proof_holds_exactly_when_every_byte_is_equal(largest: int, zero_point: int, steps: tuple[int]) -> None:
    """Factors beside the right one: the proof's answer is that of comparing all accumulators, at both ends too."""
    multiplier, reach = random_channels(2, 40, largest=largest, smallest=20 / largest)
    reach = reach._replace(zero_point=zero_point)
    agreed = set()
    for beside in steps:
        factor = np.rint(multiplier.astype(np.float64) * 2**32).astype(np.int64) + beside
        proven = same_thresholds(multiplier, IntegerForm(factor, np.zeros(40, np.int64)), reach)
        for channel in range(40):
            one = slice(channel, channel + 1)
            acc = np.arange(reach.lowest[channel], reach.highest[channel] + 1, dtype=np.int32)[:, None]
            bytes_ = IntegerForm(factor[one], np.zeros(1, np.int64)).apply(acc, zero_point)
            equal = bool((requantize(acc, multiplier[one], zero_point) == bytes_).all())
            assert equal == bool(proven[channel]), (channel, beside)
            agreed.add(equal)
    assert agreed == {True, False}


def test_merely_rounding_the_multiplier_to_an_integer_gives_other_bytes() -> None:
    """Why the proof is needed: this channel of a layer with 1,024 inputs differs at one accumulator in a thousand."""
    multiplier, reach = random_channels(5, 400, largest=2**21, smallest=1e-4)
    rounded = IntegerForm(np.rint(multiplier.astype(np.float64) * 2**32).astype(np.int64), np.zeros(400, np.int64))
    wrong = np.flatnonzero(~same_thresholds(multiplier, rounded, reach))
    assert len(wrong)

    channel = int(wrong[0])
    acc = np.arange(reach.lowest[channel], reach.highest[channel] + 1, dtype=np.int32)[:, None]
    here = IntegerForm(rounded.factor[channel : channel + 1], rounded.shift[channel : channel + 1])
    different = requantize(acc, multiplier[channel : channel + 1], 0) != here.apply(acc, 0)
    assert 0 < different.sum() < 300


@pytest.mark.parametrize("inputs", [9, 64, 256, 1024])
def test_every_channel_of_random_layers_has_a_multiplier_nearby_with_an_integer_form(inputs: int) -> None:
    rng = np.random.default_rng(inputs)
    weights = np.clip(np.rint(rng.normal(0, 40, (100, inputs))), -127, 127).astype(np.int64)
    reach = Reach(255 * np.minimum(weights, 0).sum(1), 255 * np.maximum(weights, 0).sum(1))
    # A layer's bytes use the accumulators of real images, some standard deviations of their sum.
    wanted = 255 / (6 * 128 * np.sqrt((weights**2).sum(1))) * rng.uniform(0.5, 1, 100)
    plain = integer_form(wanted.astype(np.float32), reach, largest_shift=0)

    chosen = choose_multiplier(wanted, reach)

    assert chosen.form.exists.all()
    assert np.abs(chosen.steps).max() <= FARTHEST
    assert same_thresholds(chosen.multiplier, chosen.form, reach).all()
    assert np.abs(chosen.multiplier / wanted - 1).max() < 2**-15
    # Of those without a shift most have a factor that a multiply-high which doubles can take.
    assert (chosen.form.factor[chosen.form.shift == 0] % 2 == 0).mean() > 0.75
    # Moving the multiplier saves the shift of many channels that would need one.
    assert (chosen.form.shift == 0).sum() >= min(100, 1.3 * plain.exists.sum())


def test_a_multiplier_of_a_half_or_more_has_no_integer_form_and_keeps_its_nearest_float() -> None:
    wanted = np.array([0.4, 0.75])

    chosen = choose_multiplier(wanted, Reach(np.array([-1000, -1000]), np.array([1000, 1000])))

    assert chosen.form.exists.tolist() == [True, False]
    assert chosen.multiplier[1] == np.float32(0.75)


@pytest.mark.parametrize("area", [side * side for side in range(1, 9)])
def test_a_multiplier_one_step_above_a_mean_rounds_halves_up_and_changes_no_other_sum(area: int) -> None:
    sums = np.arange(255 * area + 1, dtype=np.int32)
    multiplier = np.nextafter(np.float32(1 / area), np.float32(np.inf)).reshape(1)
    assert (requantize(sums[:, None], multiplier, 0)[:, 0] == (2 * sums + area) // (2 * area)).all()
