"""The formulas against the arrays that the network really has."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthwise.cost import formulas
from depthwise.cost.comparison import compare
from depthwise.cost.report import report, totals
from depthwise.errors import Refused
from depthwise.network.layers import layers
from depthwise.network.model import expected_weights
from depthwise.network.spec import STRIDED, Spec

SPECS = st.builds(
    Spec,
    width=st.floats(0.01, 2),
    resolution=st.integers(32, 300),
    classes=st.integers(2, 2000),
    channels=st.sampled_from([1, 3]),
    padding=st.sampled_from(["symmetric", "same"]),
    convolution=st.sampled_from(["separable", "standard"]),
    shallow=st.booleans(),
    unit_strides=st.lists(st.sampled_from(STRIDED)).map(tuple),
)


@settings(max_examples=40)
@given(SPECS)
def test_parameters_and_statistics_are_the_sizes_of_the_arrays_of_a_model(spec: Spec) -> None:
    sizes = {name: math.prod(shape) for name, shape in expected_weights(spec).items()}
    statistics = {name for name in sizes if name.endswith((".running_mean", ".running_var"))}
    found = totals(spec, formulas.precision("float32"))

    assert sum(size for name, size in sizes.items() if name not in statistics) == found.parameters
    assert sum(sizes[name] for name in statistics) == found.statistics


@settings(max_examples=40)
@given(SPECS)
def test_every_weight_works_once_for_every_pixel_of_the_output(spec: Spec) -> None:
    shapes = expected_weights(spec)

    for layer in layers(spec):
        size = math.prod(shapes[f"{layer.name}.weight"]) if layer.kind != "pool" else 0
        assert size * layer.output.height * layer.output.width == formulas.macs(layer)
        assert size == formulas.weights(layer)


@settings(max_examples=40)
@given(SPECS)
def test_the_ratio_by_formula_is_the_ratio_by_count_exactly(spec: Spec) -> None:
    blocks = [pair for pair in compare(spec) if pair.formula is not None]

    assert len(blocks) == (8 if spec.shallow else 13)
    for pair in blocks:
        assert Fraction(1, pair.output.channels) + Fraction(1, 9) == pair.count == pair.formula
        assert Fraction(pair.separable_weights, pair.standard_weights) == pair.formula


@settings(max_examples=20)
@given(SPECS)
def test_layers_kinds_and_places_add_up_to_the_same_totals(spec: Spec) -> None:
    found = report(spec)
    sides = {"separable": [p.separable_macs for p in found.pairs], "standard": [p.standard_macs for p in found.pairs]}

    for sums in (found.rows, found.kinds):
        assert found.nominal.macs == sum(entry.macs for entry in sums)
        assert found.nominal.weights == sum(entry.weights for entry in sums)
        assert found.nominal.parameters == sum(entry.parameters for entry in sums)
        assert found.nominal.weight_bytes == sum(entry.weight_bytes for entry in sums)
    assert found.nominal.macs == sum(sides[spec.convolution])
    assert found.twin.totals.macs == sum(sides[found.twin.spec.convolution])
    assert found.nominal in [member.totals for member in found.sweep if member.spec == spec]


def test_weight_bytes_of_int8_are_weights_with_a_bias_and_a_multiplier_a_channel() -> None:
    # Visual wake words, alpha 0.25 at 96x96, 2 classes: 208,112 weights, 2,736 + 2 channels of 4 + 4 bytes.
    # With one byte of shift a channel more, as TFLite's arithmetic has it, this is the 232,754 B of that network.
    found = totals(Spec(width=0.25, resolution=96, classes=2), formulas.precision("int8"))

    assert found.weight_bytes == 208_112 + 2_738 * 8
    assert found.weight_bytes + 2_738 == 232_754


def test_weight_bytes_of_float_are_weights_and_one_bias_a_channel() -> None:
    channels, weights = 10_944 + 1000, 4_209_088

    assert 4 * (weights + channels) == totals(Spec(), formulas.precision("float32")).weight_bytes
    assert 2 * (weights + channels) == totals(Spec(), formulas.precision("float16")).weight_bytes


def test_im2col_of_a_3x3_layer_writes_nine_values_for_each_it_reads_and_of_a_1x1_layer_none() -> None:
    table = {layer.name: layer for layer in layers(Spec())}

    assert formulas.im2col_shape(table["blocks.3.1.conv_pw"]) == (196, 512)
    assert formulas.im2col_values(table["blocks.3.1.conv_pw"]) == 0
    assert formulas.im2col_shape(table["blocks.3.1.conv_dw"]) == (196, 9)
    assert formulas.im2col_values(table["blocks.3.1.conv_dw"]) == 9 * 14 * 14 * 512
    # Stride 2: a quarter of the pixels, 27 values each.
    assert formulas.im2col_shape(table["conv_stem"]) == (112 * 112, 27)
    assert formulas.im2col_values(table["conv_stem"]) == 112 * 112 * 27


def test_a_pool_has_no_im2col_matrix() -> None:
    with pytest.raises(Refused, match="global_pool: a pool is no convolution"):
        formulas.im2col_shape(layers(Spec())[-2])


def test_an_unknown_precision_is_refused_with_those_that_exist() -> None:
    with pytest.raises(Refused, match="precision is 'int4'; it must be one of 'float32', 'float16', 'bf16', 'int8'"):
        report(Spec(), precision="int4")
