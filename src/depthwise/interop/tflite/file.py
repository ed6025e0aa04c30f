"""A TFLite file as plain records: tensors, operators and metadata, none of whose numbers is believed.

Source of the format: schema.fbs of TensorFlow Lite, as the package `tflite` has it in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.damage import DAMAGE
from depthwise.network.weights import Array

IDENTIFIER = b"TFL3"
# What the operator is called that stands for all layers in a file for a Coral.
EDGE_TPU = "edgetpu-custom-op"
METADATA = "TFLITE_METADATA"
# Name of the metadata entry in which this project describes its own network, as JSON.
OWN = "depthwise"
MOST_TENSORS = 4000
MOST_OPERATORS = 1000
MOST_DIMENSIONS = 6
MOST_METADATA = 100
LARGEST_METADATA = 2**20
# What Python's flatbuffers raise when an offset leads out of the file or into the middle of something else.
INSTALL = "run: pip install 'depthwise[interop]'"


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """One tensor.

    Attributes:
        data: its bytes, or None where it is computed.
        scales, zero_points: of its quantisation, one or one a channel; empty where it has none.
        signature: the shape with -1 for what is left open, or empty.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    kind: str
    data: Array | None
    scales: Array
    zero_points: Array
    signature: tuple[int, ...] = ()

    @property
    def sizes(self) -> tuple[int, ...]:
        """Its shape, with -1 for sizes that the file leaves open."""
        return self.signature if len(self.signature) == len(self.shape) else self.shape

    @property
    def quantised(self) -> bool:
        """Whether its integers stand for real numbers."""
        return bool(self.scales.size) and self.kind not in ("float32", "float16")


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One operator; an input of -1 is left out."""

    where: str
    code: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, int | float]


@dataclass(frozen=True, kw_only=True)
class File:
    """The first of a file's `graphs`, and its metadata buffers by name."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    graphs: int
    metadata: Mapping[str, bytes]


def schema() -> ModuleType:
    """The package `tflite`.

    Raises: Refused, with the command that installs it.
    """
    try:
        import tflite
    except ImportError:
        raise Refused(f"TFLite files need the package tflite, which is not installed; {INSTALL}") from None
    return tflite  # type: ignore[no-any-return]


def parse(data: bytes) -> File:
    """The records of a file.

    Raises: Refused, when it is no TFLite file or damaged.
    """
    tflite = schema()
    if data[4:8] != IDENTIFIER:
        raise Refused("it is not a TFLite file, it lacks the mark TFL3")
    try:
        model = tflite.Model.GetRootAs(data, 0)
        if model.SubgraphsLength() < 1:
            raise Refused("it holds no graph")
        graph = model.Subgraphs(0)
        return File(
            tensors=tuple(_tensor(model, graph, i) for i in range(_count(graph.TensorsLength(), MOST_TENSORS))),
            operators=tuple(
                _operator(tflite, model, graph, i) for i in range(_count(graph.OperatorsLength(), MOST_OPERATORS))
            ),
            inputs=_whole(graph.InputsAsNumpy()),
            outputs=_whole(graph.OutputsAsNumpy()),
            graphs=_count(model.SubgraphsLength(), MOST_OPERATORS),
            metadata=_metadata(model),
        )
    except DAMAGE as problem:
        raise Refused(f"it is damaged or cut off ({problem})") from None


def _count(found: int, most: int) -> int:
    if found > most:
        raise Refused(f"it says that it has {found:,} parts of one kind; a MobileNet V1 has at most {most:,}")
    return found


def _whole(vector: Any) -> tuple[int, ...]:
    # The schema's accessors answer 0 for a vector that is not there.
    if isinstance(vector, int):
        return ()
    return tuple(int(n) for n in vector[: MOST_TENSORS + 1])


def _numbers(vector: Any, dtype: type[np.generic]) -> Array:
    return np.zeros(0, dtype) if isinstance(vector, int) else np.asarray(vector, dtype=dtype)


def _tensor(model: Any, graph: Any, index: int) -> Tensor:
    tensor = graph.Tensors(index)
    _count(tensor.ShapeLength(), MOST_DIMENSIONS)
    quantisation = tensor.Quantization()
    scales = np.zeros(0, np.float32) if quantisation is None else _numbers(quantisation.ScaleAsNumpy(), np.float32)
    zeros = np.zeros(0, np.int64) if quantisation is None else _numbers(quantisation.ZeroPointAsNumpy(), np.int64)
    return Tensor(
        index=index,
        name=_text(tensor.Name()),
        shape=_whole(tensor.ShapeAsNumpy()),
        signature=_whole(tensor.ShapeSignatureAsNumpy()),
        kind=_KINDS.get(tensor.Type(), f"type {tensor.Type()}"),
        data=_data(model, tensor.Buffer()),
        scales=scales,
        zero_points=zeros,
    )


# TensorType of the schema; int4 and the like are named by number when they are refused.
_KINDS = {0: "float32", 1: "float16", 2: "int32", 3: "uint8", 4: "int64", 7: "int16", 9: "int8"}


def _data(model: Any, buffer: int) -> Array | None:
    # Buffer 0 is by definition empty.
    if not 0 < buffer < model.BuffersLength():
        return None
    found = model.Buffers(buffer).DataAsNumpy()
    return None if isinstance(found, int) or not found.size else found


def _operator(tflite: ModuleType, model: Any, graph: Any, index: int) -> Operator:
    operator = graph.Operators(index)
    if not 0 <= operator.OpcodeIndex() < model.OperatorCodesLength():
        raise Refused(f"operator {index} has a code that is not in the file; it is damaged")
    row = model.OperatorCodes(operator.OpcodeIndex())
    number = max(row.BuiltinCode(), row.DeprecatedBuiltinCode())
    code = _names(tflite.BuiltinOperator).get(number, f"code {number}")
    if code == "CUSTOM" and (own := _text(row.CustomCode())) == EDGE_TPU:
        raise Refused(
            f"operator {index} ({own}) is all that Coral's compiler left of the layers; convert the file that it was"
            " given"
        )
    return Operator(
        where=f"operator {index} ({code})",
        code=code,
        inputs=_whole(operator.InputsAsNumpy()),
        outputs=_whole(operator.OutputsAsNumpy()),
        options=_options(tflite, code, operator.BuiltinOptions()),
    )


def _names(enumeration: Any) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


# Operator, its table of options in the schema, and the fields that are read.
_WINDOW = ("StrideH", "StrideW", "Padding", "FusedActivationFunction")
_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "CONV_2D": ("Conv2DOptions", (*_WINDOW, "DilationHFactor", "DilationWFactor")),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", (*_WINDOW, "DilationHFactor", "DilationWFactor")),
    "AVERAGE_POOL_2D": ("Pool2DOptions", (*_WINDOW, "FilterHeight", "FilterWidth")),
    "FULLY_CONNECTED": ("FullyConnectedOptions", ("FusedActivationFunction", "WeightsFormat")),
    "SOFTMAX": ("SoftmaxOptions", ("Beta",)),
    "ADD": ("AddOptions", ("FusedActivationFunction",)),
    "SUB": ("SubOptions", ("FusedActivationFunction",)),
    "DIV": ("DivOptions", ("FusedActivationFunction",)),
    "MEAN": ("ReducerOptions", ("KeepDims",)),
    "SUM": ("ReducerOptions", ("KeepDims",)),
    "GATHER": ("GatherOptions", ("Axis", "BatchDims")),
    "UNPACK": ("UnpackOptions", ("Axis",)),
    "PACK": ("PackOptions", ("Axis",)),
    "CONCATENATION": ("ConcatenationOptions", ("Axis", "FusedActivationFunction")),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask"),
    ),
    "BATCH_MATMUL": ("BatchMatMulOptions", ("AdjX", "AdjY")),
    "MUL": ("MulOptions", ("FusedActivationFunction",)),
}


def _text(found: bytes | None) -> str:
    return (found or b"").decode(errors="replace")


def _options(tflite: ModuleType, code: str, table: Any) -> dict[str, int | float]:
    if code not in _OPTIONS:
        return {}
    name, fields = _OPTIONS[code]
    if table is None:
        # An absent table is one of defaults, which no writer leaves out for a convolution.
        return {}
    options = getattr(tflite, name)()
    options.Init(table.Bytes, table.Pos)
    read: dict[str, Callable[[], int | float]] = {field: getattr(options, field) for field in fields}
    return {field: get() for field, get in read.items()}


def _metadata(model: Any) -> dict[str, bytes]:
    found = {}
    for index in range(_count(model.MetadataLength(), MOST_METADATA)):
        entry = model.Metadata(index)
        name = _text(entry.Name())
        data = _data(model, entry.Buffer()) if name in (METADATA, OWN) else None
        if data is not None and data.size <= LARGEST_METADATA:
            found[name] = data.tobytes()
    return found
