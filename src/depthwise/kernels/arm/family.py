"""ARM: phones, boards, Apple's computers, servers."""

from __future__ import annotations

from depthwise.kernels.arm.instructions import FLOATS
from depthwise.kernels.arm.levels import ARMV7, LEVELS, machine
from depthwise.kernels.arm.rows import KERNELS
from depthwise.kernels.arm.tiles import tiling, vector_lanes
from depthwise.kernels.family import Family

ARM = Family(
    name="arm",
    here=("aarch64", "arm64"),
    kernels=KERNELS,
    tiling=tiling,
    lanes=vector_lanes,
    levels=LEVELS,
    machines=(("__aarch64__", machine(FLOATS.needs)), ("__ARM_NEON", ARMV7)),
)
