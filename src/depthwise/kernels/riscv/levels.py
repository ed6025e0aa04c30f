"""The processors of 64-bit RISC-V that a network can be compiled for, by their vectors."""

from __future__ import annotations

from depthwise.kernels.machine import Level, Machine
from depthwise.kernels.riscv.instructions import RV64, V128, V256
from depthwise.precision import Precision

# What all that run Linux have, which is no vectors; portable C is written in vectors of 4.
BASELINE = Machine(lanes=4, registers=32, family="riscv", features=RV64.needs)
_ALL: frozenset[Precision] = frozenset({"float32", "bf16", "int8"})
_OWN: frozenset[Precision] = frozenset({"float32", "int8"})

# From the lowest to the highest. bf16 is portable C at each level, whose vectors do not grow.
LEVELS = (
    Level(
        name="portable",
        about="any 64-bit RISC-V that runs Linux (RV64GC)",
        machine=BASELINE,
        carried=_ALL,
        zig=("-mcpu=baseline_rv64",),
        cc=("-march=rv64gc",),
    ),
    Level(
        name="v128",
        about="RISC-V with V 1.0, whose vectors have 128 bits or more",
        machine=Machine(lanes=4, registers=32, family="riscv", features=RV64.needs | V128.needs),
        carried=_ALL,
        zig=("-mcpu=baseline_rv64+v",),
        cc=("-march=rv64gcv",),
    ),
    Level(
        name="v256",
        about="the same with 256 bits or more",
        machine=Machine(lanes=4, registers=32, family="riscv", features=RV64.needs | V256.needs),
        carried=_OWN,
        zig=("-mcpu=baseline_rv64+v+zvl256b",),
        cc=("-march=rv64gcv_zvl256b",),
    ),
)
