"""A network for pixels that are normalised another way, against the network as it was."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from depthwise.interop.pixels import with_pixels
from depthwise.network import reference
from depthwise.network.model import Model
from tools.foreign import pixels

SmallModel = Callable[..., Model]


def test_another_scale_changes_nothing_and_another_mean_only_the_border(small_model: SmallModel) -> None:
    model = with_pixels(small_model(resolution=64), (127.5, 120.0, 99.5), (1 / 127.5, 0.01, 0.02))
    images = pixels(model, 2)
    expected = reference.run(model, images, keep=True)
    scaled = with_pixels(model, model.preprocessing.mean, (1 / 64,) * 3)
    assert scaled.preprocessing.scale == (1 / 64,) * 3
    assert np.abs(reference.run(scaled, images).logits - expected.logits).max() < 1e-5
    moved = reference.run(with_pixels(model, (128.0,) * 3, (1 / 64,) * 3), images, keep=True)
    inside = np.s_[:, 1:-1, 1:-1]
    first = "conv_stem"
    assert np.abs(moved.activations[first][inside] - expected.activations[first][inside]).max() < 1e-5
    assert np.abs(moved.activations[first] - expected.activations[first]).max() > 1e-3
