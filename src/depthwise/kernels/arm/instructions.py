"""The instruction sets of ARM that kernels are written for.

Each has vectors of four sums. Their kernels of int8 keep activations as signed bytes, less by 128.
"""

from __future__ import annotations

from dataclasses import replace

from depthwise.kernels.instructions import Instructions

# The vectors of 64-bit ARM; the dot products of four signed bytes; the products of two by eight with eight by two.
NEON = Instructions(
    name="neon", family="arm", needs=frozenset({"__aarch64__"}), lanes=4, registers=32, words="arm", reads=16
)
# The same for kernels of floats, in the words of portable C.
FLOATS = replace(NEON, words="vector")
DOTPROD = Instructions(
    name="dotprod",
    family="arm",
    needs=NEON.needs | {"__ARM_FEATURE_DOTPROD"},
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
