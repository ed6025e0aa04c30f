"""Every step of emitted C against the oracle, over the family and over machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from depthwise.compiler.step import Step
from depthwise.kernels.machine import Machine
from depthwise.network import reference
from depthwise.network.model import Model
from tools.emitted import AVX, AVX512, NEON, SSE, Stepper, bordered, named, stepper

NETWORKS: list[tuple[dict[str, Any], Machine]] = [
    ({"width": 0.25, "resolution": 32}, AVX512),
    ({"width": 0.25, "resolution": 33}, SSE),
    ({"width": 0.5, "resolution": 63, "activation": "relu"}, AVX),
    ({"width": 0.75, "resolution": 47, "padding": "same"}, AVX512),
    ({"width": 1.25, "resolution": 40, "padding": "same"}, NEON),
    ({"width": 0.35, "resolution": 50, "channels": 1}, AVX512),
    ({"width": 1.0, "resolution": 97, "classes": 37}, AVX512),
    ({"width": 0.5, "resolution": 64, "unit_strides": (0,)}, AVX512),
    ({"width": 0.25, "resolution": 35, "unit_strides": (0, 2, 4, 6, 12)}, AVX),
    ({"width": 0.5, "resolution": 45, "shallow": True, "padding": "same", "channels": 1}, NEON),
    ({"width": 0.25, "resolution": 49, "convolution": "standard"}, AVX512),
    ({"width": 0.5, "resolution": 38, "convolution": "standard", "padding": "same", "activation": "relu"}, SSE),
    ({"width": 0.25, "resolution": 224}, AVX),
    ({"width": 0.25, "resolution": 75, "padding": "keras"}, AVX512),
    ({"width": 0.35, "resolution": 51, "padding": "end", "rounding": "cut-off"}, SSE),
    ({"width": 0.1, "resolution": 50, "padding": "keras", "rounding": "cut-off", "convolution": "standard"}, AVX),
]


@pytest.mark.parametrize(("fields", "machine"), NETWORKS, ids=named)
def test_every_step_equals_the_oracle_and_writes_nowhere_else(
    fields: dict[str, Any],
    machine: Machine,
    small_model: Callable[..., Model],
    tmp_path: Path,
    zig: tuple[str, ...],
) -> None:
    model = small_model(seed=3, labels=[f"label {i}" for i in range(fields.get("classes", 11))], **fields)
    pixels = random_pixels(model)
    oracle = reference.run(model, pixels, keep=True).activations
    run = stepper(model, machine, tmp_path, zig)

    for number, step in enumerate(run.emitted.plan.steps):
        run.step(number, pixels)
        assert not difference(run, step, oracle)
        assert run.guards_hold(), step.name


def test_weights_of_one_layer_that_are_wrong_by_a_ten_thousandth_are_found(
    small_model: Callable[..., Model], tmp_path: Path, zig: tuple[str, ...]
) -> None:
    model = small_model(seed=3)
    name = "blocks.2.0.conv_pw.weight"
    wrong = model.replace(weights={**model.weights, name: model.weights[name] * np.float32(1.0001)})
    pixels = random_pixels(model)
    oracle = reference.run(model, pixels, keep=True).activations
    run = stepper(wrong, AVX512, tmp_path, zig)

    holds = {}
    for number, step in enumerate(run.emitted.plan.steps):
        run.step(number, pixels)
        holds[step.name] = not difference(run, step, oracle)
    assert [name for name, right in holds.items() if right] == ["conv_stem", "blocks.0.0", "blocks.1.0", "blocks.1.1"]


def random_pixels(model: Model) -> NDArray[np.uint8]:
    size = model.spec.resolution
    return np.random.default_rng(5).integers(0, 256, (1, size, size, model.spec.channels), np.uint8)


def difference(run: Stepper, step: Step, oracle: Mapping[str, NDArray[Any]]) -> str:
    """What a step that was run gave and should not have, within what its own kernels may differ by; or nothing."""
    found, border = bordered(step.output, run.floats(step.name))
    expected = oracle[step.layers[-1].name][0]
    found, unused = found[..., : expected.shape[-1]], found[..., expected.shape[-1] :]
    if border.any() or unused.any():
        return f"{step.name}: something around the output is not 0"
    tolerance = max(kernel.tolerance for kernel in step.kernels) * max(1, np.abs(expected).max())
    # What is not a number is no smaller than the tolerance either.
    wrong = ~(np.abs(found - expected) <= tolerance)
    if not wrong.any():
        return ""
    worst = np.unravel_index(np.argmax(np.where(np.isnan(found), np.inf, np.abs(found - expected))), expected.shape)
    return f"{step.name} y, x, channel {worst}: got {found[worst]}, expected {expected[worst]} within {tolerance:.2g}"
