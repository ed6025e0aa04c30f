"""Each node of an ONNX graph as the operations that it does: what torch, timm, tf2onnx and this project write."""

from __future__ import annotations

from typing import Any

from depthwise.errors import Refused
from depthwise.interop.axes import CHANNELS, FIRST
from depthwise.interop.chain import Choice, Operation, Pool, Reorder, Sigmoid, Softmax
from depthwise.interop.onnx import arithmetic, layers, qoperator
from depthwise.interop.onnx.cuts import CUTS, ENDLESS, cut
from depthwise.interop.onnx.reading import Reading
from depthwise.interop.parts import RESIZED, Cut, copies_of, order_of

_PASSES = ("Identity", "Dropout", "Cast")
# Of this version of ONNX's operators and later ones, a softmax is over the last axis where it does not say.
_LAST_AXIS = 13
DYNAMIC = ("DynamicQuantizeLinear", "ConvInteger", "MatMulInteger", "DynamicQuantizeMatMul", "MatMulIntegerToFloat")


def operations(of: Reading, node: Any, options: dict[str, Any], value: str) -> list[Operation]:
    """What a node does with `value`, one of its inputs.

    Args:
        options: its attributes.
    Raises: Refused, when no MobileNet V1 has such a node.
    """
    where = of.nodes.where(node)
    match node.op_type:
        case "Conv":
            return layers.convolution(of, node, options)
        case "BatchNormalization":
            of.axes.take_channels(1, where, "normalises along another axis")
            return [layers.norm(of, node, options)]
        case "Relu" | "Clip" | "Min" | "Max":
            return [arithmetic.clamp(of, node, options, value)]
        case "Pad":
            return arithmetic.pad(of, node, options)
        case "GlobalAveragePool":
            of.axes.pooled(where)
            return [Pool(where=where)]
        case "AveragePool":
            of.axes.pooled(where)
            return [layers.pool(where, options)]
        case "ReduceMean" | "ReduceSum":
            axes = [int(axis) for axis in of.nodes.listed(node, options, "axes", 1)]
            keep, total = bool(options.get("keepdims", 1)), node.op_type == "ReduceSum"
            return of.axes.reduce(axes, keep=keep, total=total, where=where)
        case "Gemm" | "MatMul":
            return [layers.dense(of, node, options, value)]
        case "Add" | "Sub" | "Mul" | "Div":
            return [arithmetic.affine(of, node, value)]
        case "QuantizeLinear":
            return arithmetic.quantise(of, node)
        case "DequantizeLinear":
            return arithmetic.dequantise(of, node)
        case "Softmax" | "LogSoftmax":
            usual = -1 if of.opset >= _LAST_AXIS else 1
            of.axes.take_channels(options.get("axis", usual), where, "compares along another axis")
            return [Softmax(where=where)]
        case "Sigmoid":
            return [Sigmoid(where=where)]
        case "ArgMax":
            of.axes.take_channels(options.get("axis", 0), where, "compares along another axis")
            return [Choice(where=where)]
        case "Expand" | "Tile":
            return _copied(of, node)
        case "Concat" if not of.axes.begun and set(node.input) == {value}:
            axis = of.axes.place(options.get("axis", 1), where)
            return of.axes.copy([len(node.input) if place == axis else 1 for place in range(len(of.axes.now))], where)
        case "Gather" if (shape := _all_channels(of, node, options)) is not None:
            return of.axes.reshape(shape, where)
        case code if code in CUTS:
            found = None if of.axes.begun else cut(node, of.axes.shape, of.nodes.numbers)
            return reordered(of, of.nodes.where(node), found)
        case code if code in _PASSES:
            return []
        case code if code in qoperator.READ:
            return layers.of_qoperator(of, node, options)
        case _:
            return _reshaped(of, node, options)


def reordered(of: Reading, where: str, found: Cut | None) -> list[Operation]:
    """Channels in another order before the first convolution."""
    if found is not None and (times := copies_of(found, of.axes.size(found.axis) or 0)):
        return of.axes.copy([times if axis == found.axis else 1 for axis in range(len(of.axes.now))], where)
    order = None if found is None else order_of(found, of.axes.size(found.axis) or 0)
    if found is None or order is None:
        raise Refused(f"{where} takes a part of its data; MobileNet V1 takes all")
    of.axes.take_channels(found.axis, where, "puts rows or columns in another order")
    return [Reorder(where=where, order=order)]


def _all_channels(of: Reading, node: Any, options: dict[str, Any]) -> list[int] | None:
    """The shape in which a node behind the pool takes all channels in their order, as PyTorch exports a view."""
    if of.axes.now != (CHANNELS,) or options.get("axis", 0) != 0:
        return None
    places = of.nodes.input(node, 1)
    same = places.size == of.axes.channels and bool((places.reshape(-1) == range(places.size)).all())
    return [int(n) for n in places.shape] if same else None


def _copied(of: Reading, node: Any) -> list[Operation]:
    """The same values several times: a shape that they are stretched to, or how often along each axis."""
    where, shape = of.nodes.where(node), _shape(of, node)
    if shape is None:
        raise Refused(f"{where} copies its data as another part of the graph computes; MobileNet V1 copies none")
    if node.op_type == "Tile" or len(shape) != len(of.axes.now) or of.axes.begun:
        return of.axes.copy(list(shape), where)
    pairs = zip(shape, of.axes.shape, strict=True)
    return of.axes.copy([None if n in (-1, 0, 1, size) else n for n, size in pairs], where)


def _reshaped(of: Reading, node: Any, options: dict[str, Any]) -> list[Operation]:
    """Nodes that leave numbers as they are and change their axes."""
    where = of.nodes.where(node)
    match node.op_type:
        case "Transpose":
            of.axes.transpose(options.get("perm"), where)
            return []
        case "Unsqueeze":
            of.axes.unsqueeze([int(axis) for axis in of.nodes.listed(node, options, "axes", 1)], where)
            return []
        case "Squeeze":
            axes = [int(axis) for axis in of.nodes.listed(node, options, "axes", 1)]
            return of.axes.squeeze(axes or None, where)
        case "Flatten":
            if of.axes.place(options.get("axis", 1), where) != 1:
                raise Refused(f"{where} does not leave one line an image; MobileNet V1 does")
            return of.axes.reshape(None, where)
        case "Reshape":
            return of.axes.reshape(_shape(of, node), where)
        case "Resize" | "Upsample":
            raise Refused(f"{where} resizes its image inside the network; {RESIZED}")
        case code if code in DYNAMIC:
            raise Refused(
                f"{where} is of ONNX's dynamic quantisation, whose ranges are found anew for each picture; export"
                " the float network, or quantise with QuantFormat.QDQ and calibration pictures"
            )
        case code if code.startswith("Q"):
            raise Refused(
                f"{where} is of ONNX's QOperator form, of which this node is not read; quantise with"
                " QuantFormat.QDQ, or export the float network"
            )
        case _:
            raise Refused(f"{where} is not part of MobileNet V1")


def _shape(of: Reading, node: Any) -> list[int] | None:
    """The shape that a node makes, or None where the graph computes it from another."""
    if len(node.input) > 1 and node.input[1] in of.nodes.shapes:
        return _computed_shape(of, _maker(of, node.input[1]), node.input[0])
    return [int(n) for n in of.nodes.input(node, 1).reshape(-1)]


def _maker(of: Reading, name: str) -> Any:
    """The node that makes a shape, before it is written as another kind of whole number."""
    maker = of.nodes.constants.maker(name)
    return of.nodes.constants.maker(maker.input[0]) if maker is not None and maker.op_type == "Cast" else maker


def _computed_shape(of: Reading, maker: Any, value: str) -> list[int] | None:
    """A shape with sizes of the data as they are (0), as `flatten(2)` of PyTorch and tf2onnx have them; or None."""
    shape: list[int] = []
    for name in maker.input if maker is not None and maker.op_type == "Concat" else ():
        part = _maker(of, name)
        if name not in of.nodes.shapes:
            shape += [int(n) for n in of.nodes.constants.get(name, of.nodes.where(maker)).reshape(-1)]
        elif part is not None and part.op_type == "Slice":
            starts, ends = (of.nodes.numbers(part, key, place) for place, key in enumerate(("starts", "ends"), start=1))
            source = _maker(of, part.input[0])
            # A slice up to the end: of the input's own four sizes it is known how many that are.
            if len(ends) == 1 and ends[0] >= ENDLESS and source is not None and of.nodes.is_input(source.input[0]):
                ends = [len(FIRST)]
            if source is not None and source.input[0] == value and not of.axes.begun and len(starts) == len(ends) == 1:
                shape += [size or -1 for size in of.axes.shape[starts[0] : ends[0]]]
                continue
            if starts != [len(shape)] or len(ends) != 1 or not 0 <= ends[0] - starts[0] <= len(of.axes.now):
                return None
            shape += [0] * (ends[0] - starts[0])
        else:
            return None
    return shape or None
