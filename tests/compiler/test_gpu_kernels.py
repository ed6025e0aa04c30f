"""Kernels for GPUs, run on this processor, against the oracle: every byte of int8, and float16 within its rounding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depthwise.network import reference, reference_int8
from depthwise.network.live import live
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from tools.host_gpu import host_gpu

# Odd maps, a grey image, strides that are 1, weights whose factors are no signed bytes, labels that fill no block.
NETWORKS = {
    "odd": random_quantized(
        Spec(width=0.25, resolution=33, classes=37, shallow=True), seed=1, hidden_zero_points=True, rounded=True
    ),
    "wide": random_quantized(
        Spec(width=0.25, resolution=32, classes=5, channels=1, shallow=True, unit_strides=(0, 2), padding="same"),
        seed=2,
        hidden_zero_points=True,
        weight_zero_points=True,
    ),
}


def image(model: QuantizedModel) -> np.ndarray:
    side, channels = model.spec.resolution, model.spec.channels
    return np.random.default_rng(5).integers(0, 256, (side, side, channels), np.uint8)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_step_gives_the_bytes_of_the_oracle(name: str, tmp_path: Path, zig: tuple[str, ...]) -> None:
    model = NETWORKS[name]
    pixels = image(model)
    expected = reference_int8.run(model, pixels[None], keep=True)
    gpu = host_gpu(model, tmp_path / "kernels", zig)
    found = gpu.run(pixels)

    for launch in gpu.plan.launches[:-1]:
        last = launch.step.layers[-1].name
        assert (found[launch.step.name] == expected.activations[last][0]).all(), last
    assert found["classifier"].ravel().tolist() == expected.logits[0].tolist()
