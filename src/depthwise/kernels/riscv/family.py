"""RISC-V, with the kernels of portable C, which compilers turn into its vectors where it has them."""

from __future__ import annotations

from depthwise.kernels.family import Family
from depthwise.kernels.machine import Machine
from depthwise.kernels.portable.tiles import tiling, vector_lanes

MACHINE = Machine(lanes=4, registers=32, family="riscv")

RISCV = Family(
    name="riscv",
    tiling=tiling,
    lanes=vector_lanes,
    here=("riscv64",),
    machines=(("__riscv", MACHINE),),
)
