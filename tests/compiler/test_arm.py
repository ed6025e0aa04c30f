"""The kernels for ARM on emulated processors: every byte of every layer is the oracle's, at every level."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from conftest import make_model
from depthwise.compiler.compile import Emitted, compile_model, emit
from depthwise.compiler.outputs.compilers import compiler
from depthwise.compiler.step import Step
from depthwise.compiler.targets import at_level, target
from depthwise.kernels import headers
from depthwise.kernels.arm.levels import LEVELS
from depthwise.kernels.arm.ways import way
from depthwise.kernels.weights import Rounding, Weights
from depthwise.network import reference, reference_int8
from depthwise.network.layers import Layer
from depthwise.network.layers import layers as table_of
from depthwise.network.quantized import QuantizedLayer, QuantizedModel, reach
from depthwise.network.random_int8 import random_quantized
from depthwise.network.reference_int8 import Result
from depthwise.network.requantize import choose_multiplier
from depthwise.network.spec import Spec
from tools.emitted import build
from tools.emulated import Emulated, built, needs, run

LEVELS_C = Path(__file__).parents[1] / "tools" / "levels.c"
LESS = 128
# A processor that has a level and none above it, and what runs the levels below it too.
PROCESSORS = {"neon": "cortex-a72", "dotprod": "cortex-a76", "i8mm": "max,sve=off,sme=off"}
# Odd maps, channels by eights and by sixteens, both paddings, one channel, the standard twin, other strides. The five
# blocks that are alike are left out: others have their functions too.
NETWORKS: dict[str, dict[str, Any]] = {
    "plain": {"width": 0.25, "resolution": 96, "shallow": True},
    "odd": {"width": 0.35, "resolution": 75, "padding": "same", "shallow": True},
    "grey": {"width": 0.5, "resolution": 45, "channels": 1, "shallow": True},
    "twin": {"width": 0.25, "resolution": 49, "convolution": "standard", "shallow": True},
    "strides": {
        "width": 0.35, "resolution": 35, "unit_strides": (0, 2, 4, 6, 12), "padding": "keras", "shallow": True,
    },
}  # fmt: skip
LEVEL_NAMES = [level.name for level in LEVELS]


@cache
def network(name: str, kind: str) -> QuantizedModel:
    """A network of random numbers: with zero points and clamps as imported ones have, full of ties, or as quantised.

    Those have multipliers with integer forms of even factors.
    """
    imported = kind == "imported"
    model = random_quantized(Spec(classes=11, **NETWORKS[name]), 7, hidden_zero_points=imported, rounded=imported)
    layers = {key: replace(row, weight=np.maximum(row.weight, -127)) for key, row in model.layers.items()}
    if kind == "ties":
        layers = {key: with_ties(row, number) for number, (key, row) in enumerate(layers.items())}
    if kind == "quantised":
        layers = {
            layer.name: with_integer_forms(layer, layers[layer.name], number)
            for number, layer in enumerate(table_of(model.spec))
        }
    return model.replace(layers=layers)


def with_ties(row: QuantizedLayer, number: int) -> QuantizedLayer:
    """A layer whose products often lie in the middle of two bytes, with zero points that are even and odd in turn."""
    if not row.rounded:
        return row
    return replace(row, multiplier=np.exp2(np.round(np.log2(row.multiplier))), zero_point=number)


def with_integer_forms(layer: Layer, row: QuantizedLayer, number: int) -> QuantizedLayer:
    """A layer with multipliers as `depthwise quantize` chooses them, and zero points that are even and odd in turn."""
    if not row.rounded:
        return row
    moved = replace(row, zero_point=number)
    return replace(moved, multiplier=choose_multiplier(row.multiplier, reach(layer, moved)).multiplier)


def images(spec: Spec) -> NDArray[np.uint8]:
    """All 0, all 255, and noise."""
    shape = (spec.resolution, spec.resolution, spec.channels)
    noise = np.random.default_rng(5).integers(0, 256, shape, np.uint8)
    return np.stack([np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8), noise])


def emitted_at(model: QuantizedModel, level: str) -> Emitted:
    machine = next(row.machine for row in LEVELS if row.name == level)
    return emit(model, target_name="test", machine=machine)


def plain(values: NDArray[np.uint8], step: Step) -> NDArray[np.uint8]:
    """Bytes of docs/int8.md of those that lie in memory."""
    return values ^ np.uint8(LESS) if step.output.layout.stored == "signed" else values


def in_map(step: Step, values: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(H, W, C) of a step's output, and all of its border and between rows."""
    shape, border = step.output.shape, step.output.border
    rows = values.reshape(border.top + shape.height + border.bottom, step.output.row)
    inside = np.zeros(rows.shape, bool)
    start = border.left * shape.channels
    inside[border.top : border.top + shape.height, start : start + shape.width * shape.channels] = True
    return rows[inside].reshape(shape.height, shape.width, shape.channels), rows[~inside]


def compare(model: QuantizedModel, oracle: Result, found: Emulated) -> None:
    """Fail at the first layer of the first image that is not the oracle's to the last byte."""
    assert found.guards_hold()
    for number, step in enumerate(found.emitted.plan.steps[:-1]):
        layer = step.layers[-1]
        for image, expected in enumerate(oracle.activations[layer.name]):
            values, border = in_map(step, plain(found.bytes(image, number, step.name), step))
            assert (border == model.layers[layer.name].zero_point).all(), layer.name
            differ = np.argwhere(values[..., : expected.shape[-1]] != expected)
            assert not len(differ), f"{layer.name}: {len(differ)} values differ, first y, x, channel {differ[0]}"
    last = len(found.emitted.plan.steps) - 1
    for image, expected in enumerate(oracle.logits):
        logits = found.bytes(image, last, found.emitted.plan.steps[-1].name).view(np.float32)
        assert (logits[: expected.size] == expected).all()
        assert not logits[expected.size :].any()


# All levels round to bytes in their own way; what else differs is tried at one level or two.
CASES = (
    *(("plain", "own", level) for level in LEVEL_NAMES),
    *(("odd", "ties", level) for level in LEVEL_NAMES),
    *(("odd", "quantised", level) for level in LEVEL_NAMES),
    ("odd", "imported", "neon"),
    ("odd", "imported", "i8mm"),
    ("grey", "imported", "dotprod"),
    ("twin", "own", "neon"),
    ("strides", "own", "dotprod"),
)


@pytest.mark.parametrize(("name", "kind", "level"), CASES)
def test_every_byte_of_every_layer_is_the_oracles(name: str, kind: str, level: str, tmp_path: Path) -> None:
    needs("qemu-aarch64")
    model = network(name, kind)
    pixels = images(model.spec)
    oracle = reference_int8.run(model, pixels, keep=True)
    emitted = emitted_at(model, level)
    # A pool has one way; all other layers that round have the cheapest.
    assert kind != "quantised" or {w for step in emitted.plan.steps for w in step.ways} == {"", "doubled"}
    program = built(emitted, len(pixels), compiler(at_level(target("linux-aarch64"), level), None).command, tmp_path)

    above = LEVEL_NAMES[LEVEL_NAMES.index(level) :]
    for processor in above if name == "plain" else above[:1]:
        compare(model, oracle, run(emitted, program, ("qemu-aarch64", "-cpu", PROCESSORS[processor]), pixels))


@pytest.mark.parametrize(
    ("name", "kind"), [("odd", "imported"), ("odd", "ties"), ("odd", "quantised"), ("grey", "own")]
)
def test_every_byte_of_every_layer_is_the_oracles_on_32_bits(name: str, kind: str, tmp_path: Path) -> None:
    needs("qemu-arm")
    model = network(name, kind)
    pixels = images(model.spec)
    oracle = reference_int8.run(model, pixels, keep=True)
    row = target("linux-armv7")
    assert row.machine is not None
    emitted = emit(model, target_name="test", machine=row.machine)
    program = built(emitted, len(pixels), compiler(row, None).command, tmp_path, row.link)

    assert {kernel.instructions.name for step in emitted.plan.steps for kernel in step.kernels} == {"neon"}
    # One without fused products, and one that has all that 32-bit ARM can have.
    for processor in ("cortex-a9", "max") if kind == "quantised" else ("cortex-a9",):
        compare(model, oracle, run(emitted, program, ("qemu-arm", "-cpu", processor), pixels))


@pytest.mark.parametrize("name", ["odd", "strides"])
def test_every_float_of_every_layer_is_the_oracles_within_a_hundred_thousandth(name: str, tmp_path: Path) -> None:
    needs("qemu-aarch64")
    spec = {key: value for key, value in NETWORKS[name].items() if key in ("width", "resolution", "padding", "shallow")}
    model = make_model(seed=3, labels=tuple("abcdefghijk"), **spec)
    pixels = images(model.spec)
    oracle = reference.run(model, pixels, keep=True)
    emitted = emit(model, target_name="test", machine=LEVELS[0].machine)
    program = built(emitted, len(pixels), compiler(at_level(target("linux-aarch64"), "neon"), None).command, tmp_path)
    found = run(emitted, program, ("qemu-aarch64", "-cpu", PROCESSORS["neon"]), pixels)

    assert found.guards_hold()
    for number, step in enumerate(emitted.plan.steps[:-1]):
        expected = oracle.activations[step.layers[-1].name]
        for image in range(len(pixels)):
            values, border = in_map(step, found.bytes(image, number, step.name).view(np.float32))
            assert not border.any()
            assert values[..., : expected.shape[-1]] == pytest.approx(
                expected[image], abs=1e-5 * np.abs(expected).max()
            )


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that tells of the levels of an artifact, with the artifact beside it."""
    needs("qemu-aarch64", "aarch64-linux-gnu-gcc")
    folder = tmp_path_factory.mktemp("arm")
    compile_model(network("odd", "own"), target="linux-aarch64", out=folder / "model.so")
    flags = ("-O1", "-ffreestanding", "-fno-tree-loop-distribute-patterns", "-nostdlib", "-rdynamic")
    include = f"-I{headers.INTERFACE.parent}"
    build(("aarch64-linux-gnu-gcc", *flags, include, str(LEVELS_C), "./model.so", "-o", "program"), folder)
    return folder / "program"


@pytest.mark.parametrize(
    ("cpu", "has"),
    [
        ("cortex-a53", 1),
        ("cortex-a72", 1),
        ("a64fx", 1),  # has SVE, and no dot products
        ("cortex-a76", 2),
        ("neoverse-n1", 2),
        ("max,sve=off,sme=off", 3),
    ],
)
def test_each_processor_picks_its_level_and_the_golden_cases_hold_at_all_that_it_has(
    cpu: str, has: int, program: Path
) -> None:
    command = ("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", "-cpu", cpu, program.name)
    done = subprocess.run(command, cwd=program.parent, capture_output=True, text=True, check=False)

    assert done.stdout.splitlines() == [
        f"in use {LEVEL_NAMES[has - 1]}",
        *(f"{level} {'holds' if number < has else 'lacking'}" for number, level in enumerate(LEVEL_NAMES)),
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "added"),
        ({"zero_point": 6}, "added"),
        ({"zero_point": 7}, "converted"),
        ({"low": 1}, "converted"),
        ({"high": 254}, "converted"),
        ({"multiplier": np.array([1.0], np.float32)}, "converted"),
        ({"even": np.array([1 << 25])}, "doubled"),
        ({"even": np.array([1 << 25]), "zero_point": 7}, "doubled"),
        ({"even": np.array([1 << 25]), "low": 1}, "converted"),
        ({"even": np.array([-1])}, "added"),
    ],
)
def test_rounding_is_in_the_cheapest_way_that_is_proven(change: dict[str, Any], expected: str) -> None:
    usual = {"multiplier": np.array([2**-7], np.float32), "scale": np.ones(1, np.float32), "zero_point": 0}
    rounding = Rounding(**{**usual, "low": 0, "high": 255, "rounded": True, **change})
    factors = np.full((100, 1), 100, np.int8)

    assert way(Weights(weight=factors, bias=np.zeros(1, np.int32), rounding=rounding)) == expected


@pytest.mark.parametrize(("bias", "expected"), [((1 << 22) - 2550001, "added"), ((1 << 22) - 2550000, "converted")])
def test_a_sum_that_float32_would_round_is_not_rounded_by_addition(bias: int, expected: str) -> None:
    rounding = Rounding(
        multiplier=np.array([2**-14], np.float32),
        scale=np.ones(1, np.float32),
        zero_point=0,
        low=0,
        high=255,
        rounded=True,
    )
    # The largest sum is 255 * 100 * 100 above the bias.
    weights = Weights(weight=np.full((100, 1), 100, np.int8), bias=np.array([bias], np.int32), rounding=rounding)

    assert way(weights) == expected


@pytest.mark.parametrize(("level", "one_is_lost"), [("neon", True), ("dotprod", False)])
def test_a_factor_of_minus_128_is_for_dot_products_alone(level: str, one_is_lost: bool) -> None:
    model = network("plain", "own")
    name = "blocks.0.0.conv_pw"
    weight = model.layers[name].weight.copy()
    weight.flat[0] = -128
    wounded = model.replace(layers={**model.layers, name: replace(model.layers[name], weight=weight)})
    found = emitted_at(wounded, level)

    assert ({kernel.instructions.name for step in found.plan.steps for kernel in step.kernels} == {""}) == one_is_lost


def test_a_network_whose_factors_are_no_signed_bytes_runs_in_portable_c() -> None:
    model = random_quantized(Spec(width=0.25, resolution=32, classes=3), weight_zero_points=True)
    found = emitted_at(model, "i8mm")

    assert {kernel.instructions.name for step in found.plan.steps for kernel in step.kernels} == {""}
