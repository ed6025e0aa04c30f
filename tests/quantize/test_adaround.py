"""Learned rounding against rounding to nearest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from depthwise.network import reference
from depthwise.network.layers import Layer, Padding, layers
from depthwise.network.model import Model
from depthwise.network.reference_int8 import pad
from depthwise.quantize.floats import FloatNet
from depthwise.quantize.weights import draft

torch = pytest.importorskip("torch", reason="learned rounding needs PyTorch")
SmallModel = Callable[..., Model]


def outputs(layer: Layer, weight: np.ndarray, x: np.ndarray, bias: np.ndarray, border: tuple[int, ...]) -> np.ndarray:
    """ReLU6 of a layer's sums for bytes whose border stands for 0, in float64."""
    centred = pad(x, layer.padding, border).astype(np.float64) - np.array(border)
    convolve = reference.depthwise if layer.kind == "depthwise" else reference.convolution
    return np.asarray(np.clip(convolve(centred, weight, layer.stride, Padding()) + bias, 0, 6))


@pytest.mark.parametrize("name", ["conv_stem", "blocks.1.0.conv_dw", "blocks.1.0.conv_pw"])
def test_learned_rounding_errs_less_on_other_images_and_moves_no_weight_by_a_whole_step(
    small_model: SmallModel, name: str
) -> None:
    from depthwise.quantize.adaround import learn_rounding

    model = small_model(seed=1, width=0.5)
    layer = next(row for row in layers(model.spec) if row.name == name)
    folded = FloatNet.of(model).folded[name]
    C = layer.input.channels
    rng = np.random.default_rng(0)
    # Channels that go together, as those of real layers do: what one rounds away another can give.
    mixed = rng.normal(0, 60, (24, layer.input.height, layer.input.width, 4)) @ rng.normal(0, 1, (4, C)) + 60
    x = np.clip(mixed, 0, 255).astype(np.uint8)
    border = (3,) * C
    scale, zero = np.full(C, 6 / 255), np.full(C, 3.0)
    # Few levels, so that rounding matters.
    moments = ((x - 3.0) ** 2).mean(axis=(0, 1, 2))
    made = draft(layer, folded, scale, zero, moments, per_tensor=False)
    coarse = made._replace(step=made.step * 12, exact=made.exact / 12, weight=np.rint(made.exact / 12).astype(np.int8))
    wanted = [outputs(layer, folded.weight * scale[0], part, folded.bias, border) for part in (x[:16], x[16:])]
    sums = np.asarray(wanted[0], np.float32)

    learned = learn_rounding(layer, coarse, folded.bias, x[:16], zero, border, sums, "relu6", seed=0)

    def error(weight: np.ndarray) -> float:
        real = weight * coarse.step[:, None, None, None]
        return float(((outputs(layer, real, x[16:], folded.bias, border) - wanted[1]) ** 2).mean())

    assert (np.abs(learned - coarse.exact) < 1 + 1e-6).all()
    assert error(learned) < 0.8 * error(coarse.weight)
