"""Models as attacks see them: logits of images in levels, with gradients."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from depthwise.attack.gradient.network import Differentiable
from depthwise.attack.subject import GROUP, FunctionSubject
from depthwise.cloud.folded import FoldedNetwork
from depthwise.cloud.module import normalise
from depthwise.cloud.quantized_module import QuantizedNetwork
from depthwise.network.model import Model
from depthwise.network.preprocessing import Preprocessing
from depthwise.network.quantized import QuantizedModel

# How gradients pass the roundings of int8: unchanged, or by the slope of a smooth staircase.
Rounding = Literal["through", "smooth"]
SOFTNESS = 0.9


def attackable(network: nn.Module, preprocessing: Preprocessing, *, together: int = GROUP) -> Differentiable:
    """A network, as a copy that no attack can change.

    Args:
        together: images that go through it at a time.
    """

    def prepare(levels: Tensor) -> Tensor:
        return normalise(levels, preprocessing)

    return Differentiable(network, prepare, together=together)


def subject(model: Model | QuantizedModel, *, rounding: Rounding = "through") -> FunctionSubject:
    """A float model, or the torch twin of an int8 one, which answers byte for byte as its artifacts do."""
    if isinstance(model, QuantizedModel):
        twin = QuantizedNetwork(model)
        twin.settle()
        twin.soften(SOFTNESS if rounding == "smooth" else 0.0)
        name = "int8, smoothed" if rounding == "smooth" else "int8"
        return _subject(name, attackable(twin, model.preprocessing))
    mean = torch.tensor(model.preprocessing.mean, dtype=torch.float32)
    return _subject("float", Differentiable(FoldedNetwork(model), lambda levels: (levels - mean).permute(0, 3, 1, 2)))


def _subject(name: str, network: Differentiable) -> FunctionSubject:
    return FunctionSubject(name, network.scores, network)
