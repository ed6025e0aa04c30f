"""What a network may be, and the sentence for what it may not."""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthwise.errors import Refused
from depthwise.network.spec import BLOCKS, SHALLOW_LEAVES_OUT, STRIDED, Spec, scaled

FIELDS = sorted(field.name for field in dataclasses.fields(Spec))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)

REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"width": 0}, "width is 0; it must be a number above 0 and at most 8.0"),
    ({"width": -1.5}, "width is -1.5; it must be a number above 0 and at most 8.0"),
    ({"width": 8.5}, "width is 8.5; it must be a number above 0 and at most 8.0"),
    ({"width": float("nan")}, "width is nan; it must be a number above 0 and at most 8.0"),
    ({"width": float("inf")}, "width is inf; it must be a number above 0 and at most 8.0"),
    ({"width": True}, "width is True; it must be a number above 0 and at most 8.0"),
    ({"width": "1"}, "width is '1'; it must be a number above 0 and at most 8.0"),
    (
        {"width": 10**400},
        f"width is 1{'0' * 79}... (401 characters); it must be a number above 0 and at most 8.0",
    ),
    ({"resolution": 31}, "resolution is 31; it must be a whole number from 32 to 4096"),
    ({"resolution": 4097}, "resolution is 4097; it must be a whole number from 32 to 4096"),
    ({"resolution": 224.0}, "resolution is 224.0; it must be a whole number from 32 to 4096"),
    ({"classes": 1}, "classes is 1; it must be a whole number from 2 to 1000000"),
    ({"classes": 1_000_001}, "classes is 1000001; it must be a whole number from 2 to 1000000"),
    ({"classes": True}, "classes is True; it must be a whole number from 2 to 1000000"),
    ({"channels": 2}, "channels is 2; it must be one of 1, 3"),
    ({"channels": True}, "channels is True; it must be one of 1, 3"),
    ({"padding": "valid"}, "padding is 'valid'; it must be one of 'symmetric', 'same', 'keras', 'end'"),
    ({"rounding": "up"}, "rounding is 'up'; it must be one of 'multiple-of-8', 'cut-off'"),
    (
        {"rounding": "cut-off", "width": 0.03},
        "width is 0.03, which cuts the 32 channels of the first layer to none",
    ),
    ({"bn_epsilon": 0}, "bn_epsilon is 0; it must be a number above 0 and at most 1"),
    ({"bn_epsilon": 2}, "bn_epsilon is 2; it must be a number above 0 and at most 1"),
    ({"activation": "swish"}, "activation is 'swish'; it must be one of 'relu6', 'relu'"),
    ({"convolution": "grouped"}, "convolution is 'grouped'; it must be one of 'separable', 'standard'"),
    ({"shallow": 1}, "shallow is 1; it must be one of False, True"),
    (
        {"unit_strides": (1,)},
        "unit_strides is (1,); it must be a tuple of numbers among (0, 2, 4, 6, 12) (0 is the stem)",
    ),
    (
        {"unit_strides": (False,)},
        "unit_strides is (False,); it must be a tuple of numbers among (0, 2, 4, 6, 12) (0 is the stem)",
    ),
    (
        {"unit_strides": (2.0,)},
        "unit_strides is (2.0,); it must be a tuple of numbers among (0, 2, 4, 6, 12) (0 is the stem)",
    ),
    (
        {"unit_strides": 0},
        "unit_strides is 0; it must be a tuple of numbers among (0, 2, 4, 6, 12) (0 is the stem)",
    ),
]


@pytest.mark.parametrize(("fields", "sentence"), REFUSALS, ids=[str(fields)[:40] for fields, _ in REFUSALS])
def test_a_value_out_of_range_is_refused_with_the_value_found_and_the_values_allowed(
    fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Refused) as refusal:
        Spec(**fields)

    assert sentence == str(refusal.value)


@pytest.mark.parametrize(
    "fields",
    [{"width": 8}, {"width": 0.001}, {"resolution": 32}, {"resolution": 4096}, {"classes": 2}, {"bn_epsilon": 1}],
    ids=str,
)
def test_the_ends_of_each_range_are_allowed(fields: dict[str, Any]) -> None:
    assert next(iter(fields.values())) == getattr(Spec(**fields), next(iter(fields)))


def test_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(Refused, match=r"unknown fields 'alpha', 'depth'; known are activation, bn_epsilon, .*, width$"):
        Spec.from_dict({"depth": 3, "width": 1.0, "alpha": 1})


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(FIELDS), ANY_JSON))
def test_any_json_values_make_a_network_or_a_refusal(fields: dict[str, Any]) -> None:
    refusal, spec = "", Spec()
    try:
        spec = Spec.from_dict(fields)
    except Refused as problem:
        refusal = str(problem)

    assert len(refusal) < 300
    assert spec == Spec.from_dict(json.loads(json.dumps(spec.to_dict())))


def test_every_field_comes_back_from_json() -> None:
    spec = Spec(
        width=0.3,
        resolution=97,
        classes=7,
        channels=1,
        padding="same",
        bn_epsilon=1e-3,
        activation="relu",
        convolution="standard",
        shallow=True,
        unit_strides=(0, 4),
        rounding="cut-off",
    )
    usual = Spec()

    assert spec == Spec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert all(getattr(spec, name) != getattr(usual, name) for name in FIELDS)


def test_the_usual_rounding_is_not_written_so_that_older_versions_read_the_network() -> None:
    assert "rounding" not in Spec().to_dict()
    assert Spec(rounding="cut-off").to_dict()["rounding"] == "cut-off"


def test_networks_that_are_equal_compare_and_print_as_equal() -> None:
    one, other = Spec(width=1, unit_strides=(4, 0, 4)), Spec(width=1.0, unit_strides=(0, 4))

    assert one == other
    assert repr(one) == repr(other)
    assert hash(one) == hash(other)


def test_the_twin_differs_in_its_convolutions_only() -> None:
    assert Spec(width=0.5, convolution="standard", padding="same") == Spec(width=0.5, padding="same").twin()


def test_rho_is_the_resolution_over_224() -> None:
    assert Fraction(128, 224) == Fraction(Spec(resolution=128).rho).limit_denominator(1000)


def test_the_layers_that_may_run_at_stride_one_and_those_that_shallow_leaves_out_are_the_papers() -> None:
    assert STRIDED == (0, 2, 4, 6, 12)
    assert {(1, 512)} == {BLOCKS[number - 1] for number in SHALLOW_LEAVES_OUT}
    assert len(SHALLOW_LEAVES_OUT) == 5


# Channels at a width, from timm 1.0.31's `make_divisible`: 0.35 * 32 = 11.2 would go to 8, which is below 90%.
@pytest.mark.parametrize(
    ("channels", "width", "rounded"),
    [
        (32, 1.0, 32),
        (32, 0.75, 24),
        (32, 0.25, 8),
        (32, 0.1, 8),
        (64, 0.1, 8),
        (128, 0.1, 16),
        (32, 0.35, 16),
        (64, 0.35, 24),
        (256, 0.1, 24),
        (1024, 0.35, 360),
        (32, 1.25, 40),
        (32, 1.1, 32),
        (64, 1.1, 72),
        (512, 1.4, 720),
    ],
)
def test_channels_are_rounded_as_timm_rounds_them(channels: int, width: float, rounded: int) -> None:
    assert rounded == scaled(channels, width)


@given(st.sampled_from([32, 64, 128, 256, 512, 1024]), st.floats(0.001, 8))
def test_channels_are_the_nearest_multiple_of_8_that_loses_no_tenth(channels: int, width: float) -> None:
    exact = Fraction(channels * width)
    found = scaled(channels, width)
    nearest = max(8, 8 * ((exact + 4) // 8))

    assert found % 8 == 0
    assert found in (nearest, nearest + 8)
    # A float is not exactly 9/10, so the border itself belongs to neither side.
    if nearest < Fraction(8999, 10000) * exact:
        assert nearest + 8 == found
    if nearest > Fraction(9001, 10000) * exact:
        assert nearest == found
