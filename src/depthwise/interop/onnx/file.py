"""An ONNX file as nodes and constants, none of whose numbers is believed.

Source of the format: onnx.proto, as the package `onnx` has it; only its parser is used, none of its checks.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.errors import Refused
from depthwise.files import open_file
from depthwise.interop.onnx.wire import check_parts
from depthwise.interop.source import LARGEST_FILE
from depthwise.network.weights import Array

MOST_NODES = 20_000
MOST_DIMENSIONS = 6
LARGEST_TENSOR = 2**25
# Of all constants together, each computed one counted: several tensors may be one part of one file beside.
MOST_BYTES = 2**29
# TensorProto.DataType: numpy's kind, and the field that holds the numbers where they are not raw bytes.
_KINDS: dict[int, tuple[str, str]] = {
    1: ("<f4", "float_data"),
    2: ("u1", "int32_data"),
    3: ("i1", "int32_data"),
    4: ("<u2", "int32_data"),
    5: ("<i2", "int32_data"),
    6: ("<i4", "int32_data"),
    7: ("<i8", "int64_data"),
    10: ("<f2", ""),
    11: ("<f8", "double_data"),
}
_EXTERNAL = 1
# A scan over the graph evaluates constants behind constants; an honest file has a handful in a row.
_DEEPEST = 30


def parse(data: bytes) -> Any:
    """The ModelProto.

    Raises: Refused, when the bytes are none or `onnx` is not installed.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError:
        raise Refused(
            "ONNX files need the package onnx, which is not installed; run: pip install 'depthwise[interop]'"
        ) from None
    check_parts(data)
    try:
        model = onnx.ModelProto.FromString(data)
    except (DecodeError, RecursionError, ValueError) as problem:
        raise Refused(f"it is not an ONNX file, or damaged ({problem})") from None
    if len(model.graph.node) > MOST_NODES:
        raise Refused(f"it has {len(model.graph.node):,} nodes; a MobileNet V1 has at most {MOST_NODES:,}")
    if not model.graph.node:
        raise Refused("it is not an ONNX file, or holds no graph")
    return model


def attributes(node: Any) -> dict[str, Any]:
    """The attributes of a node that are numbers, lists of numbers, text or tensors."""
    found: dict[str, Any] = {}
    for attribute in node.attribute:
        # AttributeProto.AttributeType
        match attribute.type:
            case 1:
                found[attribute.name] = float(attribute.f)
            case 2:
                found[attribute.name] = int(attribute.i)
            case 3:
                found[attribute.name] = attribute.s.decode(errors="replace")
            case 4:
                found[attribute.name] = attribute.t
            case 6:
                found[attribute.name] = list(attribute.floats)
            case 7:
                found[attribute.name] = list(attribute.ints)
    return found


class Constants:
    """Arrays of a graph by name: initializers, and what can be computed from them alone."""

    def __init__(self, graph: Any, folder: Path) -> None:
        self._folder = folder
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}
        self._makers = {name: node for node in graph.node for name in node.output if name}
        self._sparse = list(graph.sparse_initializer)
        self._made: dict[str, Array] = {}
        self._left = MOST_BYTES

    def get(self, name: str, where: str, depth: int = 0) -> Array:
        """One array.

        Raises: Refused, when it depends on the input, or its data are not what it says.
        """
        if name not in self._made:
            if depth > _DEEPEST:
                raise Refused(f"{where}: {short(name)!r} is computed in more than {_DEEPEST} steps")
            if name in self._tensors:
                self._made[name] = array(self._tensors[name], self._folder)
            elif name in self._makers:
                self._made[name] = self._evaluate(self._makers[name], where, depth)
            else:
                raise Refused(f"{where}: {short(name)!r} is not in the file; it is damaged")
            self._left -= self._made[name].nbytes
            if self._left < 0:
                raise Refused(
                    f"{where}: its constants take more than {MOST_BYTES:,} bytes; no MobileNet V1 has so many"
                )
        return self._made[name]

    def unread(self, names: Iterable[str]) -> tuple[str, ...]:
        """The arrays that are neither among `names` nor behind them, each with its shape."""
        reached, left = set(), list(names)
        while left:
            name = left.pop()
            if name not in reached:
                reached.add(name)
                left += self._makers[name].input if name in self._makers else ()
        constants = {node.output[0]: t for node in self._makers.values() if (t := _tensor_in(node)) is not None}
        held = {**self._tensors, **{sparse.values.name: sparse.values for sparse in self._sparse}, **constants}
        return tuple(f"{short(name)!r} ({_by(t.dims)})" for name, t in held.items() if name not in reached)

    def maker(self, name: str) -> Any:
        """The node that computes a value, or None."""
        return self._makers.get(name)

    def _evaluate(self, node: Any, where: str, depth: int) -> Array:
        options = attributes(node)
        if node.op_type == "Constant":
            return _constant(options, where, self._folder)
        inputs = [self.get(name, where, depth + 1) for name in node.input if name] if node.op_type in _KNOWN else []
        try:
            with np.errstate(all="ignore"):
                result = _computed(node.op_type, inputs, options)
        except (ValueError, IndexError, TypeError) as problem:
            raise Refused(f"{where}: its constant {node.op_type} is damaged ({problem})") from None
        if result is None:
            raise Refused(f"{where}: {short(node.output[0])!r} is computed by {node.op_type} where V1 has a constant")
        return result


_KNOWN = (
    "Cast",
    "Concat",
    "ConstantOfShape",
    "DequantizeLinear",
    "Equal",
    "Identity",
    "Mul",
    "QuantizeLinear",
    "Reshape",
    "Slice",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
    "Where",
)
# Of what may grow: PyTorch computes the eight numbers of a padding, and no weight, in this way.
_LARGEST_GROWN = 4096


def _computed(code: str, inputs: list[Array], options: Mapping[str, Any]) -> Array | None:
    match code:
        case "Identity":
            return inputs[0]
        case "Cast" if options.get("to") in _KINDS:
            return inputs[0].astype(_KINDS[options["to"]][0])
        case "Transpose":
            return inputs[0].transpose(options.get("perm"))
        case "Reshape":
            return inputs[0].reshape(tuple(int(n) for n in inputs[1].reshape(-1)))
        case "Unsqueeze":
            axes = options.get("axes") or inputs[1].reshape(-1).tolist()
            return np.expand_dims(inputs[0], tuple(axes[:MOST_DIMENSIONS]))
        case "Squeeze":
            axes = options.get("axes") or (inputs[1].reshape(-1).tolist() if len(inputs) > 1 else None)
            return np.squeeze(inputs[0], None if axes is None else tuple(axes))
        case "Concat" if sum(part.size for part in inputs) <= _LARGEST_GROWN:
            return np.concatenate(inputs, axis=options.get("axis", 0))
        case "ConstantOfShape" if math.prod(shape := [int(n) for n in inputs[0].reshape(-1)]) <= _LARGEST_GROWN:
            # Without a value it is of zeros; another value is no padding of ours.
            return np.zeros(shape, np.int64) if "value" not in options else _filled(shape, options["value"])
        case "Slice":
            return _sliced(inputs)
        # PyTorch computes the shape of an `expand` with these three.
        case "Equal" | "Mul" if sum(part.size for part in inputs) <= _LARGEST_GROWN:
            one, other = inputs
            return np.asarray(one == other if code == "Equal" else one * other)
        case "Where" if sum(part.size for part in inputs) <= _LARGEST_GROWN:
            chosen, one, other = inputs
            return np.asarray(np.where(chosen, one, other))
        case "DequantizeLinear":
            return dequantised(inputs, options)
        case "QuantizeLinear":
            scale, zero = _along(inputs[0], inputs[1], options), _along(inputs[0], inputs[2], options)
            limits = np.iinfo(inputs[2].dtype)
            rounded = np.rint(inputs[0] / scale) + zero
            result: Array = np.clip(rounded, limits.min, limits.max).astype(inputs[2].dtype)
            return result
    return None


def _filled(shape: list[int], value: Any) -> Array:
    one = array(value, Path())
    if one.size != 1:
        raise ValueError(f"a value of {one.size} numbers")
    return np.full(shape, one.reshape(()), one.dtype)


def _sliced(inputs: list[Array]) -> Array:
    """A part along some axes: the array, where each begins and ends, the axes, and the steps."""
    values, starts, ends, *rest = inputs
    axes = rest[0] if rest else np.arange(starts.size)
    step = rest[1] if len(rest) > 1 else np.ones(starts.size, np.int64)
    parts = [slice(None)] * values.ndim
    for axis, start, end, by in zip(*(a.reshape(-1).tolist() for a in (axes, starts, ends, step)), strict=True):
        # An end before the first, of a slice that runs backwards, is written as a very negative number.
        parts[axis] = slice(start, None if by < 0 and end < -values.shape[axis] else end, by)
    return values[tuple(parts)]


def dequantised(inputs: list[Array], options: Mapping[str, Any]) -> Array:
    """What integers stand for: `(inputs[0] - inputs[2]) * inputs[1]`, bytes in float32, wider ones in float64."""
    values: NDArray[np.floating[Any]] = inputs[0].astype(np.float32 if inputs[0].dtype.itemsize == 1 else np.float64)
    if len(inputs) > 2:
        values -= _along(values, inputs[2], options).astype(values.dtype)
    values *= _along(values, inputs[1], options).astype(values.dtype)
    return values


def _along(values: Array, numbers: Array, options: Mapping[str, Any]) -> Array:
    """One number, or one a channel along the node's axis, in a shape that broadcasts."""
    if numbers.size == 1:
        return numbers.reshape(())
    axis = options.get("axis", 1)
    if not -values.ndim <= axis < values.ndim or numbers.shape != (values.shape[axis],):
        raise ValueError(f"{numbers.shape} numbers along axis {axis} of {values.shape}")
    shape = [1] * values.ndim
    shape[axis] = -1
    return numbers.reshape(shape)


def _constant(options: Mapping[str, Any], where: str, folder: Path) -> Array:
    if "value" in options:
        return array(options["value"], folder)
    for name, kind in (("value_float", np.float32), ("value_int", np.int64)):
        for found in (options.get(name), options.get(f"{name}s")):
            if found is not None:
                return np.array(found, dtype=kind)
    raise Refused(f"{where}: its constant has no value; it is damaged")


def array(tensor: Any, folder: Path) -> Array:
    """The array of a TensorProto.

    Args:
        folder: where the ONNX file lies; data that it keeps in another file must be beside it.
    Raises: Refused, when the data are not what its shape and type say.
    """
    name, shape = short(tensor.name), tuple(tensor.dims)
    if tensor.data_type not in _KINDS:
        raise Refused(f"tensor {name!r} is of type {tensor.data_type}, which is not read")
    kind, field = _KINDS[tensor.data_type]
    count = math.prod(shape) if len(shape) <= MOST_DIMENSIONS and all(n >= 0 for n in shape) else -1
    if not 0 <= count <= LARGEST_TENSOR:
        raise Refused(f"tensor {name!r} has shape {shape[:MOST_DIMENSIONS]}; no MobileNet V1 has such a tensor")
    if tensor.data_location == _EXTERNAL:
        data: Array = np.frombuffer(_external(tensor, folder), dtype=kind)
    elif tensor.raw_data:
        usable = len(tensor.raw_data) % np.dtype(kind).itemsize == 0
        data = np.frombuffer(tensor.raw_data, dtype=kind) if usable else np.zeros(0, dtype=kind)
    else:
        values = getattr(tensor, field) if field else ()
        try:
            # One by one, as a list of numbers would take four times their memory.
            data = np.fromiter(values if len(values) == count else (), dtype=kind)
        except (OverflowError, ValueError):
            data = np.zeros(0, dtype=kind)
    if data.size != count:
        raise Refused(f"tensor {name!r} of shape {shape} holds {data.size:,} numbers; it is damaged")
    return data.reshape(shape)


def _external(tensor: Any, folder: Path) -> bytes:
    """The bytes of a tensor that lie in a file beside the ONNX file, as PyTorch's exporter writes them."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location, name = entries.get("location", ""), short(tensor.name)
    try:
        offset, length = int(entries.get("offset", "0")), int(entries.get("length", "-1"))
    except ValueError:
        raise Refused(f"tensor {name!r} lies at no number in {location!r}; it is damaged") from None
    # Only a plain name: a path could lead to any file of this machine.
    if not location or PurePath(location).name != location or "\\" in location or location == "..":
        raise Refused(f"tensor {name!r} lies in {short(location)!r}; only a file beside the ONNX file is read")
    path = folder / location
    try:
        if path.is_symlink() or not path.is_file():
            raise Refused(f"tensor {name!r} lies in {location}, which is not beside the ONNX file; copy it there")
        with open_file(path) as file:
            size = file.seek(0, os.SEEK_END)
            if not 0 <= offset <= offset + length <= size or length > LARGEST_FILE:
                raise Refused(f"tensor {name!r} lies outside {location}, which has {size:,} bytes; it is damaged")
            file.seek(offset)
            data: bytes = file.read(length)
            return data
    except OSError as problem:
        raise Refused(f"{path}: cannot be read ({problem.strerror})") from None


def _tensor_in(node: Any) -> Any:
    """The tensor of a Constant node, or None."""
    return attributes(node).get("value") if node.op_type == "Constant" else None


def _by(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes[:MOST_DIMENSIONS])) or "one number"


def short(name: str) -> str:
    """A name that fits into a message."""
    return name if len(name) <= 40 else f"{name[:37]}..."
