"""Kernels are run by Triton's interpreter, which must be asked for before Triton is imported for the first time."""

from __future__ import annotations

import importlib.util
import os

import pytest

os.environ["TRITON_INTERPRET"] = "1"
HAS_TRITON = importlib.util.find_spec("triton") is not None


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Operators run the kernels, on the CPU."""
    if not HAS_TRITON:
        pytest.skip("Triton is not installed; its kernels are not run")
    import torch

    from depthwise.cloud.cuda import support

    monkeypatch.setattr(support, "INTERPRETED", True)
    torch.set_num_threads(1)
