"""The nodes of an ONNX file as a chain, from the input to the output, in float and in QDQ int8."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from depthwise.errors import Refused
from depthwise.interop.axes import Axes
from depthwise.interop.chain import Chain
from depthwise.interop.onnx import qoperator
from depthwise.interop.onnx.cuts import join
from depthwise.interop.onnx.file import attributes, short
from depthwise.interop.onnx.nodes import Nodes
from depthwise.interop.onnx.operations import DYNAMIC, operations, reordered
from depthwise.interop.onnx.reading import Reading

# TensorProto.DataType of an input: what is added to a pixel to become its whole number, None for real numbers.
_OFFSETS: dict[int, int | None] = {1: None, 10: None, 11: None, 2: 0, 3: -128, 4: 0, 5: 0, 6: 0, 7: 0, 12: 0}


def chain(graph: Any, folder: Path, opset: int) -> Chain:
    """The chain of a graph's nodes.

    Args:
        folder: where the file lies.
        opset: version of ONNX's operators.
    Raises: Refused, naming the first node that no MobileNet V1 has.
    """
    fixed = {tensor.name for tensor in graph.initializer}
    inputs = [entry for entry in graph.input if entry.name not in fixed]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise Refused(f"it has {len(inputs)} inputs and {len(graph.output)} outputs; MobileNet V1 has one of each")
    nodes, made = Nodes(graph, folder), Chain(height=None, width=None, channels=None, offset=_offset(inputs[0]))
    of = Reading(nodes=nodes, axes=Axes(_sizes(inputs[0])), chain=made, opset=opset)
    # Inputs of all nodes so far.
    value, read = inputs[0].name, list[str]()
    for _ in range(nodes.count + 1):
        if value == graph.output[0].name:
            made.unread = nodes.constants.unread(read)
            return made
        value, names = _step(of, value)
        read += names
    raise Refused("its nodes run in a circle; it is damaged")


def _step(of: Reading, value: str) -> tuple[str, list[str]]:
    """Add what is done to a value to the chain; what that becomes, and the names of all that was read for it."""
    readers = of.nodes.reading(value)
    if not readers:
        raise Refused(f"value {short(value)!r} is read by nobody and is not the output; it is damaged")
    if not of.axes.begun and (len(readers) > 1 or readers[0].op_type == "Split"):
        found = join(readers, of.nodes.reading, of.axes.shape, of.nodes.numbers)
        if found is not None:
            last, whole = found
            of.chain.add(*reordered(of, of.nodes.where(last), whole))
            return last.output[0], [name for reader in readers for name in reader.input]
    if len(readers) > 1:
        first, second = map(of.nodes.where, readers[:2])
        raise Refused(f"{second} reads what {first} reads, too; MobileNet V1 has no branches, is this another network?")
    node = readers[0]
    if not node.output:
        raise Refused(f"{of.nodes.where(node)} has no output; it is damaged")
    if node.domain not in ("", "ai.onnx") and node.op_type not in (*qoperator.READ, *DYNAMIC):
        raise Refused(f"{of.nodes.where(node)} is of {short(node.domain)!r}, not of ONNX; {_plain(node.domain)}")
    for operation in operations(of, node, attributes(node), value):
        of.axes.check(operation)
        of.chain.add(operation)
    return node.output[0], list(node.input)


def _plain(domain: str) -> str:
    if domain.startswith("com.microsoft"):
        return "take the file from before onnxruntime optimised it, or quantise with QuantFormat.QDQ"
    return "export plain ONNX"


def _sizes(entry: Any) -> list[int | None]:
    dimensions = entry.type.tensor_type.shape.dim
    if len(dimensions) != 4:
        raise Refused(f"its input has {len(dimensions)} dimensions; MobileNet V1 takes images in four")
    return [d.dim_value if d.dim_value > 0 else None for d in dimensions]


def _offset(entry: Any) -> int | None:
    kind = entry.type.tensor_type.elem_type
    if kind not in _OFFSETS:
        raise Refused(f"its input is of type {kind}; MobileNet V1 takes real numbers or bytes")
    return _OFFSETS[kind]
