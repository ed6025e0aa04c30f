"""What is known while the nodes of an ONNX graph are read."""

from __future__ import annotations

from dataclasses import dataclass

from depthwise.interop.axes import Axes
from depthwise.interop.chain import Chain
from depthwise.interop.onnx.nodes import Nodes


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A graph on its way to a chain.

    Attributes:
        axes: of the value that the walk has come to.
        chain: what was read so far.
        opset: version of ONNX's operators.
    """

    nodes: Nodes
    axes: Axes
    chain: Chain
    opset: int
