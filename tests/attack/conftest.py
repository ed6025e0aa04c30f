"""What tests of attacks share: networks whose worst case is known in closed form, and what needs PyTorch."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from numpy.typing import NDArray

HAS_TORCH = importlib.util.find_spec("torch") is not None
Images = NDArray[np.uint8]


@pytest.fixture
def torch_alone() -> None:
    """One thread, since these networks are too small to share; skips where there is no PyTorch."""
    if not HAS_TORCH:
        pytest.skip("PyTorch is not installed; run: pip install 'depthwise[cloud]'")
    import torch

    torch.set_num_threads(1)
