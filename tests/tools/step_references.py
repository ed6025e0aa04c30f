"""What the steps of emitted C must leave in the arena: the reference of the tests of steps, a row a precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from depthwise.compiler.lower.bf16 import lower_bf16
from depthwise.compiler.lower.lower import Operation, lower
from depthwise.compiler.lower.thin import filled
from depthwise.compiler.step import Step
from depthwise.kernels.bfloat16 import floats, halves
from depthwise.network import reference, reference_int8
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.network.spec import Spec
from depthwise.precision import Precision
from tools.emitted import Stepper, bordered

Array = NDArray[Any]
Pixels = NDArray[np.uint8]
Doubles = NDArray[np.float64]

# bf16: two orders of a sum may fall on both sides of a half; of the largest value of a layer.
BF16_STEP = 2.0**-7
SUMS = 1e-5


class Reference(Protocol):
    """What is right for a network and images."""

    def difference(self, run: Stepper, number: int, image: int) -> str:
        """What a step that was just run left and should not have, in one sentence; nothing where it is right."""


def noise(spec: Spec) -> Pixels:
    """One random image."""
    return np.random.default_rng(5).integers(0, 256, (1, spec.resolution, spec.resolution, spec.channels), np.uint8)


def extremes_and_noise(spec: Spec) -> Pixels:
    """All 0, all 255, and a random image."""
    image = noise(spec)
    return np.concatenate([np.zeros_like(image), np.full_like(image, 255), image])


def worst(name: str, found: Array, expected: Array, tolerance: float) -> str:
    """Where values differ most, if by more than the tolerance; what is not a number differs."""
    off = np.abs(found.astype(np.float64) - expected)
    if (off <= tolerance).all():
        return ""
    at = np.unravel_index(np.argmax(np.where(np.isnan(off), np.inf, off)), off.shape)
    return (
        f"{name} y, x, channel {tuple(map(int, at))}: got {found[at]}, expected {expected[at]} within {tolerance:.2g}"
    )


class Float32:
    """The oracle, within what the step's own kernels may differ by."""

    def __init__(self, model: Model, pixels: Pixels) -> None:
        """Compute every activation."""
        self._oracle = reference.run(model, pixels, keep=True).activations

    def difference(self, run: Stepper, number: int, image: int) -> str:
        """The output of a step, and zeros around it and behind its channels."""
        step = run.emitted.plan.steps[number]
        found, border = bordered(step.output, run.floats(step.name))
        expected = self._oracle[step.layers[-1].name][image]
        found, unused = found[..., : expected.shape[-1]], found[..., expected.shape[-1] :]
        if border.any() or unused.any():
            return f"{step.name}: something around the output is not 0"
        tolerance = max(kernel.tolerance for kernel in step.kernels)
        return worst(step.name, found, expected, tolerance * max(1, np.abs(expected).max()))


class Int8:
    """The oracle, to the last byte; of a depthwise layer where its block ran over the whole map at once."""

    def __init__(self, model: QuantizedModel, pixels: Pixels) -> None:
        """Compute every activation."""
        self._model = model
        self._oracle = reference_int8.run(model, pixels, keep=True)

    def difference(self, run: Stepper, number: int, image: int) -> str:
        """The output of a step and what is between its layers, and the zero point around it."""
        step = run.emitted.plan.steps[number]
        first, last = step.layers[0], step.layers[-1]
        if step.kind == "classifier":
            return self._logits(step, run.floats(step.name), image)
        found, border = bordered(step.output, run.bytes(step.name))
        if (border != self._model.layers[last.name].zero_point).any():
            return f"{step.name}: something around the output is not the zero point"
        if step.kind == "separable" and step.rows == first.output.height:
            rows = run.bytes(f"{step.name}.rows").reshape(-1, step.scratch_step)[:, : first.output.channels]
            between = rows.reshape(first.output.height, first.output.width, -1)
            if said := self._layer(first.name, between, image):
                return said
        return self._layer(last.name, found, image)

    def _layer(self, name: str, found: Array, image: int) -> str:
        expected = self._oracle.activations[name][image]
        # Behind odd numbers of channels lie those that fill up eights.
        return worst(name, found[..., : expected.shape[-1]], expected, 0)

    def _logits(self, step: Step, found: Array, image: int) -> str:
        expected = self._oracle.logits[image]
        if found[expected.size :].any():
            return f"{step.name}: something behind the last label is not 0"
        return worst(step.name, found[: expected.size], expected, 0)


class BFloat16:
    """The formula in float64, of what the step before left: numbers rounded where bf16 rounds them."""

    def __init__(self, model: Model, pixels: Pixels) -> None:
        """Lower the network."""
        lowered = lower_bf16(filled(lower(model)), model, None)
        self._pixels, self._edge = pixels, lowered.edge
        self._operations = {operation.layer.name: operation for operation in lowered.operations}

    def difference(self, run: Stepper, number: int, image: int) -> str:
        """The output of a step; around it what stands for 0 in each channel, behind its channels 0."""
        step = run.emitted.plan.steps[number]
        is_float = step.kind in ("pool", "classifier")
        values = run.floats(step.name) if is_float else floats(run.bytes(step.name).view(np.uint16))
        found, border = bordered(step.output, values)
        expected = self._expected(step, self._input(run, number, image))
        found, unused = found[..., : expected.shape[-1]], found[..., expected.shape[-1] :]
        if unused.any() or (border != self._zeros_around(step)).any():
            return f"{step.name}: something around the output is not what stands for 0"
        tolerance = SUMS if is_float else BF16_STEP
        return worst(step.name, found, expected, tolerance * max(1, np.abs(expected).max()))

    def _input(self, run: Stepper, number: int, image: int) -> Doubles:
        """(H, W, C) with the border, as it lies in the arena."""
        step = run.emitted.plan.steps[number]
        if step.kind == "stem":
            border = step.input.border
            pads = ((border.top, border.bottom), (border.left, border.right), (0, 0))
            return np.pad(_rounded(self._pixels[image].astype(np.float64) - self._edge), pads)
        source = run.emitted.plan.steps[number - 1].name
        if step.kind == "classifier":
            return run.floats(source)[: step.layers[0].input.channels].astype(np.float64).reshape(1, 1, -1)
        rows = floats(run.bytes(source).view(np.uint16)).astype(np.float64).reshape(-1, step.input.row)
        return rows[:, : step.input.row - step.input.apart].reshape(len(rows), -1, step.input.shape.channels)

    def _expected(self, step: Step, x: Doubles) -> Doubles:
        for layer in step.layers[:-1]:
            x = _rounded(_layer(self._operations[layer.name], x))
        last = self._operations[step.layers[-1].name]
        if step.kind == "pool":
            return np.asarray(x.mean(axis=(0, 1), keepdims=True), np.float64)
        if step.kind == "classifier":
            return np.asarray(x @ last.weight[0].astype(np.float64) + last.bias, np.float64)
        return _layer(last, x)

    def _zeros_around(self, step: Step) -> Array:
        bounds = self._operations[step.layers[-1].name].bounds
        if bounds is None:
            return np.zeros(0)
        row = np.resize(bounds.low, step.output.row)
        return bordered(step.output, np.tile(row, step.output.size // row.size))[1]


def _rounded(values: Doubles) -> Doubles:
    return floats(halves(values.astype(np.float32))).astype(np.float64)


def _layer(operation: Operation, x: Doubles) -> Doubles:
    """One operation with an activation on (H, W, C) values, padding included."""
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


# By precision: the images that are tried, and what is right for them.
REFERENCES: dict[Precision, tuple[Callable[[Spec], Pixels], Callable[[Any, Pixels], Reference]]] = {
    "float32": (noise, Float32),
    "bf16": (noise, BFloat16),
    "int8": (extremes_and_noise, Int8),
}
