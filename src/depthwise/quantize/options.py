"""What a user may ask of a quantisation, and how its progress is shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from depthwise.errors import Refused

# How the range of a layer's bytes is set; "measured" tries all others for each layer and keeps the best.
RULES = ("minmax", "percentile", "squared")
MEASURED = "measured"
ROUNDINGS = ("nearest", "feedback", "learned")
FEWEST_IMAGES = 8


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to quantise.

    Attributes:
        images: calibration images, at least 8.
        ranges: "measured", or one of `RULES` for all layers.
        per_tensor: one scale for all weights of a layer and one for all its outputs, as older converters do; worse, and
            meant for comparison.
        equalise: give each channel of a layer's output a range of its own, which the next layer's weights take up.
        correct_bias: take the mean error that rounding causes off each channel's bias.
        rounding: of weights; "nearest", "feedback" (what one loses, others make good), or "learned" (needs PyTorch).
        seed: of the choice of images and of the learning.

    Raises: Refused, when a value is not allowed.
    """

    images: int = 256
    ranges: str = MEASURED
    per_tensor: bool = False
    equalise: bool = True
    correct_bias: bool = True
    rounding: str = "feedback"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.images < FEWEST_IMAGES:
            raise Refused(f"images is {self.images}; calibration needs at least {FEWEST_IMAGES}")
        if self.ranges not in (MEASURED, *RULES):
            raise Refused(f"ranges is {self.ranges!r}; it must be {', '.join((MEASURED, *RULES))}")
        if self.rounding not in ROUNDINGS:
            raise Refused(f"rounding is {self.rounding!r}; it must be {', '.join(ROUNDINGS)}")

    @property
    def equalises(self) -> bool:
        """Whether channels get ranges of their own."""
        return self.equalise and not self.per_tensor

    def to_dict(self) -> dict[str, Any]:
        """The options as JSON values."""
        return asdict(self)
