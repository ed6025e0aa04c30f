"""A model as a TFLite file of floats: batch normalisation folded, the activation fused, metadata and labels behind."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from depthwise.interop import tflite_metadata
from depthwise.interop.norms import folded
from depthwise.interop.source import description
from depthwise.interop.tflite_file import IDENTIFIER, METADATA, OWN, schema
from depthwise.network.layers import Layer, Padding, layers
from depthwise.network.model import Model
from depthwise.network.weights import Array

VERSION = 3
# TensorFlow Lite maps buffers where they lie, and its kernels load 16 bytes at a time.
ALIGNMENT = 16


def build(model: Model, name: str) -> bytes:
    """The bytes of the file; the same model gives the same bytes.

    The input "image" is (1, H, W, C) float32, normalised; the output "probabilities" is (1, classes).
    """
    graph = _Graph()
    spec, weights = model.spec, folded(model)
    rows = layers(spec)
    first = rows[0].input
    graph.inputs = [graph.tensor(tflite_metadata.INPUT_NAME, (1, first.height, first.width, first.channels))]
    value = graph.inputs[0]
    for layer in rows:
        value = _layer(graph, layer, value, weights.get(layer.name), spec.activation)
    result = graph.tensor(tflite_metadata.OUTPUT_NAME, (1, spec.classes))
    graph.operator("SOFTMAX", [value], [result], Beta=1.0)
    graph.outputs = [result]
    own = json.dumps(description(spec, model.preprocessing), sort_keys=True).encode()
    graph.metadata = {METADATA: tflite_metadata.build(model.preprocessing, name), OWN: own}
    return tflite_metadata.with_labels(graph.finish(name), model.labels)


def _layer(graph: _Graph, layer: Layer, value: int, arrays: tuple[Array, Array] | None, activation: str) -> int:
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
    value, padding = _padded(graph, layer, value)
    # (N, C, K, K) to (N, K, K, C); depthwise (C, 1, K, K) to (1, K, K, C).
    depthwise = layer.kind == "depthwise"
    inputs = [value, *graph.constants(layer.name, weight.transpose((1, 2, 3, 0) if depthwise else (0, 2, 3, 1)), bias)]
    result = graph.tensor(layer.norm, out)
    more = {"DepthMultiplier": 1} if depthwise else {}
    graph.operator(
        "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
        inputs,
        [result],
        Padding=padding,
        StrideH=layer.stride,
        StrideW=layer.stride,
        FusedActivationFunction=activation.upper(),
        **more,
    )
    return result


def _padded(graph: _Graph, layer: Layer, value: int) -> tuple[int, str]:
    """The input of a convolution and its padding: SAME where TensorFlow's rule gives these zeros, or else a PAD."""
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
    result = graph.tensor(f"{layer.name}/padded", (1, height, width, layer.input.channels))
    graph.operator("PAD", [value, place], [result])
    return result, "VALID"


_OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "RESHAPE": "ReshapeOptions",
    "SOFTMAX": "SoftmaxOptions",
    "PAD": "PadOptions",
}
_ENUMERATIONS = {"Padding": "Padding", "FusedActivationFunction": "ActivationFunctionType"}


class _Graph:
    """Tensors, operators and buffers while a file is made; a flatbuffer is written from its leaves to its root."""

    def __init__(self) -> None:
        import flatbuffers

        self._schema = schema()
        self._builder = flatbuffers.Builder(1 << 20)
        self._codes: list[str] = []
        self._tensors: list[int] = []
        self._operators: list[int] = []
        self._buffers: list[int] = [self._buffer(b"")]
        self.inputs: list[int] = []
        self.outputs: list[int] = []
        self.metadata: dict[str, bytes] = {}

    def tensor(self, name: str, shape: Sequence[int], data: Array | None = None) -> int:
        """Add a tensor, constant where there are data (float32 or int32); returns its number."""
        t, builder = self._schema, self._builder
        buffer = 0
        if data is not None:
            self._buffers.append(self._buffer(np.ascontiguousarray(data).tobytes()))
            buffer = len(self._buffers) - 1
        text, dimensions = builder.CreateString(name), builder.CreateNumpyVector(np.array(shape, np.int32))
        t.TensorStart(builder)
        t.TensorAddShape(builder, dimensions)
        whole = data is not None and data.dtype == np.int32
        t.TensorAddType(builder, t.TensorType.INT32 if whole else t.TensorType.FLOAT32)
        t.TensorAddBuffer(builder, buffer)
        t.TensorAddName(builder, text)
        self._tensors.append(t.TensorEnd(builder))
        return len(self._tensors) - 1

    def constants(self, name: str, weight: Array, bias: Array) -> tuple[int, int]:
        """Add the weight and the bias of a layer."""
        return self.tensor(f"{name}.weight", weight.shape, weight), self.tensor(f"{name}.bias", bias.shape, bias)

    def operator(self, code: str, inputs: Sequence[int], outputs: Sequence[int], **options: str | float) -> None:
        """Add an operator; options by their names in the schema, enumerations by their names in theirs."""
        t, builder = self._schema, self._builder
        if code not in self._codes:
            self._codes.append(code)
        read, written = (builder.CreateNumpyVector(np.array(n, np.int32)) for n in (inputs, outputs))
        table = _OPTIONS[code]
        getattr(t, f"{table}Start")(builder)
        for name, value in options.items():
            number = getattr(getattr(t, _ENUMERATIONS[name]), value) if isinstance(value, str) else value
            getattr(t, f"{table}Add{name}")(builder, number)
        place = getattr(t, f"{table}End")(builder)
        t.OperatorStart(builder)
        t.OperatorAddOpcodeIndex(builder, self._codes.index(code))
        t.OperatorAddInputs(builder, read)
        t.OperatorAddOutputs(builder, written)
        t.OperatorAddBuiltinOptionsType(builder, getattr(t.BuiltinOptions, table))
        t.OperatorAddBuiltinOptions(builder, place)
        self._operators.append(t.OperatorEnd(builder))

    def finish(self, name: str) -> bytes:
        """The bytes of the whole file."""
        t, builder = self._schema, self._builder
        metadata = self._vector([self._metadata(key, data) for key, data in self.metadata.items()])
        tensors, operators = self._vector(self._tensors), self._vector(self._operators)
        inputs, outputs = (builder.CreateNumpyVector(np.array(n, np.int32)) for n in (self.inputs, self.outputs))
        t.SubGraphStart(builder)
        t.SubGraphAddTensors(builder, tensors)
        t.SubGraphAddInputs(builder, inputs)
        t.SubGraphAddOutputs(builder, outputs)
        t.SubGraphAddOperators(builder, operators)
        graphs = self._vector([t.SubGraphEnd(builder)])
        codes = self._vector([self._code(code) for code in self._codes])
        buffers, text = self._vector(self._buffers), builder.CreateString(f"{name}, made by depthwise")
        t.ModelStart(builder)
        t.ModelAddVersion(builder, VERSION)
        t.ModelAddOperatorCodes(builder, codes)
        t.ModelAddSubgraphs(builder, graphs)
        t.ModelAddDescription(builder, text)
        t.ModelAddBuffers(builder, buffers)
        t.ModelAddMetadata(builder, metadata)
        builder.Finish(t.ModelEnd(builder), file_identifier=IDENTIFIER)
        return bytes(builder.Output())

    def _code(self, code: str) -> int:
        t, builder = self._schema, self._builder
        number = getattr(t.BuiltinOperator, code)
        t.OperatorCodeStart(builder)
        # Readers older than 2020 know only the byte.
        t.OperatorCodeAddDeprecatedBuiltinCode(builder, min(number, 127))
        t.OperatorCodeAddBuiltinCode(builder, number)
        t.OperatorCodeAddVersion(builder, 1)
        return int(t.OperatorCodeEnd(builder))

    def _metadata(self, name: str, data: bytes) -> int:
        t, builder = self._schema, self._builder
        self._buffers.append(self._buffer(data))
        text = builder.CreateString(name)
        t.MetadataStart(builder)
        t.MetadataAddName(builder, text)
        t.MetadataAddBuffer(builder, len(self._buffers) - 1)
        return int(t.MetadataEnd(builder))

    def _buffer(self, data: bytes) -> int:
        t, builder = self._schema, self._builder
        place = 0
        if data:
            builder.StartVector(1, len(data), ALIGNMENT)
            # The builder grows backwards, so its end is where the next bytes go.
            builder.head -= len(data)
            builder.Bytes[builder.head : builder.head + len(data)] = data
            place = builder.EndVector()
        t.BufferStart(builder)
        if data:
            t.BufferAddData(builder, place)
        return int(t.BufferEnd(builder))

    def _vector(self, offsets: Sequence[int]) -> int:
        self._builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self._builder.PrependUOffsetTRelative(offset)
        return int(self._builder.EndVector())
