"""ONNX's nodes that take a part of their data along an axis, or join parts, as `parts` has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from depthwise.interop.onnx.file import attributes
from depthwise.interop.parts import MOST, Cut, Join, joined

CUTS = ("Gather", "Slice", "Split")
# An end that no image reaches, which stands for none.
ENDLESS = 10**9
# Constants of a node by the name of the attribute and the place of the input that may hold them.
Numbers = Callable[[Any, str, int], list[int]]
Readers = Callable[[str], Sequence[Any]]


def cut(node: Any, shape: Sequence[int | None], numbers: Numbers) -> Cut | None:
    """What a node takes of data of a shape; None where it is none of `CUTS`, or takes parts of several axes."""
    options = attributes(node)
    match node.op_type:
        case "Gather":
            places = numbers(node, "indices", 1)
            return _along(shape, int(options.get("axis", 0)), lambda size: {node.output[0]: [n % size for n in places]})
        case "Split":
            sizes = numbers(node, "split", 1)
            return _along(shape, int(options.get("axis", 0)), lambda size: _split(node.output, sizes, size))
        case "Slice":
            names = ("starts", "ends", "axes", "steps")
            starts, ends, axes, steps = (numbers(node, name, place) for place, name in enumerate(names, start=1))
            axes, steps = axes or list(range(len(starts))), steps or [1] * len(starts)
            if not len(starts) == len(ends) == len(axes) == len(steps):
                return None
            rows = [row for row in zip(axes, starts, ends, steps, strict=True) if not _whole(*row[1:])]
            if len(rows) == 1 and rows[0][3]:
                axis, start, end, step = rows[0]
                return _along(shape, axis, lambda size: {node.output[0]: range(size)[_slice(start, end, step, size)]})
    return None


def join(
    nodes: Sequence[Any], readers: Readers, shape: Sequence[int | None], numbers: Numbers
) -> tuple[Any, Cut] | None:
    """The node that joins what others cut apart of one value, and what it makes of that; None where none does.

    Args:
        nodes: all that read the value.
        shape: of the value.
    """
    cuts, last = [], None
    for node in nodes:
        found = cut(node, shape, numbers)
        if found is None:
            return None
        places: dict[Any, Sequence[int]] = {}
        for output, part in found.places.items():
            name, reader = _behind(str(output), readers, found.axis, len(shape), numbers)
            if reader is None or reader.op_type != "Concat" or (last is not None and reader is not last):
                return None
            places[name], last = part, reader
        cuts.append(Cut(axis=found.axis, places=places))
    if last is None:
        return None
    axis = int(attributes(last).get("axis", 0))
    whole = joined(cuts, Join(axis=axis % len(shape), names=list(last.input)))
    return None if whole is None else (last, whole)


def _behind(name: str, readers: Readers, axis: int, rank: int, numbers: Numbers) -> tuple[str, Any]:
    """Who alone reads a value that is joined, and the value's name there; what takes its axis away or brings it back is
    passed over, as PyTorch's `unbind` and `stack` have it."""
    for _ in range(3):
        found = readers(name)
        if len(found) != 1:
            return name, None
        node = found[0]
        if node.op_type not in ("Squeeze", "Unsqueeze") or [n % rank for n in numbers(node, "axes", 1)] != [axis]:
            return name, node
        name = node.output[0]
    return name, None


def _along(shape: Sequence[int | None], axis: int, places: Callable[[int], Mapping[Any, Sequence[int]]]) -> Cut | None:
    size = shape[axis] if -len(shape) <= axis < len(shape) else None
    if size is None or not 0 < size <= MOST:
        return None
    found = places(size)
    return Cut(axis=axis % len(shape), places=found) if found else None


def _whole(start: int, end: int, step: int) -> bool:
    """Whether a slice takes all of an axis of any size: TensorFlow writes a row for each axis before the last."""
    return start == 0 and end >= ENDLESS and step == 1


def _slice(start: int, end: int, step: int, size: int) -> slice:
    # An end before the first, of a slice that runs backwards, is written as a very negative number.
    return slice(start, None if step < 0 and end < -size else end, step)


def _split(outputs: Sequence[str], sizes: Sequence[int], size: int) -> dict[str, Sequence[int]]:
    each = list(sizes) or [-(-size // len(outputs))] * len(outputs)
    if len(each) != len(outputs) or min(each) < 1 or len(outputs) > size:
        return {}
    starts = [sum(each[:place]) for place in range(len(each))]
    return {name: range(size)[start : start + n] for name, start, n in zip(outputs, starts, each, strict=True)}
