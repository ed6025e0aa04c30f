"""Channels of a picture that a Keras model takes apart and joins again, as its caffe preprocessing turns them round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from depthwise.interop.parts import MOST, Cut, Join, copies_of, joined, order_of

# The class of a layer that stands here for several: no class of Keras, so that no file has one.
TURNED = "channels in another order"
_CUTS, _JOINS = ("GetItem", "SlicingOpLambda"), ("Stack", "Concatenate", "TFOpLambda")
_STACKS, _FUNCTIONS = ("Stack", "stack"), ("stack", "concat")
# The last axis of an image, counted from either end.
_AXIS = 3


def names_read(node: Any) -> Iterator[str]:
    """The names of layers that a layer is called with, each as often as it is named."""
    if isinstance(node, dict):
        history = node.get("keras_history")
        if isinstance(history, list) and history:
            yield str(history[0])
        else:
            for value in node.values():
                yield from names_read(value)
    elif isinstance(node, list):
        if len(node) >= 3 and isinstance(node[0], str) and isinstance(node[1], int):
            yield node[0]
            node = node[3:]
        for value in node:
            yield from names_read(value)


def merged(listed: Sequence[Any]) -> list[Any]:
    """Layers as a model lists them, where those that take channels apart and the one that joins them are one."""
    found: list[Any] = []
    place = 0
    while place < len(listed):
        count = _run(listed, place)
        turned = _turned(listed[place : place + count], listed[place + count]) if count else None
        found.append(listed[place] if turned is None else turned)
        place += 1 if turned is None else count + 1
    return found


def _run(listed: Sequence[Any], start: int) -> int:
    """How many layers from one on take parts of the same value, with another layer behind them."""
    place, sources = start, set[str]()
    while place < len(listed) - 1 and listed[place].get("class_name") in _CUTS and place - start < MOST:
        sources |= set(names_read(listed[place].get("inbound_nodes")))
        if len(sources) != 1:
            break
        place += 1
    return place - start


def _turned(cuts: Sequence[Mapping[str, Any]], last: Mapping[str, Any]) -> dict[str, Any] | None:
    config = last["config"]
    function = config.get("function", "") if last.get("class_name") == "TFOpLambda" else last.get("class_name")
    if function not in (*_FUNCTIONS, *_JOINS) or last.get("class_name") not in _JOINS:
        return None
    parts = [_cut(entry) for entry in cuts]
    join = Join(axis=_AXIS, names=list(names_read(last["inbound_nodes"])), stacks=function in _STACKS)
    whole = joined(parts, join)
    size = sum(len(places) for part in parts if part is not None for places in part.places.values())
    order, times = order_of(whole, size), copies_of(whole, size)
    if (order is None and not times) or config.get("axis", -1) not in (-1, _AXIS):
        return None
    made = {"name": str(config.get("name", last.get("name", ""))), "order": list(order or ()), "times": times}
    return {"class_name": TURNED, "config": made, "inbound_nodes": cuts[0]["inbound_nodes"]}


def _cut(entry: Mapping[str, Any]) -> Cut | None:
    """One channel, with its axis or without; None of anything else."""
    found = indices(entry["inbound_nodes"])
    if not found or any(index != slice(None) for index in found[:-1]):
        return None
    index = found[-1]
    one = isinstance(index, int) and index >= 0
    if isinstance(index, slice) and index.step in (None, 1) and (index.stop or 0) - (index.start or 0) == 1:
        return Cut(axis=_AXIS, places={_name(entry): [index.start or 0]})
    return Cut(axis=_AXIS, places={_name(entry): [index]}, drops=True) if one and isinstance(index, int) else None


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry["config"].get("name", entry.get("name", "")))


def indices(inbound: Any) -> list[int | slice | None]:
    """What a layer takes along each axis: all of those that `...` stands for, None for what is not understood.

    Keras 3 gives indices as the second operand, Keras 2 as `slice_spec`.
    """
    node = inbound[0]
    spec = (
        node["args"][1] if isinstance(node, dict) else next(e for e in (node, node[0]) if len(e) > 3)[3]["slice_spec"]
    )
    found: list[int | slice | None] = []
    for index in spec if isinstance(spec, list) else [spec]:
        if index == "..." or (isinstance(index, dict) and index.get("class_name") == "__ellipsis__"):
            found.append(slice(None))
        elif isinstance(index, int):
            found.append(index)
        elif isinstance(index, dict):
            parts = index.get("config", index)
            found.append(slice(parts.get("start"), parts.get("stop"), parts.get("step")))
        else:
            found.append(None)
    return found
