"""Portable C with the vectors of gcc and clang, for any processor."""

from __future__ import annotations

from depthwise.kernels.family import Family
from depthwise.kernels.portable.rows import KERNELS
from depthwise.kernels.portable.tiles import tiling, vector_lanes

PORTABLE = Family(
    name="portable",
    kernels=KERNELS,
    tiling=tiling,
    lanes=vector_lanes,
)
