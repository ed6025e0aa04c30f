"""x86: processors from the first of 64 bits to those with AVX-512."""

from __future__ import annotations

from depthwise.kernels.family import Family
from depthwise.kernels.machine import Machine
from depthwise.kernels.x86.levels import BASELINE, LEVELS
from depthwise.kernels.x86.rates import RATES
from depthwise.kernels.x86.rows import KERNELS
from depthwise.kernels.x86.tiles import tiling, vector_lanes

X86 = Family(
    name="x86",
    kernels=KERNELS,
    tiling=tiling,
    lanes=vector_lanes,
    levels=LEVELS,
    machines=(
        ("__AVX512F__", Machine(lanes=16, registers=32, family="x86")),
        ("__AVX2__", Machine(lanes=8, registers=16, family="x86")),
        ("__AVX__", Machine(lanes=8, registers=16, family="x86")),
        ("__x86_64__", BASELINE),
    ),
    rates=RATES,
)
