"""Whether the kernels can run here, and the one sentence that says why not."""

from __future__ import annotations

import importlib.util

import torch
from torch import Tensor

# For tests: Triton's interpreter runs the kernels on tensors of the CPU where TRITON_INTERPRET is 1 as well.
INTERPRETED = False


def what_is_missing() -> str:
    """Why the kernels cannot run here, as the end of a sentence; "" where they can."""
    if not torch.cuda.is_available():
        return "PyTorch finds no CUDA device here"
    if torch.version.hip is not None:
        return "they are written for CUDA, and this PyTorch is built for ROCm"
    if importlib.util.find_spec("triton") is None:
        return "Triton is not installed; run: pip install 'depthwise[cuda]'"
    if torch.cuda.get_device_capability() < (8, 0):
        return f"{torch.cuda.get_device_name()} is older than they need (compute capability 8.0)"
    return ""


def runs_kernels(x: Tensor) -> bool:
    """Whether an operator on this tensor is a kernel of ours, and not PyTorch's own operators."""
    return INTERPRETED or (x.is_cuda and not what_is_missing())
