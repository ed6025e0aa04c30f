"""An int8 model as a TFLite file of int8 per channel, with the very same integers (docs/int8.md).

The format has one scale for a whole activation where ours has one a channel. That changes no byte: a scale is used only
to make multipliers, so any will do for the activation when the scales of the weights make up for it.
"""

from __future__ import annotations

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.grids import check_logits, described, exceptions, grids, is_mean, restated, steps
from depthwise.interop.tflite import metadata
from depthwise.interop.tflite.builder import Graph, Grid
from depthwise.interop.tflite.writer import finished, padded
from depthwise.network.layers import Layer, layers
from depthwise.network.quantized import QuantizedLayer, QuantizedModel
from depthwise.network.spec import ACTIVATIONS

# Versions from which the operators know int8, per channel where they have weights.
VERSIONS = {
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "DEQUANTIZE": 5,
    "FULLY_CONNECTED": 4,
    "PAD": 2,
    "SOFTMAX": 2,
}
SIGNED_BY = 128


def build(model: QuantizedModel, name: str) -> bytes:
    """The bytes of the file; the same model gives the same bytes.

    The input "image" is (1, H, W, C) int8, pixels less 128. The output "probabilities" is (1, classes), int8 where the
    model rounds its logits, float32 where it does not: its last layer is then computed in float from int8 weights.

    Raises: Refused, when the format cannot say what a layer does.
    """
    if any(numbers.weight_zero_point for numbers in model.layers.values()):
        raise Refused("its weights have zero points, which int8 TFLite has not; write .onnx, which has them")
    model = described(model)
    rows, found = layers(model.spec), grids(model)
    graph = Graph(VERSIONS)
    first = rows[0].input
    shape = (1, first.height, first.width, first.channels)
    value = graph.tensor(metadata.INPUT_NAME, shape, grid=_grid(found["input"]))
    graph.inputs, before = [value], found["input"]
    for layer in rows:
        after = found[layer.name]
        try:
            value = _layer(graph, model, layer, value, before, after)
        except Refused as refusal:
            raise Refused(f"layer {layer.name}: {refusal}") from None
        before = after
    rounded = model.layers["classifier"].rounded
    grid = Grid(scales=np.array([1 / 256]), zero=-SIGNED_BY) if rounded else None
    result = graph.tensor(metadata.OUTPUT_NAME, (1, model.spec.classes), grid=grid)
    graph.operator("SOFTMAX", [value], [result], Beta=1.0)
    graph.outputs = [result]
    return finished(graph, model, name, multipliers=exceptions(model))


def _layer(
    graph: Graph,
    model: QuantizedModel,
    layer: Layer,
    value: int,
    before: tuple[float, int],
    after: tuple[float, int],
) -> int:
    numbers = model.layers[layer.name]
    match layer.kind:
        case "pool":
            return _pool(graph, layer, numbers, value, before, after)
        case "classifier" if not numbers.rounded:
            return _unrounded(graph, layer, numbers, value, before)
        case "classifier":
            check_logits(numbers)
            inputs = [value, *_constants(graph, layer, numbers, before, after)]
            result = graph.tensor("logits", (1, layer.output.channels), grid=_grid(after))
            graph.operator("FULLY_CONNECTED", inputs, [result])
            return result
    value, padding = padded(graph, layer, value, _grid(before))
    inputs = [value, *_constants(graph, layer, numbers, before, after)]
    out = (1, layer.output.height, layer.output.width, layer.output.channels)
    result = graph.tensor(layer.name, out, grid=_grid(after))
    activation = _activation(model.spec.activation, numbers, after)
    graph.convolution(layer, inputs, result, padding=padding, activation=activation)
    return result


def _activation(activation: str, numbers: QuantizedLayer, after: tuple[float, int]) -> str:
    """The schema's name of what clamps to the layer's limits."""
    scale, zero = after
    limits = {
        "RELU6": (zero, min(255, zero + round(ACTIVATIONS["relu6"] / scale))),
        "RELU": (zero, 255),
        "NONE": (0, 255),
    }
    for name in (activation.upper(), *limits):
        if limits[name] == (numbers.low, numbers.high):
            return name
    raise Refused(f"it clamps to {numbers.low} and {numbers.high}, which is no activation of TFLite's")


def _pool(
    graph: Graph,
    layer: Layer,
    numbers: QuantizedLayer,
    value: int,
    before: tuple[float, int],
    after: tuple[float, int],
) -> int:
    """A mean where it is one, or else a depthwise convolution with weights of 1, which has scales of its own."""
    side, N = layer.kernel, layer.output.channels
    result = graph.tensor(layer.name, (1, 1, 1, N), grid=_grid(after))
    window = {"StrideH": side, "StrideW": side}
    # TFLite's mean cannot change the scale.
    if before == after and is_mean(layer, numbers, before, after, halves_up=True):
        graph.operator(
            "AVERAGE_POOL_2D", [value], [result], Padding="VALID", FilterHeight=side, FilterWidth=side, **window
        )
    else:
        inputs = [value, *_constants(graph, layer, numbers, before, after)]
        activation = _activation("none", numbers, after)
        graph.operator(
            "DEPTHWISE_CONV_2D",
            inputs,
            [result],
            Padding="VALID",
            DepthMultiplier=1,
            FusedActivationFunction=activation,
            **window,
        )
    flat = graph.tensor("features", (1, N), grid=_grid(after))
    graph.operator("RESHAPE", [result, graph.tensor("features/shape", (2,), np.array([1, N], np.int32))], [flat])
    return flat


def _unrounded(graph: Graph, layer: Layer, numbers: QuantizedLayer, value: int, before: tuple[float, int]) -> int:
    """A classifier in float, with the int8 weights that the file holds."""
    C, N = layer.input.channels, layer.output.channels
    scales = steps(numbers.multiplier, before[0], 1.0)
    floats, weight = graph.tensor("features/real", (1, C)), graph.tensor(f"{layer.name}.weight/real", (N, C))
    stored = graph.tensor(f"{layer.name}.weight", (N, C), numbers.weight, grid=Grid(scales=scales))
    graph.operator("DEQUANTIZE", [value], [floats])
    graph.operator("DEQUANTIZE", [stored], [weight])
    bias = restated(layer, numbers, before[1]) * numbers.multiplier.astype(np.float64)
    place = graph.tensor(f"{layer.name}.bias", (N,), bias.astype(np.float32))
    result = graph.tensor("logits", (1, N))
    graph.operator("FULLY_CONNECTED", [floats, weight, place], [result])
    return result


def _constants(
    graph: Graph, layer: Layer, numbers: QuantizedLayer, before: tuple[float, int], after: tuple[float, int]
) -> tuple[int, int]:
    """The weight, int8 with a scale for each output channel, and the bias, int32."""
    N, side = layer.output.channels, layer.kernel
    scales = steps(numbers.multiplier, before[0], after[0])
    # (N, C, K, K) to (N, K, K, C), depthwise to (1, K, K, C); a matrix stays.
    match layer.kind:
        case "pool":
            weight = np.ones((1, side, side, N), np.int8)
        case "depthwise":
            weight = numbers.weight.transpose(1, 2, 3, 0)
        case "classifier":
            weight = numbers.weight
        case _:
            weight = numbers.weight.transpose(0, 2, 3, 1)
    axis = 3 if layer.kind in ("pool", "depthwise") else 0
    bias = restated(layer, numbers, before[1])
    return (
        graph.tensor(f"{layer.name}.weight", weight.shape, weight, grid=Grid(scales=scales, axis=axis)),
        graph.tensor(f"{layer.name}.bias", (N,), bias, grid=Grid(scales=scales.astype(np.float64) * before[0])),
    )


def _grid(levels: tuple[float, int]) -> Grid:
    scale, zero = levels
    return Grid(scales=np.array([scale]), zero=zero - SIGNED_BY)
