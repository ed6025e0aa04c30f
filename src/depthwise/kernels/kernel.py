"""A kernel, as a row of a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from depthwise.kernels.instructions import PORTABLE, Instructions
from depthwise.kernels.layout import PIXELS, Layout
from depthwise.precision import Precision

Operation = Literal[
    "product",
    "pointwise",
    "product_tiles",
    "strassen",
    "stem",
    "stem_abreast",
    "depthwise3x3s1",
    "depthwise3x3s2",
    "pool",
    "classifier",
    "",
]

HandsOn = Literal["pixels", "pairs"]

# Rounding a sum to bfloat16, and where two orders of summation fall on different sides of a half, the step to the next.
BF16_STEP = 2.0**-7


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """One kernel; a header that takes macros has many forms, each with its own name.

    Attributes:
        header: the file, which says what it computes and how its weights lie.
        name: pattern of the functions' names; its groups are the macros of the form, in the order of `macros`.
        macros: macros that make a form, without their prefix DWK_.
        optional: those that a form need not have; others are 0 where the name does not say them.
        operation: what a step asks for; empty for what is no step's.
        precision: of the networks that use it.
        packing: how its weights lie, by name of a row in `packings.py` of its family's folder; empty where it has none.
        instructions: what it is written for.
        layout: how the activations lie that it reads and writes.
        hands_on: how what the depthwise half of a block leaves for its pointwise half lies: pixel by pixel, or in the
            pairs of kernels/arm/dwk_pairs_arm.h.
        fuses: whether it rounds in two operations where a `dwk_rounding` says that it may.
        tolerance: largest difference from the oracle, relative to the largest value of the layer.
    """

    header: str
    name: str
    macros: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    operation: Operation = ""
    precision: Precision = "float32"
    packing: str = ""
    instructions: Instructions = PORTABLE
    layout: Layout = PIXELS
    hands_on: HandsOn = "pixels"
    fuses: bool = False
    tolerance: float = 0.0

    @property
    def base(self) -> str:
        """The names of all its forms begin with this."""
        of = self.instructions
        return re.sub(rf"(_{of.name}|_{of.family})?\.h$", "", self.header)

    def parse(self, function: str) -> dict[str, str] | None:
        """The macros of the form that a function's name says, or None when it is another kernel's."""
        match = re.fullmatch(self.name, function)
        if match is None:
            return None
        said = zip(self.macros, match.groups(), strict=True)
        return {macro: value or "0" for macro, value in said if value or macro not in self.optional}
