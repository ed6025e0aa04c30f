"""An int8 model as an ONNX file in QDQ form, with the very same integers (docs/int8.md).

Every activation is quantised and dequantised, weights are int8 with a scale for each output channel. The format has one
scale for a whole activation where ours has one a channel; see `tflite_writer_int8` for why that changes no byte.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.grids import check_logits, described, exceptions, grids, is_mean, restated, steps, unsigned
from depthwise.interop.onnx.writer import INPUT_NAME, OUTPUT_NAME, finish, tensor, window
from depthwise.network.layers import Layer, layers
from depthwise.network.quantized import QuantizedLayer, QuantizedModel
from depthwise.network.spec import ACTIVATIONS
from depthwise.network.weights import Array

Levels = tuple[float, int]


def build(model: QuantizedModel, name: str) -> bytes:
    """The bytes of the file; the same model gives the same bytes.

    The input "image" is (batch, C, H, W) float32, normalised; the output "probabilities" is (batch, classes).

    Raises: Refused, when the format cannot say what a layer does.
    """
    from onnx import TensorProto, helper

    model = described(model)
    made, found = _Nodes(), grids(model)
    value, before = made.quantised(INPUT_NAME, "image", found["input"]), found["input"]
    for layer in layers(model.spec):
        numbers, after = model.layers[layer.name], found[layer.name]
        try:
            value = _layer(made, layer, numbers, value, before, after)
        except Refused as refusal:
            raise Refused(f"layer {layer.name}: {refusal}") from None
        before = after
    made.node("Softmax", [value], OUTPUT_NAME, axis=1)
    image: list[str | int | None] = ["batch", model.spec.channels, model.spec.resolution, model.spec.resolution]
    graph = helper.make_graph(
        made.nodes,
        name,
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, image)],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, ["batch", model.spec.classes])],
        initializer=[tensor(key, array) for key, array in made.constants.items()],
    )
    return finish(graph, model, multipliers=exceptions(model))


def _layer(made: _Nodes, layer: Layer, numbers: QuantizedLayer, value: str, before: Levels, after: Levels) -> str:
    name = layer.name
    if layer.kind == "classifier":
        check_logits(numbers)
        flat = made.node("Flatten", [value], "features", axis=1)
        target = after if numbers.rounded else (1.0, 0)
        inputs = [flat, *made.weights(layer, numbers, before, target)]
        logits = made.node("Gemm", inputs, "logits", name=name, transB=1)
        return made.quantised(logits, "logits", after) if numbers.rounded else logits
    if layer.kind == "pool" and is_mean(layer, numbers, before, after):
        mean = made.node("GlobalAveragePool", [value], f"{name}.mean", name=name)
        return made.quantised(mean, name, after)
    attributes = window(layer)
    if layer.kind == "pool":
        # A sum with scales of its own: weights of 1, one group a channel.
        attributes |= {"group": layer.input.channels, "strides": [1, 1]}
    result = made.node(
        "Conv", [value, *made.weights(layer, numbers, before, after)], f"{name}.sum", name=name, **attributes
    )
    return made.quantised(_clamped(made, layer, numbers, result, after), name, after)


def _clamped(made: _Nodes, layer: Layer, numbers: QuantizedLayer, value: str, after: Levels) -> str:
    """What limits a value before it becomes a byte, where the byte's own ends do not.

    Raises: Refused, when neither ReLU6 nor ReLU nor nothing gives the layer's limits.
    """
    scale, zero = after
    match (numbers.low, numbers.high):
        case (0, 255):
            return value
        case (low, 255) if low == zero:
            return made.node("Relu", [value], f"{layer.name}.out")
        case (low, high) if (low, high) == (zero, min(255, zero + round(ACTIVATIONS["relu6"] / scale))):
            ends = {"low": 0, "high": ACTIVATIONS["relu6"]}
            limits = [made.constant(f"relu6.{key}", np.array(limit, np.float32)) for key, limit in ends.items()]
            return made.node("Clip", [value, *limits], f"{layer.name}.out")
        case (low, high):
            raise Refused(f"it clamps to {low} and {high}, which is neither ReLU6 nor ReLU")


class _Nodes:
    """Nodes and constants while a graph is made."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, Array] = {}

    def node(self, code: str, inputs: list[str], output: str, name: str = "", **attributes: Any) -> str:
        """Add a node with one output; returns that."""
        from onnx import helper

        self.nodes.append(helper.make_node(code, inputs, [output], name, **attributes))
        return output

    def constant(self, name: str, array: Array) -> str:
        """Add a constant; returns its name."""
        self.constants[name] = array
        return name

    def quantised(self, value: str, name: str, levels: Levels) -> str:
        """A value as bytes, and back."""
        scale, zero = levels
        grid = [
            self.constant(f"{name}.scale", np.array(scale, np.float32)),
            self.constant(f"{name}.zero", np.array(zero, np.uint8)),
        ]
        stored = self.node("QuantizeLinear", [value, *grid], f"{name}.bytes")
        return self.node("DequantizeLinear", [stored, *grid], f"{name}.real")

    def weights(self, layer: Layer, numbers: QuantizedLayer, before: Levels, after: Levels) -> list[str]:
        """The weight, with a scale for each output channel, and the bias, int32, both made real.

        The weight is int8, or uint8 where it has a zero point.
        """
        N, side, name = layer.output.channels, layer.kernel, layer.name
        weight: Array = np.ones((N, 1, side, side), np.int8) if layer.kind == "pool" else numbers.weight
        zero = 0
        if numbers.weight_zero_point:
            weight, zero = unsigned(numbers)
        scales = steps(numbers.multiplier, before[0], after[0])
        bias = restated(layer, numbers, before[1])
        return [
            self._real(f"{name}.weight", weight, scales, zero),
            self._real(f"{name}.bias", bias, (scales.astype(np.float64) * before[0]).astype(np.float32)),
        ]

    def _real(self, name: str, integers: Array, scales: Array, zero: int = 0) -> str:
        inputs = [
            self.constant(name, integers),
            self.constant(f"{name}.scale", scales),
            self.constant(f"{name}.zero", np.full(len(scales), zero, integers.dtype)),
        ]
        return self.node("DequantizeLinear", inputs, f"{name}.real", axis=0)
