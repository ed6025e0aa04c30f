"""Channels that an ONNX graph puts in another order: by one node, or cut apart and joined again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from depthwise.interop.onnx_file import attributes

# Pictures are grey or of three colours.
MOST = 4
Numbers = Callable[[Any, str, int], list[int]]
PARTS = ("Gather", "Slice", "Split")


def chosen(node: Any, axis_size: Callable[[int], int | None], numbers: Numbers) -> tuple[int, list[list[int]]] | None:
    """The axis along which a node takes places, and the places in each of its outputs; None where it is no such node.

    Args:
        axis_size: length of an axis of its data.
        numbers: constants of a node by the name of the attribute and the place of the input that may hold them.
    """
    options = attributes(node)
    match node.op_type:
        case "Gather":
            axis = int(options.get("axis", 0))
            size, places = axis_size(axis), numbers(node, "indices", 1)
            return None if size is None else (axis, [[n % size for n in places]])
        case "Split":
            axis = int(options.get("axis", 0))
            if axis_size(axis) != len(node.output) or len(node.output) > MOST:
                return None
            return axis, [[place] for place in range(len(node.output))]
        case "Slice":
            names = ("starts", "ends", "axes", "steps")
            starts, ends, axes, steps = (numbers(node, name, place) for place, name in enumerate(names, start=1))
            axis, step = axes[0] if len(axes) == 1 else 0, steps[0] if steps else 1
            size = axis_size(axis) or 0
            if not (len(starts) == len(ends) == 1 and 0 < size <= MOST and step):
                return None
            # An end before the first, of a slice that runs backwards, is written as a very negative number.
            return axis, [list(range(size)[starts[0] : None if step < 0 and ends[0] < -size else ends[0] : step])]
    return None


def joined(
    nodes: Sequence[Any],
    readers: Callable[[str], Sequence[Any]],
    axis_size: Callable[[int], int | None],
    numbers: Numbers,
) -> tuple[Any, int, list[int]] | None:
    """The node that joins what others cut apart, the axis, and the order of channels; None where they do not.

    Args:
        nodes: all that read one value.
        readers: who reads a value.
    """
    parts: dict[str, list[int]] = {}
    axes: set[int] = set()
    for node in nodes:
        found = chosen(node, axis_size, numbers) if node.op_type in PARTS else None
        if found is None:
            return None
        axes.add(found[0])
        parts |= dict(zip(node.output, found[1], strict=True))
    behind = [reader for name in parts for reader in readers(name)]
    if not behind or any(node is not behind[0] for node in behind) or behind[0].op_type != "Concat":
        return None
    last = behind[0]
    axes.add(int(attributes(last).get("axis", 0)))
    if len(axes) != 1 or any(name not in parts for name in last.input):
        return None
    return last, axes.pop(), [n for name in last.input for n in parts[name]]
