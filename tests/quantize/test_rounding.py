"""Rounding with feedback against rounding to nearest, and places against the convolution that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from depthwise.network import reference
from depthwise.network.layers import Layer, Padding, layers
from depthwise.network.reference_int8 import pad
from depthwise.network.spec import Spec
from depthwise.network.weights import weight_shape
from depthwise.quantize.places import draw
from depthwise.quantize.rounding import round_with_feedback

ROWS = layers(Spec(width=0.25, resolution=32, classes=4, padding="same"))


@pytest.mark.parametrize("index", [0, 1, 2, 3, len(ROWS) - 1], ids=lambda index: ROWS[index].name)
def test_weights_times_places_are_the_layers_sums(index: int) -> None:
    layer: Layer = ROWS[index]
    rng = np.random.default_rng(index)
    C = layer.input.channels
    x = rng.integers(0, 256, (3, layer.input.height, layer.input.width, C)).astype(np.uint8)
    zero, border = rng.uniform(0, 200, C), tuple(int(b) for b in rng.integers(0, 256, C))
    weight = rng.normal(0, 1, weight_shape(layer))

    places = draw(layer, x, zero, border, rng, 50)

    centred = pad(x, layer.padding, border) - zero
    match layer.kind:
        case "depthwise":
            sums = reference.depthwise(centred, weight, layer.stride, Padding())
            found = (places.inputs * weight.reshape(1, C, -1)).sum(axis=2)
        case "classifier":
            sums, found = centred @ weight.T, places.inputs[:, 0] @ weight.T
        case _:
            sums = reference.convolution(centred, weight, layer.stride, Padding())
            found = places.inputs[:, 0] @ weight.reshape(len(weight), -1).T
    assert np.allclose(sums[places.image, places.row, places.column], found, atol=1e-2)
    assert len(found) == min(50, 3 * layer.output.height * layer.output.width)


def together(groups: int, size: int, places: int = 2000, seed: int = 0) -> np.ndarray:
    """(P, G, K) inputs that go together, as those of real layers do."""
    rng = np.random.default_rng(seed)
    causes, ways = rng.normal(0, 1, (places, groups, 3)), rng.normal(0, 40, (groups, 3, size))
    inputs = np.einsum("pgc,gck->pgk", causes, ways) + 60 + rng.normal(0, 5, (places, groups, size))
    return np.asarray(inputs, np.float32)


@pytest.mark.parametrize(("groups", "rows", "size"), [(1, 20, 64), (16, 1, 9)])
def test_feedback_errs_less_than_rounding_to_nearest_on_other_inputs(groups: int, rows: int, size: int) -> None:
    weight = np.random.default_rng(1).normal(0, 4, (groups * rows, size))
    inputs = together(groups, size)

    found = round_with_feedback(weight, inputs[:1000])

    def error(rounded: np.ndarray) -> float:
        difference = (weight - rounded).reshape(groups, rows, size)
        return float(((inputs[1000:].transpose(1, 0, 2) @ difference.transpose(0, 2, 1)) ** 2).mean())

    assert found.dtype == np.int8
    assert error(found) < 0.5 * error(np.rint(weight))


def test_a_channel_that_feedback_does_not_help_is_rounded_to_nearest() -> None:
    """Inputs that have nothing to do with one another leave nothing to make good."""
    weight = np.random.default_rng(1).normal(0, 4, (5, 8))
    inputs = (np.eye(8)[np.arange(4000) % 8] * 50)[:, None, :].astype(np.float32)

    assert (round_with_feedback(weight, inputs) == np.rint(weight)).all()


def test_whole_numbers_stay_within_a_byte() -> None:
    weight = np.random.default_rng(1).normal(0, 100, (5, 8))

    assert np.abs(round_with_feedback(weight, together(1, 8)).astype(int)).max() <= 127
