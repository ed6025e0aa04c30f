"""Kernels for NVIDIA's GPUs, each compiled to PTX for the sizes of its layer."""

from __future__ import annotations

from depthwise.kernels.instructions import Instructions
from depthwise.kernels.kernel import Kernel
from depthwise.kernels.machine import Machine
from depthwise.precision import PRECISIONS, Precision

# Compute capability 6.1: the least that multiplies four bytes by one instruction. Drivers compile PTX for what came
# after it.
ARCHITECTURE = "sm_61"
GPU = Machine(lanes=32, registers=255, family="cuda")
_CUDA = Instructions(name="cuda", family="cuda", lanes=32, registers=255)
# Of the step that begins with a layer, in a precision; and how far from the oracle its sums may be.
_STEPS = ("stem", "separable", "pool", "classifier")
_TOLERANCES: dict[Precision, float] = {"int8": 0.0, "float16": 2.0**-10}
KERNELS: dict[tuple[str, Precision], Kernel] = {
    (step, precision): Kernel(
        header=f"dwk_{step}_{PRECISIONS[precision].suffix}_cuda.h",
        name=rf"dwk_{step}_{PRECISIONS[precision].suffix}_cuda(_p\d+_n\d+)?",
        precision=precision,
        instructions=_CUDA,
        tolerance=tolerance,
    )
    for precision, tolerance in _TOLERANCES.items()
    for step in _STEPS
}
