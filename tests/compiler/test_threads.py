"""Steps that several threads share: every byte is that of one thread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import make_model
from depthwise.kernels.instructions import Instructions
from depthwise.kernels.machine import Machine
from depthwise.kernels.x86.instructions import AVX2, AVX512BF16, AVX512VNNI
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from depthwise.precision import Precision
from tools.emitted import AVX, AVX512, SSE, Stepper, named, needs_machine, stepper

MOST = 4
# Odd maps and maps with fewer rows than threads, channels that fill no vector, both paddings, grey, twins; fewer labels
# than threads.
NETWORKS: list[tuple[dict[str, Any], str, Machine | Instructions]] = [
    ({"width": 0.35, "resolution": 113, "channels": 1, "padding": "same", "shallow": True}, "float32", AVX512),
    ({"width": 0.75, "resolution": 150, "shallow": True}, "float32", AVX512),  # with Strassen's products, in both ways
    ({"width": 0.25, "resolution": 70, "convolution": "standard"}, "float32", AVX512),
    ({"width": 0.35, "resolution": 67}, "bf16", AVX512BF16),
    ({"width": 0.25, "resolution": 65, "padding": "same"}, "kept", SSE),  # weights with zero points, wide channels
    ({"width": 0.35, "resolution": 67, "classes": 2}, "int8", AVX512VNNI),
]
MORE: list[tuple[dict[str, Any], str, Machine | Instructions]] = [
    ({"width": 0.25, "resolution": 65, "classes": 2}, "float32", SSE),
    ({"width": 0.25, "resolution": 145}, "float32", AVX),
    ({"width": 0.75, "resolution": 97, "classes": 37}, "int8", AVX512VNNI),
    ({"width": 0.25, "resolution": 32, "channels": 1}, "int8", AVX512VNNI),
    ({"width": 0.35, "resolution": 67, "unit_strides": (0, 2)}, "int8", AVX2),
    ({"width": 0.25, "resolution": 70, "convolution": "standard", "shallow": True}, "int8", AVX512VNNI),
]


def random_model(fields: dict[str, Any], precision: str) -> Model | QuantizedModel:
    if precision in ("int8", "kept"):
        spec, kept = Spec(**{"classes": 11, **fields}), precision == "kept"
        return random_quantized(spec, seed=3, hidden_zero_points=True, rounded=True, weight_zero_points=kept)
    return make_model(seed=3, labels=[f"label {i}" for i in range(fields.get("classes", 11))], **fields)


def outputs(run: Stepper, pixels: np.ndarray, threads: int = 1) -> dict[str, bytes]:
    """What lies in memory after each step, in an arena of not-a-numbers before the first.

    Where threads share blocks of rows each that has some must use a scratch of its own, and no other is touched.
    """
    run.arena[:] = 0xFF
    found = {}
    for number, step in enumerate(run.emitted.plan.steps):
        if step.split == "blocks" and step.scratch:
            scratch = run.bytes(f"{step.name}.rows").reshape(MOST, -1)
            scratch[:] = 0xFF
            run.step(number, pixels)
            blocks = -(-step.output.shape.height // step.rows)
            ends = [blocks * (index + 1) // threads if index < threads else blocks for index in range(MOST)]
            assert (scratch != 0xFF).any(axis=1).tolist() == (np.diff([0, *ends]) > 0).tolist(), step.name
        else:
            run.step(number, pixels)
        assert run.guards_hold(), step.name
        found[step.name] = run.bytes(step.name).tobytes()
    return found


@pytest.mark.parametrize(
    ("fields", "precision", "of"), [*NETWORKS, *(pytest.param(*row, marks=pytest.mark.slow) for row in MORE)], ids=named
)
def test_every_byte_of_every_step_is_that_of_one_thread(
    fields: dict[str, Any], precision: str, of: Machine | Instructions, tmp_path: Path, zig: tuple[str, ...]
) -> None:
    machine = of
    if isinstance(of, Instructions):
        needs_machine(of, zig)
        machine = Machine(lanes=of.lanes, registers=of.registers, features=of.needs)
    assert isinstance(machine, Machine)
    model = random_model(fields, precision)
    size = model.spec.resolution
    pixels = np.random.default_rng(5).integers(0, 256, (size, size, model.spec.channels), np.uint8)
    wanted: Precision | None = "bf16" if precision == "bf16" else None
    folders = [tmp_path / "one", tmp_path / "many"]
    for folder in folders:
        folder.mkdir()
    expected = outputs(stepper(model, machine, folders[0], zig, precision=wanted), pixels)
    run = stepper(model, machine, folders[1], zig, precision=wanted, threads=MOST)

    for threads in (2, 3, 4, 1, 2):
        assert run.library.dw_set_threads(threads) == threads
        for name, found in outputs(run, pixels, threads).items():
            assert found == expected[name], f"{name} on {threads} threads"
    run.library.dw_set_threads(1)
