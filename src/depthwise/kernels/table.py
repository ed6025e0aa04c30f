"""The kernels that exist, and the headers that an artifact is built with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
INTERFACE = "depthwise.h"
# Headers that are not a kernel's: vectors, images of the golden cases, the functions of depthwise.h.
SHARED = ("dwk_vector.h", "dwk_golden.h", "dwk_interface.h")


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """One kernel; a header that takes macros has many forms, each with its own name.

    Attributes:
        header: the file, which says what it computes and how its weights lie.
        name: pattern of the functions' names; its groups are the macros of the form, in the order of `macros`.
        macros: macros that make a form, without their prefix DWK_.
        tolerance: largest difference from the oracle, relative to the largest value of the layer.
    """

    header: str
    name: str
    macros: tuple[str, ...] = ()
    tolerance: float = 0.0

    def parse(self, function: str) -> dict[str, str] | None:
        """The macros of the form that a function's name says, or None when it is another kernel's."""
        match = re.fullmatch(self.name, function)
        return None if match is None else {m: v or "0" for m, v in zip(self.macros, match.groups(), strict=True)}


KERNELS = (
    Kernel(
        header="dwk_product_f32.h",
        name=r"dwk_product_f32_(relu6?)_p(\d+)(?:r(\d+))?_c(\d+)x(4|8|16)",
        macros=("ACTIVATION", "PIXELS", "REST", "VECTORS", "LANES"),
        tolerance=1e-5,
    ),
    Kernel(
        header="dwk_depthwise3x3s1_f32.h",
        name=r"dwk_depthwise3x3s1_f32_(relu6?)_c(4|8|16)",
        macros=("ACTIVATION", "LANES"),
        tolerance=1e-5,
    ),
    Kernel(
        header="dwk_depthwise3x3s2_f32.h",
        name=r"dwk_depthwise3x3s2_f32_(relu6?)_c(4|8|16)",
        macros=("ACTIVATION", "LANES"),
        tolerance=1e-5,
    ),
    Kernel(header="dwk_pool_f32.h", name=r"dwk_pool_f32_c(4|8|16)", macros=("LANES",), tolerance=1e-5),
    Kernel(
        header="dwk_classifier_f32.h",
        name=r"dwk_classifier_f32_c(\d+)x(4|8|16)",
        macros=("VECTORS", "LANES"),
        tolerance=1e-5,
    ),
    Kernel(header="dwk_softmax_f32.h", name="dwk_softmax_f32", tolerance=1e-6),
    Kernel(header="dwk_image_f32.h", name="dwk_pixels_u8f32"),
    Kernel(header="dwk_image_f32.h", name="dwk_border_f32"),
    Kernel(header="dwk_prepare.h", name="dwk_prepare"),
)


def headers() -> dict[str, bytes]:
    """Every header that model.c may include, by file name."""
    names = {INTERFACE, *SHARED, *(kernel.header for kernel in KERNELS)}
    return {name: (FOLDER / name).read_bytes() for name in sorted(names)}
