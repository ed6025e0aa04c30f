"""An ONNX file of ours that takes bytes as they lie in an image, so that no pass over them is left to Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from depthwise.network.model import Model
    from depthwise.network.quantized import QuantizedModel

PIXELS = "pixels"


def write(model: Model | QuantizedModel, folder: Path) -> Path:
    """The file: `pixels` (1, H, W, C) uint8 in, `probabilities` (1, classes) float32 out.

    Raises: Refused, when ONNX cannot say what a layer of an int8 model does.
    """
    import onnx

    from depthwise.interop.onnx import writer as onnx_writer
    from depthwise.interop.onnx import writer_int8 as onnx_writer_int8
    from depthwise.network.model import Model

    if isinstance(model, Model):
        name, proto = "float.onnx", onnx.load_from_string(onnx_writer.build(model, "bench"))
        _float_head(proto.graph, model)
    else:
        name, proto = "int8.onnx", onnx.load_from_string(onnx_writer_int8.build(model, "bench"))
        _int8_head(proto.graph)
    spec = model.spec
    proto.graph.ClearField("input")
    shape = (1, spec.resolution, spec.resolution, spec.channels)
    proto.graph.input.append(onnx.helper.make_tensor_value_info(PIXELS, onnx.TensorProto.UINT8, shape))
    proto.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 1
    onnx.checker.check_model(proto)
    path = folder / name
    path.write_bytes(proto.SerializeToString())
    return path


def _float_head(graph: Any, model: Model) -> None:
    """Put `pixel - mean` and the change of layout in front of the first layer."""
    from onnx import TensorProto, helper, numpy_helper

    from depthwise.interop.onnx.writer import INPUT_NAME

    # One number where it is the same for all channels, else one a plane: broadcasting along pixels is slow.
    mean = np.array(model.preprocessing.mean, np.float32).reshape(-1, 1, 1)
    mean = mean[0, 0, 0] if (mean == mean[0]).all() else mean
    graph.initializer.append(numpy_helper.from_array(np.asarray(mean), "pixels.mean"))
    nodes = [
        helper.make_node("Transpose", [PIXELS], ["pixels.planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["pixels.planes"], ["pixels.real"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["pixels.real", "pixels.mean"], [INPUT_NAME]),
    ]
    _prepend(graph, nodes, list(graph.node))


def _int8_head(graph: Any) -> None:
    """Give the bytes to the first DequantizeLinear: the quantised input of such a file is the pixel itself.

    The writer's file normalises with the border's byte as mean, and quantises with the same scale and zero point.
    """
    from onnx import helper

    first, *rest = graph.node
    assert first.op_type == "QuantizeLinear"
    turned = helper.make_node("Transpose", [PIXELS], [first.output[0]], perm=[0, 3, 1, 2])
    _prepend(graph, [turned], rest)


def _prepend(graph: Any, head: list[Any], rest: list[Any]) -> None:
    kept = [type(node).FromString(node.SerializeToString()) for node in rest]
    graph.ClearField("node")
    graph.node.extend([*head, *kept])
