"""The float network with everything folded, layer by layer: what int8 is measured against.

In float32, which is quick and far finer than a byte. Sizes: B images, H W C of an input, N output channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthwise.errors import Refused
from depthwise.network import reference
from depthwise.network.folding import Folded, fold
from depthwise.network.layers import Layer, layers
from depthwise.network.memory import images_at_once
from depthwise.network.model import Model
from depthwise.network.spec import Spec

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

# Values of the largest activation that are worked on at once: some 32 MB.
TOGETHER = 2**23


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatNet:
    """A network as folded layers.

    Attributes:
        table: its layers.
        folded: weight and bias by name, float64.
        means: what is taken off the pixels, one a channel.
        activation: after every normalised layer.
    """

    table: tuple[Layer, ...]
    folded: dict[str, Folded]
    means: Floats
    activation: str

    @classmethod
    def of(cls, model: Model) -> FloatNet:
        """The folded form of a model."""
        return cls(
            table=layers(model.spec),
            folded=fold(model),
            means=np.array(model.preprocessing.mean, np.float32),
            activation=model.spec.activation,
        )

    def start(self, pixels: Pixels) -> Floats:
        """The first layer's input (B, H, W, C)."""
        return np.asarray(pixels.astype(np.float32) - self.means, np.float32)

    def sums(self, index: int, x: Floats, folded: Folded | None = None) -> Floats:
        """A layer's output (B, H', W', N) before its activation; with other weights where `folded` is given."""
        layer = self.table[index]
        if layer.kind == "pool":
            return np.asarray(reference.pool(x), np.float32)
        weight, bias = (part.astype(np.float32) for part in folded or self.folded[layer.name])
        match layer.kind:
            case "stem" | "standard" | "pointwise":
                found = reference.convolution(x, weight, layer.stride, layer.padding)
            case "depthwise":
                found = reference.depthwise(x, weight, layer.stride, layer.padding)
            case "classifier":
                found = x @ weight.T
            case kind:
                raise Refused(f"layer {layer.name}: quantize has no form for kind {kind}")
        return np.asarray(found + bias, np.float32)

    def activate(self, index: int, sums: Floats) -> Floats:
        """A layer's output of its sums."""
        return np.asarray(reference.activate(sums, self.activation), np.float32) if self.table[index].norm else sums

    def forward(self, x: Floats, first: int = 0, stop: int | None = None) -> Floats:
        """The input of layer `stop` (the logits, for None) from the input of layer `first`."""
        for index in range(first, len(self.table) if stop is None else stop):
            x = self.activate(index, self.sums(index, x))
        return x


def together(spec: Spec) -> int:
    """How many images to work on at once.

    Raises: Refused, when one takes too much memory.
    """
    images_at_once(spec, "quantising", copies=reference.COPIES, value_bytes=4)
    return max(1, min(256, TOGETHER // max(layer.output.size for layer in layers(spec))))


def parts(count: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` that make up a whole."""
    for start in range(0, count, size):
        yield slice(start, start + size)
