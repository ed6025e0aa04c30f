"""How a frame becomes the square that a network takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthwise.edge.pixels import prepare

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a frame becomes the square that a network takes, as `edge.pixels.prepare` has it."""

    resize: int
    crop: int
    mode: str = "crop"
    fill: tuple[int, ...] = ()
    filter: str = "bilinear"

    def square(self, frame: Pixels) -> Pixels:
        """The square (crop, crop, C) of a frame."""
        return prepare(frame, resize=self.resize, crop=self.crop, mode=self.mode, fill=self.fill, filter=self.filter)
