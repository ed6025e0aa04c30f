"""A model as an ONNX file of floats: one node an operation, batch normalisation kept apart, names as in the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from depthwise import __version__
from depthwise.errors import Refused
from depthwise.interop.source import description
from depthwise.network.description import Described
from depthwise.network.layers import Layer, layers
from depthwise.network.model import Model
from depthwise.network.spec import ACTIVATIONS
from depthwise.network.weights import NORM_FIELDS, Array

OPSET, IR_VERSION = 17, 8
INPUT_NAME, OUTPUT_NAME = "image", "probabilities"
# Keys of metadata_props.
LABELS, OWN = "labels", "depthwise"


def build(model: Model, name: str) -> bytes:
    """The bytes of the file; the same model gives the same bytes.

    The input "image" is (batch, C, H, W) float32, normalised; the output "probabilities" is (batch, classes).
    """
    from onnx import TensorProto, helper

    spec = model.spec
    nodes: list[Any] = []
    value = INPUT_NAME
    for layer in layers(spec):
        made, value = _nodes(helper, layer, value, spec.activation, spec.bn_epsilon)
        nodes += made
    nodes.append(helper.make_node("Softmax", [value], [OUTPUT_NAME], axis=1))
    image: list[str | int | None] = ["batch", spec.channels, spec.resolution, spec.resolution]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, image)],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, ["batch", spec.classes])],
        initializer=[tensor(key, array) for key, array in initializers(model).items()],
    )
    return finish(graph, model)


def finish(graph: Any, model: Described, **more: Any) -> bytes:
    """The bytes of a graph with what describes its model."""
    from onnx import helper

    proto = helper.make_model(
        graph,
        producer_name="depthwise",
        producer_version=__version__,
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    own = json.dumps(description(model, **more), sort_keys=True)
    helper.set_model_props(proto, {LABELS: json.dumps(list(model.labels), ensure_ascii=False), OWN: own})
    return bytes(proto.SerializeToString(deterministic=True))


def tensor(name: str, array: Array) -> Any:
    """An array as a constant of the file."""
    from onnx import numpy_helper

    return numpy_helper.from_array(np.asarray(array, order="C"), name)


def initializers(model: Model) -> Mapping[str, Array]:
    """The arrays of the file by name: those of the model, and the limits of ReLU6."""
    limits = {"relu6.low": np.zeros((), np.float32), "relu6.high": np.full((), ACTIVATIONS["relu6"], np.float32)}
    return {**model.weights, **(limits if model.spec.activation == "relu6" else {})}


def _nodes(helper: Any, layer: Layer, value: str, activation: str, epsilon: float) -> tuple[list[Any], str]:
    """The nodes of one row, and the value that comes out."""
    name = layer.name
    match layer.kind:
        case "stem" | "standard" | "pointwise" | "depthwise":
            convolution = helper.make_node("Conv", [value, f"{name}.weight"], [f"{name}.sum"], name, **window(layer))
            parts = [f"{layer.norm}.{part}" for part in NORM_FIELDS]
            norm = helper.make_node(
                "BatchNormalization", [f"{name}.sum", *parts], [f"{name}.norm"], layer.norm, epsilon=epsilon
            )
            last = (
                helper.make_node("Clip", [f"{name}.norm", "relu6.low", "relu6.high"], [f"{name}.out"])
                if activation == "relu6"
                else helper.make_node("Relu", [f"{name}.norm"], [f"{name}.out"])
            )
            return [convolution, norm, last], f"{name}.out"
        case "pool":
            mean = helper.make_node("GlobalAveragePool", [value], ["pooled"], name)
            return [mean, helper.make_node("Flatten", ["pooled"], ["features"], axis=1)], "features"
        case "classifier":
            inputs = [value, f"{name}.weight", f"{name}.bias"]
            return [helper.make_node("Gemm", inputs, ["logits"], name, transB=1)], "logits"
        case kind:
            raise Refused(f"layer {name}: ONNX has no form for kind {kind}")


def window(layer: Layer) -> dict[str, Any]:
    """The attributes of a convolution."""
    pad = layer.padding
    return {
        "kernel_shape": [layer.kernel] * 2,
        "strides": [layer.stride] * 2,
        "pads": [pad.top, pad.left, pad.bottom, pad.right],
        "group": layer.input.channels if layer.kind == "depthwise" else 1,
    }
