"""Every step of emitted C against the oracle, over the family and over machines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthwise.compiler.targets import Machine
from depthwise.kernels.table import KERNELS
from depthwise.network import reference
from depthwise.network.model import Model
from emitted import AVX, AVX512, NEON, SSE, bordered, named, stepper

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
    size = model.spec.resolution
    pixels = np.random.default_rng(5).integers(0, 256, (1, size, size, model.spec.channels), np.uint8)
    oracle = reference.run(model, pixels, keep=True).activations
    run = stepper(model, machine, tmp_path, zig)
    tolerance = max(kernel.tolerance for kernel in KERNELS)

    for number, step in enumerate(run.emitted.plan.steps):
        run.step(number, pixels)
        found, border = bordered(step.output, run.floats(step.name))
        expected = oracle[step.layers[-1].name][0]
        found, unused = found[..., : expected.shape[-1]], found[..., expected.shape[-1] :]

        worst = np.unravel_index(np.nanargmax(np.abs(found - expected)), expected.shape)
        place = f"{step.name} y, x, channel {worst}: got {found[worst]}, expected {expected[worst]}"
        assert np.abs(found - expected).max() <= tolerance * max(1, np.abs(expected).max()), place
        assert not border.any()
        assert not unused.any()
        assert run.guards_hold(), step.name
