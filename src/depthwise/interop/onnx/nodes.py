"""The nodes of an ONNX graph: where each stands, and the constants among its inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.chain import Integers
from depthwise.interop.onnx.file import Constants, attributes, short
from depthwise.network.weights import Array


class Nodes:
    """All nodes of a graph.

    Attributes:
        constants: arrays by name.
        shapes: names of values that are computed from the shapes of others, which the file need not state.
        readers: who reads each value that depends on the pixels. Constants and the arithmetic of shapes stand aside.
        count: how many there are.
    """

    def __init__(self, graph: Any, folder: Path) -> None:
        """Args: folder: where the file lies."""
        self.constants = Constants(graph, folder)
        # protobuf makes a new Python object each time a node is asked for; those of this list keep their ids.
        self._nodes = list(graph.node)
        self._places = {id(node): f"node {place} ({short(node.op_type)})" for place, node in enumerate(self._nodes)}
        self.count = len(self._nodes)
        self._inputs = {entry.name for entry in graph.input}
        self.shapes: set[str] = set()
        self.readers = self._data_readers({tensor.name for tensor in graph.initializer})

    def _data_readers(self, fixed: set[str]) -> dict[str, list[Any]]:
        aside = fixed | {""}
        readers: dict[str, list[Any]] = {}
        for node in self._nodes:
            if node.op_type == "Shape" or all(name in aside for name in node.input):
                aside.update(node.output)
                if node.op_type == "Shape" or not self.shapes.isdisjoint(node.input):
                    self.shapes.update(node.output)
                continue
            for name in set(node.input) - aside:
                readers.setdefault(name, []).append(node)
        return readers

    def is_input(self, name: str) -> bool:
        """Whether a value is the graph's own input."""
        return name in self._inputs

    def reading(self, name: str) -> list[Any]:
        """The nodes that read a value."""
        return self.readers.get(name, [])

    def where(self, node: Any) -> str:
        """A node's place and kind, for messages."""
        return self._places[id(node)]

    def input(self, node: Any, place: int) -> Array:
        """The constant that a node takes at a place.

        Raises: Refused, when there is none.
        """
        if place >= len(node.input) or not node.input[place]:
            raise Refused(f"{self.where(node)} has {len(node.input)} inputs, too few; it is damaged")
        return self.constants.get(node.input[place], self.where(node))

    def optional(self, node: Any, place: int) -> Array | None:
        """The same, or None where it is left out."""
        return self.input(node, place) if place < len(node.input) and node.input[place] else None

    def other(self, node: Any, value: str) -> Array:
        """The constant of a node that joins a constant with the data, which is `value`."""
        places = [place for place, name in enumerate(node.input) if name != value]
        if len(node.input) != 2 or len(places) != 1:
            raise Refused(f"{self.where(node)} joins two branches; MobileNet V1 has none, is this MobileNet V2?")
        return self.input(node, places[0])

    def listed(self, node: Any, options: dict[str, Any], name: str, place: int) -> list[Any]:
        """Numbers that older nodes have as an attribute, and newer ones as an input."""
        if name in options:
            return list(options[name])
        found = self.optional(node, place)
        return [] if found is None else found.reshape(-1).tolist()

    def numbers(self, node: Any, name: str, place: int) -> list[int]:
        """The same as whole numbers."""
        return [int(n) for n in self.listed(node, attributes(node), name, place)]

    def integers(self, node: Any, *, axis: int) -> Integers | None:
        """The weight as it is, where it is of bytes with one zero point, and one scale or one a channel on an axis."""
        maker, where = self.constants.maker(node.input[1]), self.where(node)
        if maker is None or maker.op_type != "DequantizeLinear":
            return None
        weight, scales, *zeros = [self.constants.get(name, where) for name in maker.input if name]
        wanted = attributes(maker).get("axis", 1) % max(weight.ndim, 1)
        if scales.size > 1 and wanted != axis:
            return None
        return Integers.of(weight, scales, zeros[0] if zeros else np.zeros(0, np.int64))
