"""What a teacher is: a network that says numbers of a picture, answers or features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

# Each picture is looked at as it is and mirrored.
VIEWS = 2


class Teacher(Protocol):
    """A network that looks at pictures.

    Attributes:
        name: what the user called it.
        key: a text that differs where its numbers could: its weights, its side, how it sees pictures.
        about: what it is and at which side it looks, for the user.
        labels: the classes that it answers for; empty where it gives features, which know no classes.
        width: how many numbers it gives of a view.
        channels: of the pictures that it takes.
    """

    name: str
    key: str
    about: str
    labels: tuple[str, ...]
    width: int
    channels: int

    def look(self, frames: Sequence[Pixels]) -> Floats:
        """(B, VIEWS, width) numbers of decoded pictures (H, W, channels) of any size.

        They are logarithms of probabilities where it has labels, else pooled features. Several threads may call this.
        """

    def close(self) -> None:
        """Give back what it holds."""


def mirrored(pixels: Pixels) -> Pixels:
    """The second view of a picture (H, W, C)."""
    return np.ascontiguousarray(pixels[:, ::-1])
