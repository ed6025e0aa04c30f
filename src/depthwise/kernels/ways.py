"""Which of a kernel's ways to round the numbers of a layer allow.

A family whose kernels have several ways has a `ways.py` in its folder.
"""

from __future__ import annotations

import importlib

from depthwise.kernels.kernel import Kernel
from depthwise.kernels.machine import Machine
from depthwise.kernels.weights import Weights


def way(kernel: Kernel, weights: Weights | None, machine: Machine) -> str:
    """How a kernel is to round a layer: the cheapest way that is proven for its numbers; empty where it has only one.

    Args:
        weights: None where they are not known: then the way that is always right.
    """
    # Measured on Intel alone.
    if "WAY" not in kernel.macros and not (kernel.fuses and machine.begins_two):
        return ""
    module = importlib.import_module(f"depthwise.kernels.{kernel.instructions.family}.ways")
    return str(module.way(weights))
