"""Kernels for GPUs, run on this processor, against the oracle: every byte of int8, and float16 within its rounding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from depthwise.compiler.gpu.grid import separable
from depthwise.kernels.cuda.rows import KERNELS
from depthwise.kernels.headers import headers
from depthwise.network import reference, reference_int8
from depthwise.network.description import Described
from depthwise.network.model import Model
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


def image(model: Described) -> np.ndarray:
    side, channels = model.spec.resolution, model.spec.channels
    return np.random.default_rng(5).integers(0, 256, (side, side, channels), np.uint8)


# Threads of a block that run from the last to the first: nothing hangs on their order between two meetings.
BACKWARDS = ("-DDWK_BACKWARDS",)
# Of the largest value of a step: 11 bits of float16, and the roundings of all steps before.
CLOSE = 4e-3


@pytest.mark.parametrize(("name", "more"), [("odd", ()), ("wide", BACKWARDS)])
def test_every_step_gives_the_bytes_of_the_oracle(
    name: str, more: tuple[str, ...], tmp_path: Path, zig: tuple[str, ...]
) -> None:
    model = NETWORKS[name]
    pixels = image(model)
    expected = reference_int8.run(model, pixels[None], keep=True)
    gpu = host_gpu(model, tmp_path / "kernels", zig, more=more)
    found = gpu.run(pixels)

    for launch in gpu.plan.launches[:-1]:
        last = launch.step.layers[-1].name
        assert (found[launch.step.name] == expected.activations[last][0]).all(), last
    assert found["classifier"].ravel().tolist() == expected.logits[0].tolist()


def test_every_step_in_float16_is_near_the_oracle(
    small_model: Callable[..., Model], tmp_path: Path, zig: tuple[str, ...]
) -> None:
    """A map of one pixel at the end, no end of the activation, and a depthwise layer padded on one side alone."""
    model = small_model(width=0.35, resolution=33, classes=37, padding="same", activation="relu", shallow=True)
    pixels = image(model)
    expected = reference.run(model, pixels[None], keep=True)
    gpu = host_gpu(model, tmp_path / "kernels", zig, more=BACKWARDS)
    found = gpu.run(pixels)

    for launch in gpu.plan.launches:
        last = launch.step.layers[-1].name
        wanted = expected.logits[0] if last == "classifier" else expected.activations[last][0]
        off = np.abs(found[launch.step.name].astype(np.float64).reshape(wanted.shape) - wanted).max()
        assert off <= CLOSE * np.abs(wanted).max(), last


def test_a_sum_beyond_the_largest_float16_becomes_that(
    small_model: Callable[..., Model], tmp_path: Path, zig: tuple[str, ...]
) -> None:
    """Without an end of the activation nothing else keeps it from infinity, of which a later layer makes no number."""
    model = small_model(activation="relu", shallow=True)
    model.weights["bn1.bias"][0] = 1e6
    gpu = host_gpu(model, tmp_path / "kernels", zig)

    found = gpu.run(image(model))
    assert (found["conv_stem"][..., 0] == 65504).all()
    assert all(np.isfinite(values).all() for values in found.values())


@pytest.mark.parametrize(
    ("pixels", "channels", "outputs", "value"),
    [(12544, 32, 64, 1), (1, 1024, 1024, 4), (49, 1024, 8, 4), (3136, 8192, 8192, 4), (9, 8, 24, 1)],
)
def test_a_block_has_room_for_what_it_shares_and_blocks_cover_every_output(
    pixels: int, channels: int, outputs: int, value: int
) -> None:
    tile, grid = separable(pixels, channels, outputs, value)

    assert tile.pixels * channels * value <= 48 * 1024
    assert tile.outputs * tile.groups == grid.threads <= 128
    assert grid.blocks_x * tile.pixels >= pixels > (grid.blocks_x - 1) * tile.pixels
    assert grid.blocks_y * tile.outputs >= outputs > (grid.blocks_y - 1) * tile.outputs


def test_every_kernel_has_its_header_and_stands_on_the_page_of_names() -> None:
    page = (Path(__file__).parents[2] / "docs" / "kernel-names.md").read_text(encoding="utf-8")

    assert {kernel.header for kernel in KERNELS.values()} <= headers().keys()
    assert [kernel.header for kernel in KERNELS.values() if f"`{Path(kernel.header).stem}`" not in page] == []
