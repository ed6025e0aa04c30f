"""The instruction sets of RISC-V that kernels are written for."""

from __future__ import annotations

from depthwise.kernels.instructions import Instructions

# What all processors of 64 bits have: plain C that uses the width of their registers.
RV64 = Instructions(name="rv64", family="riscv", needs=frozenset({"__riscv"}), registers=31, together=1)
# Both are the vector extension V; a kernel takes as many values at a time as a vector of that many bits surely holds.
V128 = Instructions(
    name="v128",
    family="riscv",
    needs=frozenset({"__riscv_vector", "__riscv_v_intrinsic"}),
    lanes=4,
    registers=32,
    words="riscv",
    together=1,
)
V256 = Instructions(
    name="v256",
    family="riscv",
    needs=V128.needs | {"__riscv_zvl256b"},
    lanes=8,
    registers=32,
    words="riscv",
    together=1,
)
