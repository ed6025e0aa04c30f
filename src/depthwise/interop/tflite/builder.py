"""The making of a TFLite file from tensors and operators, by the names that its schema gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from depthwise.interop.tflite.file import IDENTIFIER, schema
from depthwise.network.layers import Layer
from depthwise.network.weights import Array

VERSION = 3
# TensorFlow Lite maps buffers where they lie, and its kernels load 16 bytes at a time.
ALIGNMENT = 16
_OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "RESHAPE": "ReshapeOptions",
    "SOFTMAX": "SoftmaxOptions",
    "PAD": "PadOptions",
    "DEQUANTIZE": "DequantizeOptions",
}
_ENUMERATIONS = {"Padding": "Padding", "FusedActivationFunction": "ActivationFunctionType"}


@dataclass(frozen=True, kw_only=True)
class Grid:
    """What the integers of a tensor stand for: `(integer - zero) * scales`, one scale or one along an axis."""

    scales: Array
    zero: int = 0
    axis: int = 0


class Graph:
    """Tensors, operators and buffers while a file is made; a flatbuffer is written from its leaves to its root.

    `versions` are those of operators that need a later one than 1.
    """

    def __init__(self, versions: Mapping[str, int] | None = None) -> None:
        import flatbuffers

        self._schema = schema()
        self._builder = flatbuffers.Builder(1 << 20)
        self._codes: list[str] = []
        self._versions = dict(versions or {})
        self._tensors: list[int] = []
        self._operators: list[int] = []
        self._buffers: list[int] = [self._buffer(b"")]
        self.inputs: list[int] = []
        self.outputs: list[int] = []
        self.metadata: dict[str, bytes] = {}

    def tensor(self, name: str, shape: Sequence[int], data: Array | None = None, *, grid: Grid | None = None) -> int:
        """Add a tensor; returns its number.

        Args:
            data: float32, int32 or int8 where it is constant.
            grid: of its integers; a tensor with one is of int8, unless its data say otherwise.
        """
        t, builder = self._schema, self._builder
        buffer = 0
        if data is not None:
            self._buffers.append(self._buffer(np.ascontiguousarray(data).tobytes()))
            buffer = len(self._buffers) - 1
        kind = data.dtype.name if data is not None else "float32" if grid is None else "int8"
        text, dimensions = builder.CreateString(name), builder.CreateNumpyVector(np.array(shape, np.int32))
        quantisation = 0 if grid is None else self._grid(grid)
        t.TensorStart(builder)
        t.TensorAddShape(builder, dimensions)
        t.TensorAddType(builder, getattr(t.TensorType, kind.upper()))
        t.TensorAddBuffer(builder, buffer)
        t.TensorAddName(builder, text)
        if grid is not None:
            t.TensorAddQuantization(builder, quantisation)
        self._tensors.append(t.TensorEnd(builder))
        return len(self._tensors) - 1

    def _grid(self, grid: Grid) -> int:
        t, builder = self._schema, self._builder
        scales = builder.CreateNumpyVector(np.asarray(grid.scales, np.float32))
        zeros = builder.CreateNumpyVector(np.full(len(grid.scales), grid.zero, np.int64))
        t.QuantizationParametersStart(builder)
        t.QuantizationParametersAddScale(builder, scales)
        t.QuantizationParametersAddZeroPoint(builder, zeros)
        t.QuantizationParametersAddQuantizedDimension(builder, grid.axis)
        return int(t.QuantizationParametersEnd(builder))

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

    def convolution(self, layer: Layer, inputs: Sequence[int], result: int, *, padding: str, activation: str) -> None:
        """Add the operator of a convolution; padding and activation by their names in the schema."""
        depthwise = layer.kind == "depthwise"
        more = {"DepthMultiplier": 1} if depthwise else {}
        self.operator(
            "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
            inputs,
            [result],
            Padding=padding,
            StrideH=layer.stride,
            StrideW=layer.stride,
            FusedActivationFunction=activation,
            **more,
        )

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
        t.OperatorCodeAddVersion(builder, self._versions.get(code, 1))
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
