"""A model as a TFLite file of floats: batch normalisation folded, the activation fused, metadata and labels behind."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from depthwise.interop.norms import folded
from depthwise.interop.source import description
from depthwise.interop.tflite import metadata
from depthwise.interop.tflite.builder import Graph, Grid
from depthwise.interop.tflite.file import METADATA, OWN
from depthwise.network.description import Described
from depthwise.network.layers import Layer, Padding, layers
from depthwise.network.model import Model
from depthwise.network.weights import Array


def build(model: Model, name: str) -> bytes:
    """The bytes of the file; the same model gives the same bytes.

    The input "image" is (1, H, W, C) float32, normalised; the output "probabilities" is (1, classes).
    """
    graph = Graph()
    spec, weights = model.spec, folded(model)
    rows = layers(spec)
    first = rows[0].input
    graph.inputs = [graph.tensor(metadata.INPUT_NAME, (1, first.height, first.width, first.channels))]
    value = graph.inputs[0]
    for layer in rows:
        value = _layer(graph, layer, value, weights.get(layer.name), spec.activation)
    result = graph.tensor(metadata.OUTPUT_NAME, (1, spec.classes))
    graph.operator("SOFTMAX", [value], [result], Beta=1.0)
    graph.outputs = [result]
    return finished(graph, model, name)


def finished(graph: Graph, model: Described, name: str, **more: Any) -> bytes:
    """The bytes of a graph with what describes its model: names, pixels and labels."""
    own = json.dumps(description(model, **more), sort_keys=True).encode()
    graph.metadata = {METADATA: metadata.build(model.preprocessing, name), OWN: own}
    return metadata.with_labels(graph.finish(name), model.labels)


def _layer(graph: Graph, layer: Layer, value: int, arrays: tuple[Array, Array] | None, activation: str) -> int:
    """Add the operators of one row; returns the tensor that comes out."""
    out = (1, layer.output.height, layer.output.width, layer.output.channels)
    match layer.kind:
        case "pool":
            result = graph.tensor(layer.name, out)
            side = layer.kernel
            window = {"FilterHeight": side, "FilterWidth": side, "StrideH": side, "StrideW": side}
            graph.operator("AVERAGE_POOL_2D", [value], [result], Padding="VALID", **window)
            flat = graph.tensor("features", (1, layer.output.channels))
            shape = graph.tensor("features/shape", (2,), np.array([1, layer.output.channels], np.int32))
            graph.operator("RESHAPE", [result, shape], [flat])
            return flat
        case "classifier":
            assert arrays is not None
            result = graph.tensor("logits", (1, layer.output.channels))
            inputs = [value, *graph.constants(layer.name, *arrays)]
            graph.operator("FULLY_CONNECTED", inputs, [result])
            return result
    assert arrays is not None
    weight, bias = arrays
    value, padding = padded(graph, layer, value)
    # (N, C, K, K) to (N, K, K, C); depthwise (C, 1, K, K) to (1, K, K, C).
    depthwise = layer.kind == "depthwise"
    inputs = [value, *graph.constants(layer.name, weight.transpose((1, 2, 3, 0) if depthwise else (0, 2, 3, 1)), bias)]
    result = graph.tensor(layer.norm, out)
    graph.convolution(layer, inputs, result, padding=padding, activation=activation.upper())
    return result


def padded(graph: Graph, layer: Layer, value: int, grid: Grid | None = None) -> tuple[int, str]:
    """The input of a convolution and its padding: SAME where TensorFlow's rule gives these zeros, or else a PAD.

    Args:
        grid: of the input, where it is of integers.
    """
    sides = []
    for size in (layer.input.height, layer.input.width):
        total = max((-(-size // layer.stride) - 1) * layer.stride + layer.kernel - size, 0)
        sides.append((total // 2, total - total // 2))
    (top, bottom), (left, right) = sides
    wanted = layer.padding
    if wanted == Padding(top=top, bottom=bottom, left=left, right=right):
        return value, "SAME"
    rows = [[0, 0], [wanted.top, wanted.bottom], [wanted.left, wanted.right], [0, 0]]
    place = graph.tensor(f"{layer.name}/pads", (4, 2), np.array(rows, np.int32))
    height = layer.input.height + wanted.top + wanted.bottom
    width = layer.input.width + wanted.left + wanted.right
    result = graph.tensor(f"{layer.name}/padded", (1, height, width, layer.input.channels), grid=grid)
    graph.operator("PAD", [value, place], [result])
    return result, "VALID"
