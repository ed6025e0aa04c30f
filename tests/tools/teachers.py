"""Networks for the tests of `--distill`, without a weight: their numbers are the mean colours of a picture."""

from __future__ import annotations

from torch import Tensor, nn


class Means(nn.Module):
    """Features."""

    side = 8

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))


class Knows(Means):
    """Answers: the redder, the likelier a dog; the greener, the likelier a cat."""

    labels = ("dog", "cat")

    def forward(self, x: Tensor) -> Tensor:
        return 5 * super().forward(x)[:, :2]


class Sure(Knows):
    """The same with a softmax at its end."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).softmax(1)


class Tall(nn.Module):
    """Neither."""

    def forward(self, x: Tensor) -> Tensor:
        return x


means, knows, sure, tall = Means, Knows, Sure, Tall


def needs_more(path: str) -> nn.Module:
    """Not to be called without an argument."""
    raise AssertionError(path)


def number() -> int:
    """No network."""
    return 3
