"""The parts of a quantisation, each against its definition written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from depthwise.errors import Refused
from depthwise.network import reference
from depthwise.network.dequantize import dequantize
from depthwise.network.layers import layers
from depthwise.network.model import Model
from depthwise.network.random_int8 import random_quantized
from depthwise.network.reference_int8 import real, walk
from depthwise.network.spec import Spec
from depthwise.progress import Silent
from depthwise.quantize.floats import FloatNet, parts
from depthwise.quantize.ranges import limits, spread
from depthwise.quantize.search import Search
from depthwise.quantize.statistics import BINS, Outputs, collect
from depthwise.quantize.weights import LARGEST, Draft, draft

SmallModel = Callable[..., Model]


@pytest.mark.parametrize("fields", [{}, {"padding": "same", "resolution": 37}, {"convolution": "standard"}], ids=repr)
def test_the_folded_network_is_the_network(small_model: SmallModel, fields: dict[str, Any]) -> None:
    model = small_model(seed=1, **fields)
    side = model.spec.resolution
    pixels = np.random.default_rng(0).integers(0, 256, (3, side, side, 3)).astype(np.uint8)
    net = FloatNet.of(model)

    logits = net.forward(net.start(pixels))[:, 0, 0]

    wanted = reference.run(model, pixels).logits
    assert np.abs(logits - wanted).max() < 1e-4 * np.abs(wanted).max()


@pytest.mark.parametrize("rounded", [False, True])
def test_dequantised_weights_give_the_real_numbers_that_accumulators_stand_for(rounded: bool) -> None:
    spec = Spec(width=0.25, resolution=33, classes=4, padding="same")
    model = random_quantized(spec, hidden_zero_points=rounded, rounded=rounded)
    # The border must be what stands for 0, or the float network pads with another number.
    model = model.replace(border=tuple(int(mean) for mean in model.preprocessing.mean))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 33, 33, 3)).astype(np.uint8)
    folded = dequantize(model)
    x = pixels.astype(np.float64) - np.array(model.preprocessing.mean)

    for step in walk(model, pixels):
        layer, numbers = step.layer, step.numbers
        unit = numbers.multiplier.astype(np.float64) * (numbers.scale if numbers.rounded else 1)
        if layer.kind != "pool":
            weight, bias = folded[layer.name]
            match layer.kind:
                case "depthwise":
                    sums = reference.depthwise(x, weight, layer.stride, layer.padding)
                case "classifier":
                    sums = x @ weight.T
                case _:
                    sums = reference.convolution(x, weight, layer.stride, layer.padding)
            assert np.allclose(step.acc * unit, sums + bias, rtol=1e-6, atol=1e-6 * np.abs(sums).max()), layer.name
        if step.output is not None:
            x = real(numbers, step.output).astype(np.float64)


def outputs_of(values: np.ndarray) -> Outputs:
    """(P, N) values as a histogram from 0 to 6."""
    counts = np.stack([np.histogram(column, bins=BINS, range=(0, 6))[0] for column in values.T])
    return Outputs(counts=counts.astype(np.int64), top=6.0, largest=values.max(axis=0).astype(np.float64))


def long_tailed(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.minimum(np.maximum(rng.normal(0, 0.3, (20_000, 6)) + rng.exponential(0.2, (20_000, 6)) ** 2, 0), 6)


def test_histograms_count_what_the_layers_put_out(small_model: SmallModel) -> None:
    model = small_model()
    net = FloatNet.of(model)
    pixels = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3)).astype(np.uint8)

    found = collect(net, pixels, 2, Silent())

    activations = reference.run(model, pixels, keep=True).activations
    for layer, outputs in zip(layers(model.spec), found, strict=True):
        if outputs is None:
            assert layer.kind == "classifier"
            continue
        values = activations[layer.name].reshape(-1, layer.output.channels)
        assert np.allclose(values.max(axis=0), outputs.largest, rtol=1e-4, atol=1e-5)
        assert (outputs.counts.sum(axis=1) == len(values)).all()
        # Values at the edge of a bin may fall to either side in float32.
        wanted = np.stack([np.histogram(column, bins=BINS, range=(0, 6))[0] for column in values.T])
        assert np.abs(np.cumsum(wanted - outputs.counts, axis=1)).max() <= 2


def test_minmax_is_the_largest_value_and_percentile_leaves_one_in_ten_thousand_out() -> None:
    values = long_tailed()

    assert (limits(outputs_of(values), "minmax", shared=False) == values.max(axis=0)).all()
    found = limits(outputs_of(values), "percentile", shared=False)
    above = (values > found).mean(axis=0)
    assert (above <= 1e-4).all()
    assert (found <= np.quantile(values, 1 - 1e-4, axis=0) + 2 * 6 / BINS).all()


def test_least_squares_is_near_the_best_limit_for_the_values_themselves() -> None:
    # The first column has one value far from all others, which is worth cutting off; the second has none.
    values = np.abs(np.random.default_rng(0).normal(0, 0.1, (400_000, 2)))
    values[0, 0] = 2.5
    largest = values.max(axis=0)

    def error(limit: np.ndarray) -> np.ndarray:
        step = limit / 255
        return np.asarray(((np.clip(np.rint(values / step), 0, 255) * step - values) ** 2).sum(axis=0))

    best = np.min([error(share * largest) for share in np.linspace(0.25, 1, 40)], axis=0)
    found = error(limits(outputs_of(values), "squared", shared=False))
    assert (found < 1.15 * best).all()
    assert best[0] < 0.8 * error(largest)[0]


def test_a_shared_range_is_that_of_all_channels_together() -> None:
    values = long_tailed() * np.linspace(0.1, 1, 6)

    assert (limits(outputs_of(values), "minmax", shared=True) == values.max()).all()


def test_a_channel_that_was_never_on_gets_a_range() -> None:
    values = long_tailed()
    values[:, 2] = 0

    found = limits(outputs_of(values), "squared", shared=False)

    assert found[2] > 0
    assert (limits(outputs_of(values * 0), "minmax", shared=False) > 0).all()


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(Refused, match="rule is 'best'; ranges know minmax, percentile and squared"):
        limits(outputs_of(long_tailed()), "best", shared=False)


def test_spread_goes_from_one_range_to_each_channels_own_and_never_below_it() -> None:
    ranges = np.array([0.1, 1.0, 6.0])

    assert np.allclose(6.0, spread(ranges, 0.0))
    assert np.allclose(ranges, spread(ranges, 1.0))
    assert (spread(ranges, 0.5) >= ranges).all()


@pytest.mark.parametrize("per_tensor", [False, True])
@pytest.mark.parametrize("name", ["conv_stem", "blocks.0.0.conv_dw", "blocks.0.0.conv_pw", "classifier"])
def test_rounded_weights_are_within_half_a_step_or_clipped_to_the_ends(
    small_model: SmallModel, name: str, per_tensor: bool
) -> None:
    model = small_model(seed=5)
    layer = next(row for row in layers(model.spec) if row.name == name)
    folded = FloatNet.of(model).folded[name]
    rng = np.random.default_rng(0)
    scale = rng.uniform(0.01, 0.1, layer.input.channels)
    zero = np.zeros(layer.input.channels)

    made = draft(layer, folded, scale, zero, np.ones(layer.input.channels), per_tensor=per_tensor)

    by_input = (
        scale[:, None, None, None]
        if layer.kind == "depthwise"
        else (scale if layer.kind == "classifier" else scale[:, None, None])
    )
    real_weight = made.weight * made.step.reshape(-1, *[1] * (made.weight.ndim - 1)) / by_input
    difference = np.abs(real_weight - folded.weight) * by_input / made.step.reshape(-1, *[1] * (made.weight.ndim - 1))
    assert (difference[np.abs(made.weight) < LARGEST] <= 0.5 + 1e-9).all()
    assert np.abs(made.weight.astype(int)).max() == LARGEST
    assert np.abs(made.bias * made.step - folded.bias).max() <= 0.5 * made.step.max()
    assert len(np.unique(made.step)) == (1 if per_tensor else layer.output.channels)


def test_an_error_is_measured_at_the_next_layer_that_mixes_channels(small_model: SmallModel) -> None:
    """Bytes of a pointwise layer go through the depthwise and the pointwise layer after it, in float."""
    model = small_model(seed=3)
    net, rng = FloatNet.of(model), np.random.default_rng(0)
    rows = layers(model.spec)
    index = next(i for i, row in enumerate(rows) if row.name == "blocks.1.0.conv_pw")
    N = rows[index].output.channels
    acc = rng.integers(-3000, 9000, (3, rows[index].output.height, rows[index].output.width, N)).astype(np.int32)
    step, scale = rng.uniform(0.0005, 0.001, N), rng.uniform(0.01, 0.02, N).astype(np.float32)
    made = Draft(np.zeros(0, np.int8), step, np.full(N, 50), np.zeros(0))
    wanted = np.clip((acc + 50) * step, 0, 6).astype(np.float32)

    found = Search(net, index, acc, wanted, 2).error(made, scale)

    ends = []
    for x in (wanted, np.clip(np.rint((acc + 50) * step / scale), 0, 255) * scale):
        for row in rows[index + 1 : index + 3]:
            convolve = reference.depthwise if row.kind == "depthwise" else reference.convolution
            x = np.clip(
                convolve(x, net.folded[row.name].weight, row.stride, row.padding) + net.folded[row.name].bias, 0, 6
            )
        ends.append(x)
    assert found == pytest.approx(((ends[0] - ends[1]) ** 2).sum(), rel=0.01)


def test_an_error_counts_the_rounding_of_the_next_weights_where_they_lie_on_a_grid(small_model: SmallModel) -> None:
    """Ranges that are alike leave them there; others take them off, and they are rounded to steps of a byte."""
    model, name = small_model(seed=3), "blocks.1.0.conv_pw.weight"
    step = np.abs(model.weights[name]).max() / 60
    gridded = (np.rint(model.weights[name] / step) * step).astype(np.float32)
    net, rng = FloatNet.of(model.replace(weights={**model.weights, name: gridded})), np.random.default_rng(0)
    rows = layers(model.spec)
    index = next(i for i, row in enumerate(rows) if row.name == "blocks.1.0.conv_dw")
    N, following = rows[index].output.channels, net.folded["blocks.1.0.conv_pw"]
    acc = rng.integers(-3000, 9000, (3, rows[index].output.height, rows[index].output.width, N)).astype(np.int32)
    unit = rng.uniform(0.0005, 0.001, N)
    wanted = np.clip(acc * unit, 0, 6).astype(np.float32)
    search = Search(net, index, acc, wanted, 2)

    def end(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
        sums = reference.convolution(x, weight, 1, rows[index + 1].padding) + following.bias
        return np.clip(sums, 0, 6)

    for scale in (np.full(N, 0.015, np.float32), rng.uniform(0.01, 0.02, N).astype(np.float32)):
        bytes_ = np.clip(np.rint(acc * unit / scale), 0, 255)
        weight = following.weight
        if len(np.unique(scale)) > 1:
            scaled = weight * scale[:, None, None]
            steps = np.abs(scaled).max(axis=(1, 2, 3), keepdims=True) / 127
            weight = np.rint(scaled / steps) * steps / scale[:, None, None]
        expected = ((end(bytes_ * scale, weight) - end(wanted, following.weight)) ** 2).sum()
        found = search.error(Draft(np.zeros(0, np.int8), unit, np.zeros(N, np.int64), np.zeros(0)), scale)
        assert found == pytest.approx(expected, rel=1e-3)


def test_parts_make_up_the_whole() -> None:
    assert [list(range(7))[part] for part in parts(7, 3)] == [[0, 1, 2], [3, 4, 5], [6]]
