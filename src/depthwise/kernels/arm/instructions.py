"""The instruction sets of ARM that kernels are written for.

Each has vectors of four sums. Their kernels of int8 keep activations as signed bytes, less by 128.
"""

from __future__ import annotations

from dataclasses import replace

from depthwise.kernels.instructions import Instructions

# The vectors of all ARM, of which 32-bit ARM has 16. Two products are added in 16 bits: -128 by -128 twice is too much.
NEON = Instructions(
    name="neon",
    family="arm",
    needs=frozenset({"__ARM_NEON"}),
    lanes=4,
    registers=32,
    words="arm",
    reads=16,
    least=-127,
)
# Those of 64-bit ARM, for kernels of floats, in the words of portable C.
FLOATS = replace(NEON, needs=NEON.needs | {"__aarch64__"}, words="vector")
# The dot products of four signed bytes; the products of two by eight with eight by two.
DOTPROD = Instructions(
    name="dotprod",
    family="arm",
    needs=FLOATS.needs | {"__ARM_FEATURE_DOTPROD"},
    lanes=4,
    registers=32,
    words="arm",
    reads=16,
)
I8MM = Instructions(
    name="i8mm",
    family="arm",
    needs=DOTPROD.needs | {"__ARM_FEATURE_MATMUL_INT8"},
    lanes=4,
    registers=32,
    words="arm",
    reads=16,
)
