"""What bf16 makes of a network before it is emitted: rounded weights, bounds less a centre, biases that take back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from depthwise.compiler.lower.bf16 import balanced, centres, lower_bf16
from depthwise.compiler.lower.lower import lower
from depthwise.compiler.lower.means import activated_means
from depthwise.compiler.lower.thin import lower_live
from depthwise.kernels.bfloat16 import floats, halves
from depthwise.network.layers import layers
from depthwise.network.live import live
from depthwise.network.model import Model

Doubles = NDArray[np.float64]


def test_errors_of_a_kernel_add_up_to_almost_nothing() -> None:
    rng = np.random.default_rng(1)
    for K, N in ((9, 64), (27, 32)):
        weight = rng.normal(0, 1, (K, N)).astype(np.float32).astype(np.float64)
        weight[0, 0] = 0
        nearest, found = floats(halves(weight.astype(np.float32))), balanced(weight)
        step = 2.0 ** (np.floor(np.log2(np.maximum(np.abs(weight), 1e-30))) - 7)

        assert (floats(halves(found)) == found).all()
        assert (np.abs(found - weight) <= step).all()
        assert found[0, 0] == 0
        by_sum = np.abs((found - weight).sum(axis=0)), np.abs((nearest - weight).sum(axis=0))
        assert by_sum[0].mean() < by_sum[1].mean() / 5


@pytest.mark.parametrize("most", [6.0, np.inf])
def test_bounds_less_a_centre_are_numbers_of_bfloat16(most: float) -> None:
    means = np.concatenate([np.linspace(0, 6, 5000), [-1e-9, 6 + 1e-9, 0.0, -0.0]])
    found = centres(means, most)
    for bound in (-found, most - found):
        assert (floats(halves(bound.astype(np.float32))) == bound).all()
    assert np.abs(found - means).max() <= 2.0**-6
    assert np.signbit(-found).all()


@pytest.mark.parametrize("thin", [False, True])
def test_a_bias_takes_back_what_rounded_weights_add_on_average(thin: bool, small_model: Callable[..., Model]) -> None:
    """The means of a layer's inputs give the same sums with rounded weights as with the exact ones."""
    model = small_model(seed=2, labels=["a", "b"], resolution=32)
    table, weights = layers(model.spec), dict(model.weights)
    for layer in (layer for layer in table if layer.norm and thin):
        shift = weights[f"{layer.norm}.bias"].copy()
        shift[:: 3 + len(layer.name) % 2] = -1000
        weights[f"{layer.norm}.bias"] = shift
    model = model.replace(weights=weights)
    found = live(model)
    exact = lower_live(model, found) if thin else lower(model)
    rounded = lower_bf16(exact, model, found if thin else None)
    assert found.table != table

    means: Doubles = np.zeros(0)
    kept: Doubles = np.zeros(0)
    for layer, row, one, other in zip(table, found.layers, exact.operations, rounded.operations, strict=True):
        if layer.kind == "pool":
            continue
        if means.size:
            C = one.layer.input.channels
            inputs = np.pad(means, (0, C - means.size))
            sums = [
                w.bias + (x[:, None] * w.weight[0] if layer.kind != "depthwise" else x * w.weight).sum(axis=0)
                for w, x in ((one, inputs), (other, inputs - kept))
            ]
            left = -other.bounds.low if other.bounds is not None else 0
            assert sums[1] + left == pytest.approx(sums[0], abs=1e-5 * max(1, np.abs(sums[0]).max()))
            assert (one.bias != other.bias).any()
        if layer.norm:
            outputs = row.outputs if thin else np.arange(layer.output.channels)
            beta, gamma = (model.weights[f"{layer.norm}.{p}"].astype(np.float64)[outputs] for p in ("bias", "weight"))
            means = activated_means(beta, np.abs(gamma), 6)
            assert other.bounds is not None
            kept = -other.bounds.low.astype(np.float64)
