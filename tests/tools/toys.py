"""Networks of torch whose worst case under a budget has a closed form."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from depthwise.attack.gradient.network import Differentiable
from depthwise.attack.subject import FunctionSubject

SIDE, CHANNELS = 4, 3


class Linear(nn.Module):
    """Two logits, 0 and `w x + b`; the right label is 0, so that the margin of the wrong one is the second logit."""

    def __init__(self, seed: int = 0, side: int = SIDE) -> None:
        super().__init__()
        made = torch.Generator().manual_seed(seed)
        self.w = nn.Parameter(torch.randn(side * side * CHANNELS, generator=made) / 64)
        self.b = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        value = x.flatten(1) @ self.w + self.b
        return torch.stack([torch.zeros_like(value), value], 1)


class Away(nn.Module):
    """Two logits, 0 and the squared distance from a centre, less an offset."""

    def __init__(self, centre: Tensor) -> None:
        super().__init__()
        self.centre = nn.Parameter(centre)

    def forward(self, x: Tensor) -> Tensor:
        value = (x - self.centre).flatten(1).square().sum(1) / 4096 - 7
        return torch.stack([torch.zeros_like(value), value], 1)


def subject_of(network: nn.Module) -> FunctionSubject:
    """A network that takes levels as they are."""
    found = Differentiable(network, lambda levels: levels)
    return FunctionSubject("toy", found.scores, found)


def images(count: int = 3, seed: int = 0, low: int = 60, high: int = 196, side: int = SIDE) -> NDArray[np.uint8]:
    """(N, side, side, 3) random bytes."""
    rng = np.random.default_rng(seed)
    return rng.integers(low, high, (count, side, side, CHANNELS)).astype(np.uint8)


def shifted(network: Linear, pixels: NDArray[np.uint8]) -> Linear:
    """The same network with its bias such that every image is right by at least a little."""
    with torch.no_grad():
        most = network(torch.from_numpy(pixels.astype(np.float32)))[:, 1].max()
        network.b.sub_(most + 0.01)
    return network
