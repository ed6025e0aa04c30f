"""Tests that do not run are named, and refused where the machine should run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


@pytest.mark.parametrize(
    ("reason", "code"),
    [("h5py is not installed; Keras files are not checked", 1), ("this processor has no avx512vnni", 0)],
)
def test_a_skip_that_the_machine_has_no_reason_for_fails_the_run(tmp_path: Path, reason: str, code: int) -> None:
    (tmp_path / "conftest.py").write_text(
        "from tools.skips import pytest_addoption, pytest_sessionfinish, pytest_terminal_summary\n"
    )
    (tmp_path / "test_one.py").write_text(
        f"import pytest\n\ndef test_one():\n    pytest.skip({reason!r})\n\ndef test_other():\n    pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", ".", "--refuse-skips", "."]
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "PYTEST_ADDOPTS": ""}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert ended.returncode == code, ended.stdout
    assert f"1 x {reason}" in ended.stdout
    assert ("REFUSED" in ended.stdout) == bool(code)
