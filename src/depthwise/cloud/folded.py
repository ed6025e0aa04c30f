"""A float network whose weights stay as they are: normalisation and the scale of pixels are folded into them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from depthwise.cloud.module import clamped
from depthwise.network.folding import Folded, fold
from depthwise.network.layers import Layer, Padding, layers
from depthwise.network.model import Model


class FoldedNetwork(nn.Module):
    """Answers as `Network` does in evaluation mode, in two thirds of the time, and gives images their gradients.

    Input: (B, C, H, W) float, pixels less their mean; channels_last is fastest. Output: (B, classes) logits.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        rows, weights = layers(model.spec), fold(model)
        self.convolutions = nn.ModuleList(
            _convolution(row, weights[row.name]) for row in rows if row.kind not in ("pool", "classifier")
        )
        self._around = tuple(_around(row.padding) for row in rows if row.kind not in ("pool", "classifier"))
        self.classifier = _classifier(weights[rows[-1].name])
        self._is_relu6 = model.spec.activation == "relu6"

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, classes)."""
        for convolution, around in zip(self.convolutions, self._around, strict=True):
            x = convolution(F.pad(x, around) if any(around) else x)
            x = clamped(x) if self._is_relu6 else F.relu(x, inplace=True)
        logits: Tensor = self.classifier(x.mean((2, 3)))
        return logits


def _around(pad: Padding) -> tuple[int, int, int, int]:
    """What is put around an image before a convolution: nothing where the convolution does it."""
    return (0, 0, 0, 0) if _is_even(pad) else (pad.left, pad.right, pad.top, pad.bottom)


def _is_even(pad: Padding) -> bool:
    return pad.top == pad.bottom == pad.left == pad.right


def _convolution(row: Layer, weights: Folded) -> nn.Conv2d:
    made = nn.Conv2d(
        row.input.channels,
        row.output.channels,
        row.kernel,
        row.stride,
        padding=row.padding.top if _is_even(row.padding) else 0,
        groups=row.input.channels if row.kind == "depthwise" else 1,
    )
    _fill(made, weights)
    return made.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _classifier(weights: Folded) -> nn.Linear:
    made = nn.Linear(*reversed(weights.weight.shape))
    _fill(made, weights)
    return made


def _fill(made: nn.Conv2d | nn.Linear, weights: Folded) -> None:
    assert made.bias is not None
    with torch.no_grad():
        made.weight.copy_(torch.from_numpy(weights.weight))
        made.bias.copy_(torch.from_numpy(weights.bias))
