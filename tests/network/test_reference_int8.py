"""The int8 oracle against the formulas of docs/int8.md, written out in whole numbers of Python."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from depthwise.errors import Refused
from depthwise.network.layers import KINDS, Layer, layers
from depthwise.network.quantized import QuantizedLayer, QuantizedModel, input_border, reach
from depthwise.network.random_int8 import random_quantized
from depthwise.network.reference_int8 import run, walk
from depthwise.network.spec import Spec

# Odd sizes, both paddings, every kind of layer, grey and colour, all strides.
SPECS = [
    Spec(width=0.25, resolution=33, classes=3, channels=1, padding="same"),
    Spec(width=0.25, resolution=32, classes=5, unit_strides=(0, 2)),
    Spec(width=0.25, resolution=38, classes=2, convolution="standard", shallow=True),
]


def sum_at(
    layer: Layer, numbers: QuantizedLayer, x: np.ndarray, border: tuple[int, ...], y: int, column: int, channel: int
) -> int:
    """Q5 and Q7 for one accumulator."""
    total = int(numbers.bias[channel])
    if layer.kind == "pool":
        return total + sum(int(v) for v in x[:, :, channel].ravel())
    weight = numbers.weight.reshape(*numbers.weight.shape[:2], layer.kernel, layer.kernel)
    inputs = [channel] if layer.kind == "depthwise" else range(layer.input.channels)
    for row in range(layer.kernel):
        for step in range(layer.kernel):
            at_y = y * layer.stride + row - layer.padding.top
            at_x = column * layer.stride + step - layer.padding.left
            inside = 0 <= at_y < layer.input.height and 0 <= at_x < layer.input.width
            for index, source in enumerate(inputs):
                byte = int(x[at_y, at_x, source]) if inside else border[source]
                total += (int(weight[channel, index, row, step]) - numbers.weight_zero_point) * byte
    return total


def byte_of(acc: int, numbers: QuantizedLayer, channel: int) -> int:
    """R1 to R4, where no accumulator is beyond 24 bits, so that R1 changes nothing."""
    assert abs(acc) < 2**24
    product = np.float32(acc) * numbers.multiplier[channel]
    return min(max(round(Fraction(float(product))) + numbers.zero_point, numbers.low), numbers.high)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
@pytest.mark.parametrize("hidden_zero_points", [False, True])
def test_every_layer_computes_what_the_specification_says(spec: Spec, hidden_zero_points: bool) -> None:
    rng = np.random.default_rng(spec.resolution)
    shifted = hidden_zero_points
    model = random_quantized(spec, 3, hidden_zero_points=shifted, rounded=shifted, weight_zero_points=shifted)
    pixels = rng.integers(0, 256, (2, spec.resolution, spec.resolution, spec.channels)).astype(np.uint8)

    x = pixels
    for step in walk(model, pixels):
        layer, numbers = step.layer, step.numbers
        border = input_border(model, layer)
        corners = [(0, 0), (layer.output.height - 1, layer.output.width - 1)]
        inner = [tuple(rng.integers(0, (layer.output.height, layer.output.width))) for _ in range(4)]
        for y, column in [*corners, *inner]:
            for channel in {0, layer.output.channels - 1, int(rng.integers(0, layer.output.channels))}:
                acc = sum_at(layer, numbers, x[1], border, int(y), int(column), channel)
                assert acc == step.acc[1, y, column, channel], (layer.name, y, column, channel)
                if step.output is not None:
                    assert byte_of(acc, numbers, channel) == step.output[1, y, column, channel], layer.name
        if step.output is not None:
            x = step.output


def test_the_networks_compared_have_every_kind_of_layer() -> None:
    assert {layer.kind for spec in SPECS for layer in layers(spec)} == set(KINDS)


def test_bytes_of_random_networks_use_their_whole_range() -> None:
    """Else the comparison above would see little."""
    model = random_quantized(SPECS[1], seed=3)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)

    for name, activation in run(model, pixels, keep=True).activations.items():
        assert len(np.unique(activation)) > 25, name


def test_sums_beyond_24_bits_are_exact() -> None:
    """Such sums have no float32, and the oracle must not lose them in its matrix products."""
    spec = Spec(width=2.0, resolution=32, classes=2)
    model = random_quantized(spec, seed=0)
    name = "blocks.4.1.conv_pw"
    full = np.full_like(model.layers[name].weight, 127)
    full[0, 1::2] = 126
    full[0, 0] = 126
    changed = dataclasses.replace(model.layers[name], weight=full)
    bright = dataclasses.replace(model.layers["blocks.4.1.conv_dw"], low=255)
    model = model.replace(layers={**model.layers, name: changed, "blocks.4.1.conv_dw": bright})

    steps = {step.layer.name: step for step in walk(model, np.zeros((1, 32, 32, 3), np.uint8))}

    assert int(changed.bias[0]) + 255 * (127 * 1024 + 126 * 1024 - 1) == int(steps[name].acc[0, 0, 0, 0])
    assert 255 * 127 * 2048 > 2**24


def test_accumulators_stay_within_the_proven_reach() -> None:
    model = random_quantized(SPECS[0], seed=1)
    images = np.stack([np.full((33, 33, 1), value, np.uint8) for value in (0, 255)])

    for step in walk(model, images):
        proven = reach(step.layer, step.numbers)
        assert (step.acc >= proven.lowest).all()
        assert (step.acc <= proven.highest).all()


def test_logits_are_products_or_bytes_as_the_classifier_says() -> None:
    spec = SPECS[1]
    pixels = np.random.default_rng(5).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    plain, rounded = random_quantized(spec), random_quantized(spec, rounded=True)
    sums = [list(walk(model, pixels))[-1].acc[:, 0, 0] for model in (plain, rounded)]
    numbers = rounded.layers["classifier"]

    bytes_ = [[byte_of(int(acc), numbers, c) for c, acc in enumerate(row)] for row in sums[1]]
    expected = (np.array(bytes_) - numbers.zero_point) * numbers.scale.astype(np.float64)
    assert np.allclose(expected, run(rounded, pixels).logits, rtol=1e-6)
    expected = sums[0] * plain.layers["classifier"].multiplier.astype(np.float64)
    result = run(plain, pixels)
    assert np.allclose(expected, result.logits, rtol=1e-6)
    assert np.allclose(1, result.probabilities.sum(axis=1))
    assert "classifier" not in run(plain, pixels, keep=True).activations
    assert "classifier" in run(rounded, pixels, keep=True).activations


def test_images_do_not_depend_on_the_batch_that_they_come_in() -> None:
    model = random_quantized(SPECS[1])
    pixels = np.random.default_rng(6).integers(0, 256, (9, 32, 32, 3)).astype(np.uint8)

    together = run(model, pixels)

    assert (together.logits[8] == run(model, pixels[8:]).logits[0]).all()
    assert (together.features[8] == run(model, pixels[8:]).features[0]).all()


def test_pixels_of_another_shape_are_refused() -> None:
    model: QuantizedModel = random_quantized(SPECS[1])
    with pytest.raises(Refused, match=r"pixels are uint8 of shape \(1, 32, 31, 3\)"):
        run(model, np.zeros((1, 32, 31, 3), np.uint8))
