"""The operators of a TFLite file as a chain, from the input to the output."""

from __future__ import annotations

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.axes import Axes
from depthwise.interop.chain import Affine, Chain
from depthwise.interop.tflite.file import File, Operator, Tensor
from depthwise.interop.tflite.operations import joining, operations
from depthwise.interop.tflite.reading import Reading
from depthwise.interop.tflite.tensors import Tensors, levels

# What is added to a pixel to become the input's whole number; real numbers are not among them.
_OFFSETS = {"uint8": 0, "int8": -128, "int16": 0, "int32": 0, "int64": 0}


def chain(file: File) -> Chain:
    """The chain of a file's operators.

    Raises: Refused, naming the first operator that no MobileNet V1 has.
    """
    if len(file.inputs) != 1 or len(file.outputs) != 1:
        raise Refused(f"it has {len(file.inputs)} inputs and {len(file.outputs)} outputs; MobileNet V1 has one of each")
    tensors, readers = Tensors(file), _data_readers(file)
    value = tensors.tensor(file.inputs[0], "the input")
    if len(value.shape) != 4:
        raise Refused(f"the input has shape {value.shape}; MobileNet V1 takes (images, height, width, channels)")
    made = Chain(height=None, width=None, channels=None, offset=_OFFSETS.get(value.kind))
    of = Reading(tensors=tensors, axes=Axes([n if n > 0 else None for n in value.sizes]), chain=made)
    for operation in _entry(value, readers.get(value.index, [])):
        made.add(operation)
    # Inputs of all operators so far.
    read: list[int] = []
    for _ in range(len(file.operators) + 1):
        if value.index == file.outputs[0]:
            made.unread = _unread(file, read)
            return made
        value, inputs = _step(of, value, readers)
        read += inputs
    raise Refused("its operators run in a circle; it is damaged")


def _data_readers(file: File) -> dict[int, list[Operator]]:
    """Who reads each tensor that depends on the pixels. Constants and the arithmetic of shapes stand aside."""
    readers: dict[int, list[Operator]] = {}
    aside = {-1, *(tensor.index for tensor in file.tensors if tensor.data is not None)}
    for operator in file.operators:
        if operator.code == "SHAPE" or all(index in aside for index in operator.inputs):
            aside.update(operator.outputs)
            continue
        for index in set(operator.inputs) - aside:
            readers.setdefault(index, []).append(operator)
    return readers


def _entry(value: Tensor, readers: list[Operator]) -> list[Affine]:
    """What the bytes of the input stand for. A CAST takes the whole numbers as they are, whatever that is."""
    found = levels(value)
    if found is None or (readers and readers[0].code == "CAST"):
        return []
    scale, zero = np.array(found.scale), found.zero + int(np.iinfo(value.kind).min)
    return [Affine(where="the input", scale=scale, shift=-scale * zero)]


def _step(of: Reading, value: Tensor, readers: dict[int, list[Operator]]) -> tuple[Tensor, list[int]]:
    """Add what is done to a value to the chain; what that becomes, and the numbers of all that was read for it."""
    found = readers.get(value.index, [])
    if not found:
        raise Refused(f"tensor {value.name!r} is read by nobody and is not the output; it is damaged")
    if (last := joining(of, found, lambda index: readers.get(index, []), value)) is not None:
        return of.tensors.tensor(last.outputs[0], last.where), [index for one in found for index in one.inputs]
    if len(found) > 1:
        raise Refused(
            f"{found[1].where} reads what {found[0].where} reads, too; MobileNet V1 has no branches, is this"
            " another network?"
        )
    operator = found[0]
    if len(operator.outputs) != 1:
        raise Refused(f"{operator.where} has {len(operator.outputs)} outputs; MobileNet V1 has no such operator")
    for operation in operations(of, operator, value):
        of.axes.check(operation)
        of.chain.add(operation)
    return of.tensors.tensor(operator.outputs[0], operator.where), list(operator.inputs)


def _unread(file: File, read: list[int]) -> tuple[str, ...]:
    """Arrays that no operator on the way reads, each with its shape; and graphs of their own behind the first."""
    makers = {index: operator for operator in file.operators for index in operator.outputs}
    reached, left = set(), list(read)
    while left:
        index = left.pop()
        if index not in reached:
            reached.add(index)
            left += makers[index].inputs if index in makers else ()
    others = [f"graph {place + 1} of {file.graphs}" for place in range(1, file.graphs)]
    held = [tensor for tensor in file.tensors if tensor.data is not None and tensor.index not in reached]
    return (*(f"{t.name[:40]!r} ({'x'.join(map(str, t.shape)) or 'one number'})" for t in held), *others)
