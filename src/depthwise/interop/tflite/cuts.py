"""TFLite's operators that take a part of their data along an axis, or join parts, as `parts` has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from depthwise.interop.parts import MOST, Cut, Join
from depthwise.interop.tflite.file import Operator

CUTS = ("GATHER", "REVERSE_V2", "SLICE", "SPLIT", "SPLIT_V", "STRIDED_SLICE", "UNPACK")
# Those with several outputs.
SEVERAL = ("SPLIT", "SPLIT_V", "UNPACK")
# Constants of an operator as whole numbers, by the place of the input; the shape is lost.
Numbers = Callable[[Operator, int], list[int]]


def cut(operator: Operator, shape: Sequence[int], numbers: Numbers) -> Cut | None:
    """What an operator takes of data of a shape; None where it is none of `CUTS`, or takes parts of several axes."""
    options, outputs = operator.options, operator.outputs
    match operator.code:
        case "REVERSE_V2":
            (axis,) = numbers(operator, 1)[:1] or (-1,)
            return _along(shape, axis, lambda size: {outputs[0]: range(size)[::-1]})
        case "GATHER" if not options.get("BatchDims", 0):
            order = numbers(operator, 1)
            return _along(shape, int(options.get("Axis", 0)), lambda _: {outputs[0]: order})
        case "SPLIT":
            (axis,) = numbers(operator, 0)[:1] or (-1,)
            return _along(shape, axis, lambda size: _evenly(outputs, size))
        case "SPLIT_V":
            sizes, (axis,) = numbers(operator, 1), numbers(operator, 2)[:1] or (-1,)
            return _along(shape, axis, lambda size: _by_sizes(outputs, sizes, size))
        case "UNPACK":
            axis = int(options.get("Axis", 0))
            return _along(shape, axis, lambda size: _evenly(outputs, size), drops=True)
        case "SLICE":
            begins, sizes = numbers(operator, 1), numbers(operator, 2)
            ends = [begin + size if size >= 0 else None for begin, size in zip(begins, sizes, strict=True)]
            return _sliced(shape, outputs[0], list(map(slice, begins, ends)), 0)
        case "STRIDED_SLICE" if not (options.get("EllipsisMask", 0) or options.get("NewAxisMask", 0)):
            shrunk = int(options.get("ShrinkAxisMask", 0))
            return _sliced(shape, outputs[0], _strided(operator, numbers, shrunk), shrunk)
    return None


def join(operator: Operator, rank: int) -> Join | None:
    """What an operator joins to a value of so many axes; None where it joins nothing."""
    if operator.code not in ("CONCATENATION", "PACK") or operator.options.get("FusedActivationFunction", 0):
        return None
    axis = int(operator.options.get("Axis", 0))
    return Join(axis=axis % rank, names=operator.inputs, stacks=operator.code == "PACK")


def _along(
    shape: Sequence[int], axis: int, places: Callable[[int], dict[int, Sequence[int]]], *, drops: bool = False
) -> Cut | None:
    if not -len(shape) <= axis < len(shape) or not 0 < shape[axis] <= MOST:
        return None
    found = {name: [n % shape[axis] for n in part] for name, part in places(shape[axis]).items()}
    return Cut(axis=axis % len(shape), places=found, drops=drops) if found else None


def _evenly(outputs: Sequence[int], size: int) -> dict[int, Sequence[int]]:
    return _by_sizes(outputs, [size // max(len(outputs), 1)] * len(outputs), size)


def _by_sizes(outputs: Sequence[int], sizes: Sequence[int], size: int) -> dict[int, Sequence[int]]:
    if sum(sizes) != size or len(sizes) != len(outputs) or min(sizes, default=0) < 1:
        return {}
    ends = [sum(sizes[: place + 1]) for place in range(len(sizes))]
    return {name: range(end - n, end) for name, end, n in zip(outputs, ends, sizes, strict=True)}


def _strided(operator: Operator, numbers: Numbers, shrunk: int) -> list[slice]:
    """One slice an axis, as Python has them; an axis that is shrunk to one place has that place alone."""
    begin_open, end_open = (int(operator.options.get(name, 0)) for name in ("BeginMask", "EndMask"))
    parts = []
    for axis, (begin, end, step) in enumerate(zip(*(numbers(operator, place) for place in (1, 2, 3)), strict=True)):
        if shrunk >> axis & 1:
            parts.append(slice(begin, begin + 1 if begin != -1 else None))
            continue
        parts.append(slice(None if begin_open >> axis & 1 else begin, None if end_open >> axis & 1 else end, step or 1))
    return parts


def _sliced(shape: Sequence[int], output: int, parts: Sequence[slice], shrunk: int) -> Cut | None:
    if len(parts) != len(shape):
        return None
    taken = [range(size)[part] for size, part in zip(shape, parts, strict=True)]
    changed = [axis for axis, (size, part) in enumerate(zip(shape, taken, strict=True)) if part != range(size)]
    if len(changed) != 1 or shrunk not in (0, 1 << changed[0]):
        return None
    return _along(shape, changed[0], lambda _: {output: taken[changed[0]]}, drops=bool(shrunk))
