"""Every byte of every layer of emitted int8 C against the oracle, over the family and over machines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from conftest import DataPack
from depthwise.kernels.instructions import Instructions
from depthwise.kernels.machine import Machine
from depthwise.kernels.x86.instructions import AVX2, AVX512VBMI, AVX512VNNI, AVXVNNI
from depthwise.network import reference_int8
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from tools.emitted import AVX, AVX512, NEON, SSE, Stepper, bordered, named, needs_machine, stepper

# Each width, both ends and odd ones of the resolutions, both paddings, both activations, grey and colour, the shallow
# and the standard-convolution twin, other strides; every second one with zero points and rounded logits of its own.
NETWORKS: list[tuple[dict[str, Any], Machine]] = [
    ({"width": 0.25, "resolution": 32}, AVX512),
    ({"width": 0.25, "resolution": 33, "channels": 1, "padding": "same"}, SSE),
    ({"width": 0.5, "resolution": 37, "activation": "relu", "classes": 37}, AVX),
    ({"width": 0.75, "resolution": 97, "padding": "same"}, AVX512),
    ({"width": 1.25, "resolution": 40}, NEON),
    ({"width": 1.0, "resolution": 113, "padding": "same", "activation": "relu"}, AVX512),
    ({"width": 0.25, "resolution": 225}, AVX),
    ({"width": 0.5, "resolution": 45, "shallow": True, "channels": 1}, NEON),
    ({"width": 0.25, "resolution": 49, "convolution": "standard"}, AVX512),
    ({"width": 0.5, "resolution": 38, "convolution": "standard", "padding": "same"}, SSE),
    ({"width": 0.35, "resolution": 35, "unit_strides": (0, 2, 4, 6, 12)}, AVX512),
    ({"width": 0.25, "resolution": 75, "padding": "keras"}, AVX512),
    ({"width": 0.35, "resolution": 51, "padding": "end", "rounding": "cut-off"}, SSE),
    ({"width": 0.1, "resolution": 50, "padding": "keras", "rounding": "cut-off", "convolution": "standard"}, AVX),
]
ROWS: list[tuple[dict[str, Any], Machine]] = [
    ({"width": 0.25, "resolution": 67, "padding": "same"}, AVX512),
    ({"width": 0.25, "resolution": 113, "channels": 1}, SSE),
    ({"width": 0.25, "resolution": 70, "convolution": "standard"}, AVX),
]
# Widths whose channels do not fill vectors, odd rows, zero points of their own, strides and twins.
FOR_X86: list[tuple[dict[str, Any], Instructions, bool]] = [
    ({"width": 0.25, "resolution": 65}, AVX512VNNI, True),
    ({"width": 0.75, "resolution": 97, "padding": "same", "classes": 37}, AVX512VNNI, True),
    ({"width": 0.35, "resolution": 35, "unit_strides": (0, 2, 4, 6, 12), "channels": 1}, AVX512VNNI, True),
    ({"width": 0.5, "resolution": 49, "convolution": "standard", "shallow": True}, AVX512VNNI, False),
    ({"width": 0.25, "resolution": 113}, AVX512VNNI, False),
    ({"width": 0.1, "resolution": 50, "padding": "keras", "rounding": "cut-off"}, AVX2, True),
    ({"width": 0.25, "resolution": 71, "padding": "same"}, AVX512VBMI, True),
    ({"width": 0.25, "resolution": 128}, AVX512VBMI, False),
    ({"width": 0.35, "resolution": 47, "padding": "same"}, AVXVNNI, True),
    ({"width": 0.25, "resolution": 49, "convolution": "standard"}, AVXVNNI, False),
    ({"width": 0.35, "resolution": 47, "padding": "same"}, AVX2, True),
    ({"width": 0.25, "resolution": 49, "convolution": "standard", "channels": 1}, AVX2, False),
]
OF_AVX2 = Machine(lanes=AVX2.lanes, registers=AVX2.registers, features=AVX2.needs)
GRID = [
    ({"width": width, "resolution": resolution, "padding": padding}, machine)
    for width in (0.25, 0.5, 0.75, 1.0, 1.25)
    for resolution, padding, machine in (
        (32, "same", SSE),
        (33, "symmetric", AVX),
        (37, "same", AVX512),
        (64, "symmetric", NEON),
        (97, "symmetric", AVX512),
        (113, "same", SSE),
        (128, "same", AVX512),
        (160, "symmetric", AVX),
        (192, "same", NEON),
        (224, "symmetric", AVX512),
        (225, "same", AVX),
        (256, "symmetric", SSE),
    )
]


def images(spec: Spec) -> NDArray[np.uint8]:
    """All 0, all 255, and noise."""
    shape = (spec.resolution, spec.resolution, spec.channels)
    noise = np.random.default_rng(5).integers(0, 256, shape, np.uint8)
    return np.stack([np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8), noise])


def outputs(run: Stepper, model: QuantizedModel, pixels: NDArray[np.uint8]) -> Iterator[tuple[str, NDArray[Any]]]:
    """The values of each layer by name, as they lie in memory after its step; checks borders and guards.

    Of a depthwise layer only where its block ran over the whole map at once.
    """
    steps = run.emitted.plan.steps
    for number, step in enumerate(steps):
        run.step(number, pixels)
        assert run.guards_hold(), step.name
        first, last = step.layers[0], step.layers[-1]
        if step.kind == "separable" and step.rows == first.output.height:
            rows = run.bytes(f"{step.name}.rows").reshape(-1, step.scratch_step)[:, : first.output.channels]
            yield first.name, rows.reshape(first.output.height, first.output.width, -1)
        found, border = bordered(
            step.output, run.floats(step.name) if last.kind == "classifier" else run.bytes(step.name)
        )
        if number + 1 < len(steps):
            assert (border == model.layers[last.name].zero_point).all(), step.name
        yield last.name, found


def compare(model: QuantizedModel, machine: Machine, folder: Path, zig: tuple[str, ...], *, whole_maps: bool) -> None:
    """Fail at the first layer of the first image that is not the oracle's to the last byte."""
    pixels = images(model.spec)
    oracle = reference_int8.run(model, pixels, keep=True)
    run = stepper(model, machine, folder, zig, whole_maps=whole_maps)
    for number, image in enumerate(pixels):
        seen = set()
        for name, found in outputs(run, model, image):
            seen.add(name)
            if name == "classifier":
                expected = oracle.logits[number].reshape(1, 1, -1)
                assert not found[..., expected.size :].any()
                found = found[..., : expected.size]
            else:
                expected = oracle.activations[name][number]
                # Behind odd numbers of channels lie those that fill up eights.
                found = found[..., : expected.shape[-1]]
            differ = np.argwhere(found != expected)
            assert not len(differ), f"{name}: {len(differ)} values differ, first y, x, channel {differ[0]}"
        assert seen == set(model.layers) or not whole_maps


def random_model(fields: dict[str, Any], *, shifted: bool) -> QuantizedModel:
    spec = Spec(**{"classes": 11, **fields})
    return random_quantized(spec, seed=3, hidden_zero_points=shifted, rounded=shifted)


@pytest.mark.parametrize(("fields", "machine"), NETWORKS, ids=named)
def test_every_layer_equals_the_oracle_to_the_last_byte(
    fields: dict[str, Any], machine: Machine, tmp_path: Path, zig: tuple[str, ...]
) -> None:
    shifted = NETWORKS.index((fields, machine)) % 2 == 1
    compare(random_model(fields, shifted=shifted), machine, tmp_path, zig, whole_maps=True)


@pytest.mark.parametrize(("fields", "machine"), ROWS, ids=named)
def test_rows_by_rows_the_bytes_are_the_same(
    fields: dict[str, Any], machine: Machine, tmp_path: Path, zig: tuple[str, ...]
) -> None:
    compare(random_model(fields, shifted=True), machine, tmp_path, zig, whole_maps=False)


@pytest.mark.parametrize(("fields", "of", "whole_maps"), FOR_X86, ids=named)
def test_kernels_for_x86_give_the_same_bytes(
    fields: dict[str, Any], of: Instructions, whole_maps: bool, tmp_path: Path, zig: tuple[str, ...]
) -> None:
    needs_machine(of, zig)
    machine = Machine(lanes=of.lanes, registers=of.registers, features=of.needs)

    compare(random_model(fields, shifted=whole_maps), machine, tmp_path, zig, whole_maps=whole_maps)


# Kernels of signed bytes, whose wide channels are computed beside them, and those of 16 bits; rows and whole maps.
ZERO_POINTS: list[tuple[dict[str, Any], Machine, bool]] = [
    ({"width": 0.25, "resolution": 67, "padding": "same", "classes": 37}, SSE, False),
    ({"width": 0.35, "resolution": 33, "channels": 1}, AVX512, True),
    ({"width": 0.25, "resolution": 38, "convolution": "standard"}, NEON, True),
    ({"width": 0.35, "resolution": 47, "padding": "same"}, OF_AVX2, True),
]


@pytest.mark.parametrize(("fields", "machine", "whole_maps"), ZERO_POINTS, ids=named)
def test_weights_with_zero_points_give_the_oracles_bytes(
    fields: dict[str, Any], machine: Machine, whole_maps: bool, tmp_path: Path, zig: tuple[str, ...]
) -> None:
    if machine == OF_AVX2:
        needs_machine(AVX2, zig)
    spec = Spec(**{"classes": 11, **fields})
    model = random_quantized(spec, 4, hidden_zero_points=True, rounded=whole_maps, weight_zero_points=True)

    compare(model, machine, tmp_path, zig, whole_maps=whole_maps)


@pytest.mark.slow
@pytest.mark.parametrize("whole_maps", [True, False])
@pytest.mark.parametrize(("fields", "machine"), GRID, ids=named)
def test_every_layer_of_the_whole_grid_equals_the_oracle_to_the_last_byte(
    fields: dict[str, Any], machine: Machine, whole_maps: bool, tmp_path: Path, zig: tuple[str, ...]
) -> None:
    compare(random_model(fields, shifted=whole_maps), machine, tmp_path, zig, whole_maps=whole_maps)


def test_the_wake_words_network_kept_int8_equals_the_oracle_to_the_last_byte(
    data_pack: DataPack, tmp_path: Path, zig: tuple[str, ...]
) -> None:
    tflite = pytest.importorskip(
        "depthwise.interop.tflite", reason="the reader of TFLite files needs depthwise[interop]"
    )
    model = tflite.read_int8(data_pack("models") / "vww_96_int8.tflite")

    compare(model, AVX512, tmp_path, zig, whole_maps=True)
