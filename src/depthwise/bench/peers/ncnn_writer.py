"""A float model as ncnn's two files: a list of layers in text, and their numbers in that order.

Source of the keys and of the order: the tables of parameters in ncnn's documentation ("operators", "operation-param-
weight-table"). A weight has a 0 before it, which says that it is float32; a bias has not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.norms import folded
from depthwise.network.layers import Layer, layers
from depthwise.network.model import Model
from depthwise.network.spec import ACTIVATIONS
from depthwise.network.weights import Array

_MAGIC = 7767517
_FLOAT32 = np.zeros(1, np.uint32).tobytes()


def write(model: Model, folder: Path) -> Path:
    """Write float.param and float.bin; batch normalisation is folded. Returns the path of float.param."""
    weights = folded(model)
    rows = ["Input image 0 1 image"]
    numbers = bytearray()
    value = "image"
    for layer in layers(model.spec):
        row, arrays = _layer(layer, weights.get(layer.name), model.spec.activation)
        rows.append(f"{row[0]} {layer.name} 1 1 {value} {layer.name} {row[1]}".rstrip())
        for array in arrays:
            numbers += array
        value = layer.name
    rows.append(f"Softmax probabilities 1 1 {value} probabilities 0=0")
    path = folder / "float.param"
    path.write_text(f"{_MAGIC}\n{len(rows)} {len(rows)}\n" + "\n".join(rows) + "\n", encoding="ascii")
    path.with_suffix(".bin").write_bytes(numbers)
    return path


def _layer(
    layer: Layer, arrays: tuple[Array, Array] | None, activation: str
) -> tuple[tuple[str, str], tuple[bytes, ...]]:
    """Type and parameters of a layer, and its numbers."""
    N = layer.output.channels
    if layer.kind == "pool":
        return ("Pooling", "0=1 4=1"), ()
    assert arrays is not None
    # PyTorch's order is ncnn's too.
    weight, bias = (np.ascontiguousarray(array, np.float32) for array in arrays)
    content = (_FLOAT32, weight.tobytes(), bias.tobytes())
    match layer.kind:
        case "classifier":
            return ("InnerProduct", f"0={N} 1=1 2={weight.size}"), content
        case "stem" | "standard" | "pointwise" | "depthwise":
            pad = layer.padding
            keys = {0: N, 1: layer.kernel, 3: layer.stride, 4: pad.left, 5: 1, 6: weight.size}
            keys |= {14: pad.top, 15: pad.right, 16: pad.bottom}
            if layer.kind == "depthwise":
                keys[7] = N
            text = " ".join(f"{key}={number}" for key, number in keys.items())
            # Activation 1 is ReLU, 3 a clip to the two numbers of the array -23310.
            text += f" 9=3 -23310=2,0.0,{ACTIVATIONS[activation]}" if activation == "relu6" else " 9=1"
            name = "ConvolutionDepthWise" if layer.kind == "depthwise" else "Convolution"
            return (name, text), content
        case kind:
            raise Refused(f"layer {layer.name}: ncnn has no form for kind {kind}")
