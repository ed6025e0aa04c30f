"""Post-training quantisation against the float oracle, and against what happens without each of its parts."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from depthwise.errors import Refused
from depthwise.network import reference, reference_int8
from depthwise.network.dequantize import dequantize
from depthwise.network.folding import fold
from depthwise.network.layers import layers
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel, reach
from depthwise.network.requantize import integer_form
from depthwise.quantize.evaluate import decibels
from depthwise.quantize.options import Options
from depthwise.quantize.quantize import quantize, sample

SmallModel = Callable[..., Model]


def images(count: int, *, seed: int = 0, side: int = 32, channels: int = 3) -> np.ndarray:
    """Smooth random pictures: noise in blocks of four pixels, brighter or darker as a whole."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, 40, (count, side // 4, side // 4, channels)) + rng.normal(128, 40, (count, 1, 1, channels))
    fine = coarse.repeat(4, axis=1).repeat(4, axis=2) + rng.normal(0, 10, (count, side, side, channels))
    return np.clip(fine, 0, 255).astype(np.uint8)


def signal(model: Model, quantized: QuantizedModel, pixels: np.ndarray) -> float:
    """How far the int8 logits are above their error, in decibels."""
    wanted = reference.run(model, pixels).logits
    found = reference_int8.run(quantized, pixels).logits
    return decibels(float(((wanted - wanted.mean(0)) ** 2).sum()), float(((found - wanted) ** 2).sum()))


def uneven(model: Model, seed: int = 0) -> Model:
    """The same function with channels of very different size: each depthwise channel's input and the weights that make
    it are scaled by up to 16, and its own weights by the inverse. Needs ReLU, which scaling commutes with."""
    rng = np.random.default_rng(seed)
    weights = dict(model.weights)
    rows = [layer for layer in layers(model.spec) if layer.norm]
    for layer, following in itertools.pairwise(rows):
        if following.kind == "depthwise":
            factor = np.exp2(rng.uniform(-4, 4, layer.output.channels)).astype(np.float32)
            for part in ("weight", "bias"):
                weights[f"{layer.norm}.{part}"] = weights[f"{layer.norm}.{part}"] * factor
            name = f"{following.name}.weight"
            weights[name] = weights[name] / factor[:, None, None, None]
    return model.replace(weights=weights)


@pytest.mark.parametrize(
    "fields",
    [
        {"resolution": 32, "classes": 5},
        {"resolution": 36, "channels": 1, "padding": "same", "activation": "relu", "shallow": True},
        {"resolution": 32, "convolution": "standard", "shallow": True, "width": 0.1},
    ],
    ids=repr,
)
def test_int8_follows_the_float_network(small_model: SmallModel, fields: dict[str, Any]) -> None:
    model = small_model(**fields)
    side, channels = model.spec.resolution, model.spec.channels

    done = quantize(model, images(32, side=side, channels=channels))

    # Logits of random weights hardly differ from image to image, so their signal is small.
    assert signal(model, done.model, images(16, seed=1, side=side, channels=channels)) > 3
    assert min(decibels(decision.signal, decision.noise) for decision in done.decisions) > 14


def test_the_same_images_and_options_give_the_same_bytes(small_model: SmallModel) -> None:
    first, second = (quantize(small_model(shallow=True), images(16)).model for _ in range(2))

    for name, layer in first.layers.items():
        for part in dataclasses.fields(layer):
            assert np.array_equal(getattr(layer, part.name), getattr(second.layers[name], part.name)), name


def test_hidden_bytes_end_where_relu6_ends(small_model: SmallModel) -> None:
    """Byte 255 of every channel stands for at most 6, so that the clamp to a byte is all of ReLU6."""
    model = small_model(shallow=True)
    weights = {name: array * (3 if name.endswith("bn1.bias") else 1) for name, array in model.weights.items()}

    done = quantize(model.replace(weights=weights), images(16))

    for layer in layers(model.spec):
        numbers = done.model.layers[layer.name]
        if layer.norm:
            assert (numbers.zero_point, numbers.low, numbers.high) == (0, 0, 255)
            assert (255 * numbers.scale <= 6 * (1 + 1e-6)).all()


def test_padding_is_exactly_zero_at_the_first_layer(small_model: SmallModel) -> None:
    """An image of the mean everywhere gives the same sum at the border as inside: the bias."""
    model = small_model(shallow=True)
    done = quantize(model, images(16), Options(correct_bias=False))
    grey = np.full((1, 32, 32, 3), 128, np.uint8)

    step = next(reference_int8.walk(done.model, grey))

    assert done.model.border == (128, 128, 128)
    assert (step.acc == step.acc[0, 5, 5]).all()
    factor = model.weights["bn1.weight"] / np.sqrt(model.weights["bn1.running_var"] + model.spec.bn_epsilon)
    wanted = model.weights["bn1.bias"] - model.weights["bn1.running_mean"] * factor
    unit = step.numbers.multiplier * step.numbers.scale
    assert (np.abs(step.acc[0, 0, 0] * unit - wanted) <= 0.51 * unit + 1e-4 * np.abs(wanted)).all()


def test_equalisation_mends_channels_of_different_size(small_model: SmallModel) -> None:
    model = uneven(small_model(activation="relu", seed=2, shallow=True))
    calibration, judged = images(24), images(16, seed=1)

    with_, without = (
        signal(model, quantize(model, calibration, Options(equalise=equalise)).model, judged)
        for equalise in (True, False)
    )

    assert with_ > without + 6


def test_one_scale_for_a_layers_weights_is_worse_than_one_a_channel(small_model: SmallModel) -> None:
    model = uneven(small_model(activation="relu", seed=3))
    calibration, judged, simple = images(32), images(16, seed=1), Options(equalise=False, ranges="minmax")

    channel, tensor = (
        signal(model, quantize(model, calibration, dataclasses.replace(simple, per_tensor=one)).model, judged)
        for one in (False, True)
    )

    assert channel > tensor + 3


def test_per_tensor_has_one_multiplier_a_layer(small_model: SmallModel) -> None:
    done = quantize(small_model(shallow=True), images(16), Options(per_tensor=True))

    for layer in layers(done.model.spec):
        multiplier = done.model.layers[layer.name].multiplier
        # `choose_multiplier` moves each by some steps of float32.
        assert multiplier.max() / multiplier.min() < 1 + 2**-13, layer.name


def on_a_grid(model: Model) -> Model:
    """The network with the weights of each layer on one grid, as those of networks that were trained for 8 bits are."""
    weights = dict(model.weights)
    for name, array in model.weights.items():
        if name.endswith("weight") and array.ndim > 1:
            step = np.abs(array).max() / 100
            weights[name] = (np.rint(array / step) * step).astype(np.float32)
    return model.replace(weights=weights)


def test_weights_that_lie_on_a_grid_stay_what_they_are(small_model: SmallModel) -> None:
    """Also in channels whose largest weight is but 50 steps, which one search among steps for 127 would not find."""
    model = on_a_grid(small_model(seed=5, shallow=True))

    done = quantize(model, images(24), Options(ranges="minmax"))

    folded, real = fold(model), dequantize(done.model)
    for layer in layers(model.spec):
        if layer.kind in ("stem", "depthwise"):
            channels = folded[layer.name].weight.reshape(layer.output.channels, -1)
            lost = np.abs(real[layer.name].weight.reshape(channels.shape) - channels).max(axis=1)
            assert (lost < 1e-4 * np.abs(channels).max(axis=1)).all(), layer.name


def test_bias_correction_takes_the_mean_error_off(small_model: SmallModel) -> None:
    """With one coarse step for a whole layer, rounding shifts the means of channels with small weights."""
    model, calibration, judged = uneven(small_model(activation="relu", seed=4)), images(48), images(16, seed=1)
    wanted = reference.run(model, judged).logits
    rough = Options(per_tensor=True, rounding="nearest", ranges="minmax")

    with_, without = (
        np.abs((reference_int8.run(quantize(model, calibration, options).model, judged).logits - wanted).mean(axis=0))
        for options in (rough, dataclasses.replace(rough, correct_bias=False))
    )

    assert with_.mean() < 0.5 * without.mean()


def test_multipliers_have_integer_forms_without_a_shift(small_model: SmallModel) -> None:
    done = quantize(small_model(shallow=True), images(16))

    for layer in layers(done.model.spec):
        numbers = done.model.layers[layer.name]
        if numbers.rounded:
            form = integer_form(numbers.multiplier, reach(layer, numbers))
            assert (form.exists == (numbers.multiplier < 0.5)).all(), layer.name
            assert (form.shift == 0).mean() > 0.9, layer.name


def test_a_channel_that_is_never_on_still_fits(small_model: SmallModel) -> None:
    """Its bias is far below what its weights can reach, and some weights are zero throughout."""
    model = small_model(shallow=True)
    weights = {name: array.copy() for name, array in model.weights.items()}
    weights["blocks.0.0.bn2.bias"][:3] = (-1e4, -30, 30)
    weights["blocks.0.0.conv_pw.weight"][2:4] = 0
    weights["blocks.1.0.bn1.weight"][0] = 0
    model = model.replace(weights=weights)

    done = quantize(model, images(24))

    assert min(decibels(decision.signal, decision.noise) for decision in done.decisions) > 20
    off, constant = (
        reference_int8.run(done.model, images(2, seed=1), keep=True).activations["blocks.0.0.conv_pw"][..., c]
        for c in (0, 2)
    )
    assert (off == 0).all()
    assert len(np.unique(constant)) == 1


def test_too_few_or_wrong_images_are_refused(small_model: SmallModel) -> None:
    with pytest.raises(Refused, match="there are 7 calibration images; give at least 8"):
        quantize(small_model(), images(7))
    with pytest.raises(Refused, match=r"pixels are uint8 of shape \(8, 36, 36, 3\)"):
        quantize(small_model(), images(8, side=36))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"images": 7}, "images is 7; calibration needs at least 8"),
        ({"ranges": "best"}, "ranges is 'best'; it must be"),
    ],
)
def test_options_out_of_range_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused, match=message):
        Options(**fields)


def test_the_sample_is_the_same_for_a_seed_and_without_repeats() -> None:
    assert sample(100, 20, 3) == sample(100, 20, 3)
    assert sample(100, 20, 3) != sample(100, 20, 4)
    assert sorted(sample(10, 20, 0)) == list(range(10))
