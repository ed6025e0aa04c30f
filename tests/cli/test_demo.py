"""`depthwise demo`, which compiles the networks that ship, measures them and tells of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from depthwise import shipped
from depthwise.cli import demo as module
from depthwise.cost.report import report
from depthwise.network.model import Model
from tools.command import depthwise

Demo = Callable[..., Result]


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """The command; it measures for a moment, and each network only when it is run for the first time."""
    found: dict[type, module.Outcome] = {}
    classify = module._classify

    def once(model: Any, frame: Any) -> module.Outcome:
        if type(model) not in found:
            found[type(model)] = classify(model, frame)
        return found[type(model)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TIMED_SECONDS", 0.01)
        patch.setattr(module, "_classify", once)
        yield lambda *arguments: CliRunner().invoke(module.command, arguments)


def test_the_demo_tells_the_label_of_the_photo_that_ships_and_what_it_took(demo: Demo) -> None:
    done = demo("--json")

    document = json.loads(done.stdout)
    model = Model.load(shipped.model_folder())
    assert (done.exit_code, document["schema"]) == (0, 1)
    assert document["answers"][0]["label"] == "espresso"
    assert {answer["label"] for answer in document["answers"]} <= set(model.labels)
    assert document["multiply_adds"] == report(model.spec).nominal.macs
    assert document["milliseconds"]["network"]["minimum"] > 0
    assert document["int8"]["answers"][0]["label"] == "espresso"
    assert document["int8"]["artifact_bytes"] < document["artifact_bytes"] / 2
    assert document["accuracy"]["validation"]["top1"] - document["int8"]["accuracy"]["measured"]["top1"] <= 0.002


def test_the_demo_explains_in_words_and_keeps_notices_off_stdout(demo: Demo) -> None:
    done = demo()

    assert done.exit_code == 0
    for words in ("espresso", "What happened", "no byte of it left the machine", "1x1 convolutions", "Next: train"):
        assert words in done.stdout
    assert "compiling" in done.stderr
    assert "compiling" not in done.stdout


def test_a_photo_that_cannot_be_read_is_refused_in_one_line(tmp_path: Path) -> None:
    photo = tmp_path / "broken.jpg"
    photo.write_bytes(b"not a photo")

    done = depthwise("demo", photo)

    assert (done.returncode, done.stdout) == (2, "")
    assert "broken.jpg" in done.stderr
    assert "Traceback" not in done.stderr
