"""What channels put out on average, told without images, against draws and against real images."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from conftest import DataPack
from depthwise.compiler.lower.means import activated_means, channel_means, pictures
from depthwise.edge.pixels import decode, prepare
from depthwise.network import reference
from depthwise.network.layers import layers
from depthwise.network.model import Model

SHIPPED = Path(__file__).parents[2] / "src" / "depthwise" / "shipped"


def test_means_of_clamped_values_are_those_of_a_million_draws() -> None:
    mean, deviation = np.array([0.0, -1.0, 5.0, 20.0, -30.0]), np.array([1.0, 2.0, 3.0, 1.0, 2.0])
    drawn = np.random.default_rng(0).normal(size=(1_000_000, 1)) * deviation + mean
    for most in (6.0, np.inf):
        assert activated_means(mean, deviation, most) == pytest.approx(np.clip(drawn, 0, most).mean(axis=0), abs=0.01)
    assert activated_means(mean, np.zeros(5), 6.0) == pytest.approx([0, 0, 5, 6, 0], abs=1e-9)


def without_norms(model: Model) -> Model:
    """The same network with its normalisation folded into the convolutions, as other formats hold it."""
    weights = dict(model.weights)
    for layer in (layer for layer in layers(model.spec) if layer.norm):
        gamma, beta, mean, variance = (
            weights[f"{layer.norm}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        factor = gamma / np.sqrt(variance + model.spec.bn_epsilon)
        weight = weights[f"{layer.name}.weight"]
        weights[f"{layer.name}.weight"] = (weight * factor.reshape(-1, 1, 1, 1)).astype(np.float32)
        parts = {"weight": gamma * 0 + 1, "bias": beta - mean * factor, "running_mean": mean * 0}
        parts["running_var"] = mean * 0 + 1 - model.spec.bn_epsilon
        weights |= {f"{layer.norm}.{part}": value.astype(np.float32) for part, value in parts.items()}
    return model.replace(weights=weights)


def test_means_of_a_network_without_norms_are_those_of_noise(small_model: Callable[..., Model]) -> None:
    model = without_norms(small_model(seed=4, resolution=32, width=0.25))
    real = reference.run(model, pictures(model.spec), keep=True).activations
    means = channel_means(model)
    assert list(means) == [layer.name for layer in layers(model.spec) if layer.norm]
    for name, found in means.items():
        assert found == pytest.approx(real[name].mean(axis=(0, 1, 2)), abs=2.0**-11 + 1e-9)
        # On a grid, so that the order of sums in some processor's matrix products does not show.
        assert (found * 2**10 == np.rint(found * 2**10)).all()


@pytest.mark.parametrize(("part", "change"), [("weight", 1.001), ("running_mean", 0.001), ("running_var", 1.00002)])
def test_means_are_those_of_the_norms_where_these_do_anything(
    part: str, change: float, small_model: Callable[..., Model]
) -> None:
    model = without_norms(small_model(seed=4, resolution=32, width=0.25))
    weights = dict(model.weights)
    for layer in (layer for layer in layers(model.spec) if layer.norm):
        name = f"{layer.norm}.{part}"
        weights[name] = weights[name].copy()
        weights[name][0] = change if part == "running_mean" else weights[name][0] * change
    found = channel_means(model.replace(weights=weights))
    for layer in (layer for layer in layers(model.spec) if layer.norm):
        gamma, beta = (weights[f"{layer.norm}.{part}"].astype(np.float64) for part in ("weight", "bias"))
        assert (found[layer.name] == activated_means(beta, gamma, 6)).all()


def test_values_less_their_means_are_much_smaller_with_and_without_norms(data_pack: DataPack) -> None:
    """Mean squares on real images, of the first layers, where an error costs most."""
    model = Model.load(SHIPPED / "everyday-200")
    shape = model.preprocessing
    photos = [decode(file) for file in sorted(data_pack("photos").glob("*.JPEG"))[::10]]
    pixels = np.stack([prepare(photo, resize=shape.resize, crop=shape.crop) for photo in photos])
    real = reference.run(model, pixels, dtype=np.float32, keep=True).activations
    normed = [layer.name for layer in layers(model.spec) if layer.norm]
    for given, share in ((model, 0.4), (without_norms(model), 0.5)):
        means = channel_means(given)
        assert list(means) == normed
        for name in normed[:4]:
            values = real[name].astype(np.float64)
            assert ((values - means[name]) ** 2).mean() < share * (values**2).mean(), name


@pytest.mark.parametrize("channels", [1, 3])
def test_noise_is_strongest_where_it_changes_slowly_as_in_photographs(
    channels: int, small_model: Callable[..., Model]
) -> None:
    found = pictures(small_model(resolution=64, channels=channels).spec).astype(np.float64)
    assert found.shape == (4, 64, 64, channels)
    power = (np.abs(np.fft.rfft2(found - found.mean(axis=(1, 2), keepdims=True), axes=(1, 2))) ** 2).mean(axis=(0, 3))
    frequency = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64))
    bands = [power[(frequency >= low) & (frequency < 2 * low)].mean() for low in (1 / 32, 1 / 16, 1 / 8, 1 / 4)]
    for slow, fast in itertools.pairwise(bands):
        assert 2 < slow / fast < 6
