"""The compilers that the tests of this room use."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import settings

from depthwise.compiler.build import compiler
from depthwise.compiler.targets import target

# Time is not what these tests judge, and a busy machine would fail them.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def zig() -> tuple[str, ...]:
    """The compiler that the package brings, for this machine."""
    return compiler(target("host"), None).command


@pytest.fixture(scope="session")
def gcc() -> str:
    """The system's gcc; the test is skipped where there is none."""
    found = shutil.which("gcc")
    if found is None:
        pytest.skip("gcc is not installed; what it alone can check is not checked")
    return found
