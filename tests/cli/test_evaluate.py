"""The command as a user runs it, on an artifact and without PyTorch: stdout, stderr and exit code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthwise.data.contents import content_hash
from depthwise.edge.pixels import decode, prepare
from depthwise.network.model import Model, random_weights
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.random_int8 import random_quantized
from depthwise.network.reference_int8 import run as answer
from depthwise.network.spec import Spec
from tools.command import without_torch
from tools.plain_artifact import LABELS, changed, plain_artifact

# The command on a machine without PyTorch.
RED, GREEN, BLUE = (200, 30, 20), (10, 180, 40), (20, 30, 220)


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return without_torch("evaluate", *arguments)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Says how much red, green and blue is in an image."""
    return plain_artifact(tmp_path_factory.mktemp("artifact"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four red images, one of them blue in truth, one green one, and one that cannot be read."""
    for label, colour, count in ((LABELS[0], RED, 3), (LABELS[1], GREEN, 1), (LABELS[2], RED, 1)):
        place = tmp_path / "test" / label
        place.mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (50, 40), colour).save(place / f"{number}.png")
    (tmp_path / "test" / LABELS[0] / "broken.png").write_bytes(b"\x89PNG and nothing")
    return tmp_path


def test_an_artifact_is_measured_without_torch(artifact: Path, data: Path) -> None:
    done = run(artifact, data, "--json")
    found = json.loads(done.stdout)

    assert done.returncode == 0
    assert found["schema"] == 1
    assert found["subject"] == {"path": str(artifact), "kind": "artifact"}
    assert (found["images"], found["top1"]["right"], found["split"]) == (5, 4, "test")
    assert found["confusion"] == [[3, 0, 0], [0, 1, 0], [1, 0, 0]]
    [mistake] = found["mistakes"]
    assert (mistake["true"], mistake["predicted"]) == (LABELS[2], LABELS[0])
    assert mistake["probability"] == pytest.approx(200 / 250)
    assert [entry["image"] for entry in found["unreadable"]] == ["test/red/broken.png"]
    assert "1 images cannot be read" in done.stderr
    assert "broken.png" in done.stderr


def test_tables_show_the_same_and_labels_cannot_move_the_cursor(artifact: Path, data: Path) -> None:
    done = run(artifact, data)

    assert done.returncode == 0
    for text in ("80.00%", "4 of 5 right", "37.6% to 96.4%", 'green "as grass"', r"blue\n🐳", "could not be read"):
        assert text in done.stdout
    assert "\x1b" not in done.stdout


def test_the_page_is_written_beside_the_result(artifact: Path, data: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"

    done = run(artifact, data, "--html", page, "--json")

    assert done.returncode == 0
    assert json.loads(done.stdout)["images"] == 5
    assert str(page) in done.stderr
    assert "80.0%" in page.read_text(encoding="utf-8")


def test_images_that_the_network_was_trained_on_are_told(artifact: Path, data: Path, tmp_path: Path) -> None:
    known = content_hash(data / "test" / LABELS[1] / "0.png")
    trained = changed(artifact, tmp_path / "trained.so", record=f'{{"provenance":{{"seen":["{known}"]}}}}'.encode())
    page = tmp_path / "page.html"

    done = run(trained, data, "--json", "--html", page)

    [warning] = json.loads(done.stdout)["warnings"]
    assert "are among those that the network was trained on" in warning
    assert f"warning: {warning}" in done.stderr.splitlines()
    assert "these images are among those that the network was trained on" in page.read_text(encoding="utf-8")
    assert json.loads(run(artifact, data, "--json").stdout)["warnings"] == []


def test_a_gate_that_does_not_hold_ends_with_1_after_the_result(artifact: Path, data: Path) -> None:
    held, missed = run(artifact, data, "--min-top1", "0.8"), run(artifact, data, "--min-top1", "0.81", "--json")

    assert held.returncode == 0
    assert missed.returncode == 1
    assert json.loads(missed.stdout)["gate"] == {"min_top1": 0.81, "holds": False}
    assert missed.stderr.splitlines()[-1] == ("error: top-1 is 0.8000 (4 of 5 images), below the 0.81 of --min-top1")


def test_what_cannot_be_done_ends_with_2_and_one_line(artifact: Path, data: Path, tmp_path: Path) -> None:
    (data / "test" / "mauve").mkdir()
    (tmp_path / "halves" / "train" / LABELS[0]).mkdir(parents=True)
    for arguments, text in (
        ((artifact, data), "class 'mauve' is not one of"),
        ((artifact, tmp_path / "none"), "there is no such folder"),
        (
            (artifact, data / "test" / LABELS[0] / "0.png"),
            "is a file; give a folder that has one folder of",
        ),
        ((artifact, tmp_path / "halves"), f"has training images only; give {tmp_path / 'halves' / 'train'} to measure"),
        ((tmp_path / "none.so", data), "there is no such model folder or artifact"),
        ((data, data), "not a model folder"),
        ((data / "test" / LABELS[0] / "0.png", data), "is not an artifact"),
    ):
        done = run(*arguments)

        assert (done.returncode, done.stdout) == (2, "")
        [line] = done.stderr.splitlines()
        assert line.startswith("error: ")
        assert text in line


def test_threads_are_for_artifacts_that_have_them(artifact: Path, data: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()

    for subject, words in (
        (tmp_path / "model", "is a model folder, and --threads is for artifacts"),
        (artifact, "on 1 thread, not on 2"),
    ):
        done = run(subject, data, "--threads", "2")
        assert done.returncode == 2
        assert words in done.stderr
    assert run(artifact, data, "--threads", "1").returncode == 0


def test_an_int8_model_folder_is_measured_without_torch_and_exactly(data: Path, tmp_path: Path) -> None:
    spec = Spec(width=0.25, resolution=32, classes=3)
    model = random_quantized(spec, seed=4).replace(labels=LABELS)
    model.save(tmp_path / "int8")

    done = run(tmp_path / "int8", data, "--json")

    found = json.loads(done.stdout)
    assert (done.returncode, found["images"], found["subject"]["kind"]) == (0, 5, "model")
    paths = [path for path in sorted((data / "test").rglob("*.png")) if path.name != "broken.png"]
    pixels = np.stack([prepare(decode(path), resize=model.preprocessing.resize, crop=32) for path in paths])
    expected = answer(model, pixels).probabilities
    truths = [LABELS.index(path.parent.name) for path in paths]
    assert found["top1"]["right"] == sum(expected.argmax(axis=1) == truths)
    assert found["log_loss"] == pytest.approx(-np.log(expected[range(5), truths]).mean(), rel=1e-5)


def test_a_model_folder_without_torch_is_refused_with_what_to_install(data: Path, tmp_path: Path) -> None:
    spec = Spec(width=0.25, resolution=32, classes=3)
    Model(spec=spec, weights=random_weights(spec), labels=LABELS, preprocessing=default_preprocessing(32, 3)).save(
        tmp_path / "model"
    )

    done = run(tmp_path / "model", data)

    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'depthwise[cloud]'" in done.stderr
