"""The processors of ARM that a network can be compiled for, by what they have."""

from __future__ import annotations

from depthwise.kernels.arm.instructions import DOTPROD, FLOATS, I8MM, NEON
from depthwise.kernels.machine import Level, Machine
from depthwise.precision import Precision

_ALL: frozenset[Precision] = frozenset({"float32", "bf16", "int8"})
_INT8: frozenset[Precision] = frozenset({"int8"})


def machine(features: frozenset[str], registers: int = 32) -> Machine:
    """A processor with so many vectors of 128 bits and these features."""
    return Machine(lanes=4, registers=registers, family="arm", features=features)


# 32-bit ARM with vectors, which has no levels.
ARMV7 = machine(NEON.needs, registers=16)
# Of 64-bit ARM, from the lowest to the highest. Compilers order the code of "generic" for a core that runs instructions
# in their order; cores that run them as operands come lose nothing by that.
LEVELS = (
    Level(
        name="neon",
        about="any 64-bit ARM",
        machine=machine(FLOATS.needs),
        carried=_ALL,
        zig=("-mcpu=generic",),
        cc=("-march=armv8-a",),
    ),
    Level(
        name="dotprod",
        about="ARM with dot products of bytes, as Cortex-A55 and A76 on",
        machine=machine(DOTPROD.needs),
        carried=_INT8,
        zig=("-mcpu=generic+dotprod",),
        cc=("-march=armv8.2-a+dotprod",),
    ),
    Level(
        name="i8mm",
        about="ARM with matrix products of bytes, as Cortex-A510 and X2 on",
        machine=machine(I8MM.needs),
        carried=_INT8,
        zig=("-mcpu=generic+v8_2a+dotprod+i8mm",),
        cc=("-march=armv8.2-a+dotprod+i8mm",),
    ),
)
