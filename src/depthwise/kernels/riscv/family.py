"""RISC-V: 64-bit processors without vectors, and those with the vector extension V."""

from __future__ import annotations

from depthwise.kernels.family import Family
from depthwise.kernels.riscv.levels import BASELINE, LEVELS
from depthwise.kernels.riscv.rows import KERNELS
from depthwise.kernels.riscv.tiles import tiling, vector_lanes

RISCV = Family(
    name="riscv",
    here=("riscv64",),
    kernels=KERNELS,
    tiling=tiling,
    lanes=vector_lanes,
    levels=LEVELS,
    machines=(("__riscv", BASELINE),),
)
