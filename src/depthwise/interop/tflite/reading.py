"""What is known while the operators of a TFLite file are read."""

from __future__ import annotations

from dataclasses import dataclass

from depthwise.interop.axes import Axes
from depthwise.interop.chain import Chain
from depthwise.interop.tflite.tensors import Tensors


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A file on its way to a chain.

    Attributes:
        axes: of the value that the walk has come to.
        chain: what was read so far.
    """

    tensors: Tensors
    axes: Axes
    chain: Chain
