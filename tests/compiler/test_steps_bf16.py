"""Every step of emitted bf16 C against the formula in float64 of numbers rounded where bf16 rounds them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from depthwise.compiler.lower.bf16 import balanced, centres, lower_bf16
from depthwise.compiler.lower.lower import Operation, lower
from depthwise.compiler.lower.means import activated_means
from depthwise.compiler.lower.thin import filled, lower_live
from depthwise.compiler.step import Step
from depthwise.kernels.bfloat16 import floats, halves
from depthwise.kernels.machine import Machine
from depthwise.kernels.x86.instructions import AVX512BF16
from depthwise.network.layers import layers
from depthwise.network.live import live
from depthwise.network.model import Model
from tools.emitted import AVX, AVX512, BF16, NEON, SSE, Stepper, bordered, named, needs_machine, stepper

Doubles = NDArray[np.float64]

# Widths whose channels do not fill vectors, odd rows and resolutions, both paddings and activations, grey, twins.
NETWORKS: list[tuple[dict[str, Any], Machine]] = [
    ({"width": 0.25, "resolution": 65}, BF16),
    ({"width": 0.75, "resolution": 97, "padding": "same", "classes": 37}, BF16),
    ({"width": 0.35, "resolution": 35, "unit_strides": (0, 2, 4, 6, 12), "channels": 1}, BF16),
    ({"width": 0.5, "resolution": 49, "convolution": "standard", "shallow": True}, BF16),
    ({"width": 0.5, "resolution": 37, "activation": "relu", "padding": "same"}, AVX),
    ({"width": 0.25, "resolution": 33, "channels": 1}, SSE),
    ({"width": 0.35, "resolution": 51, "padding": "keras", "rounding": "cut-off"}, AVX),
]
MORE: list[tuple[dict[str, Any], Machine]] = [
    ({"width": 1.25, "resolution": 40, "activation": "relu"}, BF16),
    ({"width": 1.0, "resolution": 113, "padding": "same"}, BF16),
    ({"width": 0.5, "resolution": 129}, BF16),
    ({"width": 0.35, "resolution": 40}, NEON),
    ({"width": 0.25, "resolution": 49, "convolution": "standard"}, AVX512),
]
# The same on any machine: a step of bfloat16 where two orders of a sum round apart, of the largest value of a layer.
STEP = 2.0**-7


def rounded(values: Doubles) -> Doubles:
    return floats(halves(values.astype(np.float32))).astype(np.float64)


def layer_of(operation: Operation, x: Doubles) -> Doubles:
    """One operation with an activation on (H, W, C) values, padding included, in float64."""
    layer = operation.layer
    weight, bias = operation.weight.astype(np.float64), operation.bias.astype(np.float64)
    if layer.kernel == 1:
        sums = x @ weight[0] + bias
    else:
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(0, 1))[:: layer.stride, :: layer.stride]
        H, W = layer.output.height, layer.output.width
        if layer.kind == "depthwise":
            sums = np.einsum("yxcij,ijc->yxc", windows[:H, :W], weight.reshape(3, 3, -1)) + bias
        else:
            factors = weight.reshape(3, 3, -1, weight.shape[-1])
            sums = np.einsum("yxcij,ijcn->yxn", windows[:H, :W], factors, optimize=True) + bias
    assert operation.bounds is not None
    return np.asarray(np.clip(sums, operation.bounds.low, operation.bounds.high), np.float64)


def expected_of(step: Step, operations: dict[str, Operation], x: Doubles) -> Doubles:
    """What a step makes of its input, which lies in the arena as numbers of bfloat16, border included."""
    for layer in step.layers[:-1]:
        x = rounded(layer_of(operations[layer.name], x))
    last = operations[step.layers[-1].name]
    if step.kind == "pool":
        return np.asarray(x.mean(axis=(0, 1), keepdims=True), np.float64)
    if step.kind == "classifier":
        return np.asarray(x @ last.weight[0].astype(np.float64) + last.bias, np.float64)
    return layer_of(last, x)


def input_of(step: Step, source: str, run: Stepper, pixels: NDArray[np.uint8], edge: NDArray[Any]) -> Doubles:
    if step.kind == "stem":
        border = step.input.border
        pads = ((border.top, border.bottom), (border.left, border.right), (0, 0))
        return np.pad(rounded(pixels[0].astype(np.float64) - edge), pads)
    if step.kind == "classifier":
        return run.floats(source)[: step.layers[0].input.channels].astype(np.float64).reshape(1, 1, -1)
    found = floats(run.bytes(source).view(np.uint16)).astype(np.float64)
    rows = found.reshape(-1, step.input.row)
    return rows[:, : step.input.row - step.input.apart].reshape(len(rows), -1, step.input.shape.channels)


def zeros_around(step: Step, operations: dict[str, Operation]) -> NDArray[Any]:
    """What stands for 0 in the channels, in turn, in each row."""
    bounds = operations[step.layers[-1].name].bounds
    if bounds is None:
        return np.zeros(0)
    row = np.resize(bounds.low, step.output.row)
    return bordered(step.output, np.tile(row, step.output.size // row.size))[1]


@pytest.mark.parametrize(
    ("fields", "machine"), [*NETWORKS, *(pytest.param(*more, marks=pytest.mark.slow) for more in MORE)], ids=named
)
def test_every_step_is_the_formula_of_its_input_and_writes_nowhere_else(
    fields: dict[str, Any], machine: Machine, small_model: Callable[..., Model], tmp_path: Path, zig: tuple[str, ...]
) -> None:
    if machine is BF16:
        needs_machine(AVX512BF16, zig)
    model = small_model(seed=3, labels=[f"label {i}" for i in range(fields.get("classes", 11))], **fields)
    size = model.spec.resolution
    pixels = np.random.default_rng(5).integers(0, 256, (1, size, size, model.spec.channels), np.uint8)
    lowered = lower_bf16(filled(lower(model)), model, None)
    operations = {operation.layer.name: operation for operation in lowered.operations}
    run = stepper(model, machine, tmp_path, zig, precision="bf16")

    source = ""
    for number, step in enumerate(run.emitted.plan.steps):
        run.step(number, pixels)
        is_float = step.kind in ("pool", "classifier")
        values = run.floats(step.name) if is_float else floats(run.bytes(step.name).view(np.uint16))
        found, border = bordered(step.output, values)
        expected = expected_of(step, operations, input_of(step, source, run, pixels, lowered.edge))
        found, unused = found[..., : expected.shape[-1]], found[..., expected.shape[-1] :]

        worst = np.unravel_index(np.nanargmax(np.abs(found - expected)), expected.shape)
        place = f"{step.name} y, x, channel {worst}: got {found[worst]}, expected {expected[worst]}"
        tolerance = 1e-5 if is_float else STEP
        assert np.abs(found - expected).max() <= tolerance * max(1, np.abs(expected).max()), place
        assert border == pytest.approx(zeros_around(step, operations))
        assert not unused.any()
        assert run.guards_hold(), step.name
        source = step.name


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
