"""Kernels for NVIDIA's GPUs, each compiled to PTX for the sizes of its layer."""

from __future__ import annotations

from depthwise.kernels.instructions import Instructions
from depthwise.kernels.kernel import Kernel
from depthwise.kernels.machine import Machine
from depthwise.precision import Precision

# Compute capability 6.1: the least that multiplies four bytes by one instruction. Drivers compile PTX for what came
# after it.
ARCHITECTURE = "sm_61"
GPU = Machine(lanes=32, registers=255, family="cuda")
_CUDA = Instructions(name="cuda", family="cuda", lanes=32, registers=255)
# What a step begins with.
_STEPS = ("stem", "separable", "pool", "classifier")
# Of the step that begins with a layer, in a precision.
KERNELS: dict[tuple[str, Precision], Kernel] = {
    (step, precision): Kernel(
        header=f"dwk_{step}_{suffix}_cuda.h",
        name=rf"dwk_{step}_{suffix}_cuda(_p\d+_n\d+)?",
        precision=precision,
        instructions=_CUDA,
        tolerance=tolerance,
    )
    for precision, suffix, tolerance in (("int8", "i8", 0.0), ("float16", "f16", 2.0**-10))
    for step in _STEPS
}
