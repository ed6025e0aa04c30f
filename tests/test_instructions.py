"""No commit makes the emitted code for ARM longer unseen: instructions of one inference, counted by an emulator."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "count_instructions.py"


def script() -> ModuleType:
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("count_instructions", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["count_instructions"] = module
    spec.loader.exec_module(module)
    return module


def test_every_case_has_a_count_and_none_is_left_over() -> None:
    counts = script()

    assert list(counts.known()) == [str(case) for case in counts.CASES]


@pytest.mark.parametrize("level", ["neon", "dotprod", "i8mm"])
def test_an_inference_takes_no_more_instructions_than_it_did(level: str) -> None:
    counts = script()
    if shutil.which("qemu-aarch64") is None or shutil.which("gcc") is None:
        pytest.skip("qemu-aarch64 or gcc is not installed; no instructions are counted")
    case = next(case for case in counts.CASES if case.level == level)

    assert counts.counted(case) <= counts.known()[str(case)] * (1 + counts.TOLERANCE)
