"""The artifact that the tests of this room open."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.plain_artifact import plain_artifact


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plain_artifact(tmp_path_factory.mktemp("artifact"))
