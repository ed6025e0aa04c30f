"""What the numbers of a layer allow: which of a kernel's ways to round, and whether the kernel can hold them at all.

A family whose kernels depend on that has a `ways.py` in its folder.
"""

from __future__ import annotations

import importlib

from depthwise.kernels.kernel import Kernel
from depthwise.kernels.weights import Weights


def way(kernel: Kernel, weights: Weights | None) -> str:
    """How a kernel is to round a layer: the cheapest way that is proven for its numbers; empty where it has only one.

    Args:
        weights: None where they are not known: then the way that is always right.
    """
    if "WAY" not in kernel.macros:
        return ""
    module = importlib.import_module(f"depthwise.kernels.{kernel.instructions.family}.ways")
    return str(module.way(weights))


def holds(kernel: Kernel, weights: Weights) -> bool:
    """Whether a kernel can compute a layer with these numbers; portable C can all, and those for x86."""
    if kernel.layout.stored != "signed":
        return True
    module = importlib.import_module(f"depthwise.kernels.{kernel.instructions.family}.ways")
    return bool(module.holds(kernel, weights))
