"""Tests of training need PyTorch; where it is missing the whole folder is skipped, and says so."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

HAS_TORCH = importlib.util.find_spec("torch") is not None


class _Skipped(pytest.File):
    """Stands for a file that cannot be imported without PyTorch."""

    def collect(self) -> list[pytest.Item]:
        pytest.skip("PyTorch is not installed; run: pip install 'depthwise[cloud]'", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Put a skip in the place of each test file of this folder where PyTorch is missing."""
    return None if HAS_TORCH else _Skipped.from_parent(parent, path=module_path)
