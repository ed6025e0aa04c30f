"""The threshold of "unknown": chosen from right answers, and carried from the model folder into the artifact."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import make_model
from depthwise.edge.live.smoothing import threshold_of
from depthwise.errors import Refused
from depthwise.evaluate.report import Report
from depthwise.evaluate.unknown import sentence, unknown
from depthwise.network.description import keep_measured
from depthwise.network.model import Model
from tools.answers import report_of


def report(confidence: list[float], right: list[bool]) -> Report:
    """Of two labels: the first is predicted with these probabilities."""
    return report_of([[share, 1 - share] for share in confidence], [0 if one else 1 for one in right], ("a", "b"))


def test_of_right_answers_one_in_twenty_falls_below_it() -> None:
    right = [0.5 + number / 200 for number in range(100)]
    found = unknown(report([*right, 0.51, 0.9], [True] * 100 + [False] * 2))

    assert found == {"threshold": pytest.approx(right[4]), "kept": 0.95, "images": 100, "caught": 0.5}
    assert sum(share >= found["threshold"] - 1e-6 for share in right) >= 95
    assert (
        sentence(found) == "unknown: below 52.0%; 95% of the right answers lie above, and 50% of the wrong ones below"
    )


def test_too_few_right_answers_are_refused() -> None:
    with pytest.raises(Refused, match="needs 20 right answers to choose a threshold from, and there are 19"):
        unknown(report([0.9] * 19, [True] * 19))


def test_it_goes_from_the_model_folder_into_the_record_and_changes_nothing_else(tmp_path: Path) -> None:
    model = make_model().replace(accuracy={"test": {"top1": 0.5}})
    model.save(tmp_path / "m", dtype="float16")
    (tmp_path / "m" / "README.md").write_text("mine")
    weights = (tmp_path / "m" / "weights.safetensors").read_bytes()
    keep_measured(tmp_path / "m", "unknown", {"threshold": 0.25})

    loaded = Model.load(tmp_path / "m")
    assert loaded.accuracy == {"test": {"top1": 0.5}, "unknown": {"threshold": 0.25}}
    assert (tmp_path / "m" / "weights.safetensors").read_bytes() == weights
    assert (tmp_path / "m" / "README.md").read_text() == "mine"
    assert threshold_of({"accuracy": dict(loaded.accuracy)}) == 0.25
