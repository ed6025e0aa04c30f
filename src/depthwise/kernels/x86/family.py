"""x86: processors from the first of 64 bits to those with AVX-512."""

from __future__ import annotations

from depthwise.kernels.family import Family
from depthwise.kernels.machine import Machine
from depthwise.kernels.rate import Rates
from depthwise.kernels.x86.levels import BASELINE, LEVELS
from depthwise.kernels.x86.makers import INTEL
from depthwise.kernels.x86.rates import ON_INTEL, RATES
from depthwise.kernels.x86.rows import KERNELS
from depthwise.kernels.x86.tiles import tiling, vector_lanes

# How a compiler of the system is to tune, whatever the processor. For Zen gcc 12 reads factors from memory for each
# use of them, which costs int8 and bf16 a twelfth of their speed there, and plain float32 products a tenth. clang finds
# out too late that a stack which the caller left at a multiple of 16 should begin at one of 32 or 64; what it puts
# there then lies across cache lines in some processes and not in others, and costs int8 with AVX2 up to half its speed.
_TUNING = ("-mtune=skylake-avx512", "-mprefer-vector-width=512", "-mstackrealign")

X86 = Family(
    name="x86",
    here=("x86_64", "amd64"),
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
    rates={
        "": Rates(of=RATES, source="measured on Zen 4, on tiles on Emerald Rapids"),
        INTEL: Rates(of=RATES | ON_INTEL, source="measured on Emerald Rapids, in bf16 on tiles alone"),
    },
    tuning=_TUNING,
)
