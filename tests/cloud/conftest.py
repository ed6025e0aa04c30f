"""Tests of training need PyTorch; where it is missing the whole folder is skipped, and says so."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.spec import Spec

if TYPE_CHECKING:
    from depthwise.cloud.request import Request

HAS_TORCH = importlib.util.find_spec("torch") is not None


class _Skipped(pytest.File):
    """Stands for a file that cannot be imported without PyTorch."""

    def collect(self) -> list[pytest.Item]:
        pytest.skip("PyTorch is not installed; run: pip install 'depthwise[cloud]'", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Put a skip in the place of each test file of this folder where PyTorch is missing."""
    return None if HAS_TORCH else _Skipped.from_parent(parent, path=module_path)


class Heard:
    """A reporter that remembers what it was told."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self.stages: list[tuple[str, int, int]] = []
        self.parts: list[dict[str, str]] = []
        self.open = 0

    def begin(self, title: str, total: int, done: int = 0) -> None:
        self.stages.append((title, total, done))
        self.open += 1

    def advance(self, **figures: str) -> None:
        self.parts.append(figures)

    def end(self) -> None:
        self.open = 0

    def notice(self, text: str) -> None:
        self.notices.append(text)

    @property
    def text(self) -> str:
        """All notices, a line each."""
        return "\n".join(self.notices)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def log_of() -> Callable[[Request], list[dict[str, Any]]]:
    """The lines of a run's log."""
    return lambda request: [json.loads(line) for line in (request.run_folder / "log.jsonl").read_text().splitlines()]


@pytest.fixture
def drawn() -> None:
    """Asked for by tests whose trainings draw their pictures."""


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings draw no pictures, which take longer than they do."""
    for name in ("save_fed", "save_curves"):
        monkeypatch.setattr(f"depthwise.cloud.pictures.{name}", lambda *_: None)


@pytest.fixture(autouse=True)
def _quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread, since these networks are too small to share; and no pictures."""
    if "ask" not in request.fixturenames:
        return
    import torch

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)
    if "drawn" not in request.fixturenames:
        request.getfixturevalue("undrawn")


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Request]:
    """`ask(data, out="model", spec={...}, extra={...}, **recipe)` is a request for a very small training."""

    def make(
        data: Path,
        out: str = "model",
        *,
        spec: dict[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
        **recipe: Any,
    ) -> Request:
        from depthwise.cloud.recipe import Recipe
        from depthwise.cloud.request import Request

        network = Spec(**{"width": 0.25, "resolution": 32, "shallow": True, **(spec or {})})
        settings = {"epochs": 1, "batch": 8, "precision": "float32", "rate": 0.01, "average": 0.0, **recipe}
        fields: dict[str, Any] = {
            "preprocessing": default_preprocessing(network.resolution, network.channels),
            **(extra or {}),
        }
        return Request(data=data, out=tmp_path / out, spec=network, recipe=Recipe(**settings), **fields)

    return make
