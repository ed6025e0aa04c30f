"""Artifacts of many networks against the oracle, called as any device program would call them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from depthwise.compiler import compile_model
from depthwise.network import reference
from depthwise.network.model import Model


def test_an_artifact_gives_the_probabilities_of_the_oracle(tmp_path: Path, small_model: Callable[..., Model]) -> None:
    model = small_model(width=0.25, resolution=64, labels=[f"label {i}" for i in range(10)])
    built = compile_model(model, target="host", out=tmp_path / "model.so")
    pixels = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), np.uint8)

    library = ctypes.CDLL(str(built.path))
    found = np.zeros(10, np.float32)
    status = library.dw_run(ctypes.c_void_p(pixels.ctypes.data), ctypes.c_void_p(found.ctypes.data), None)

    assert status == 0
    assert found == pytest.approx(reference.run(model, pixels).probabilities[0], abs=1e-5)
