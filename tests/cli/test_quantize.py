"""The command as a user runs it: stdout, stderr, exit code and the folder that it leaves."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from tools.command import depthwise

SmallModel = Callable[..., Model]
ImageFolder = Callable[..., Path]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return depthwise("quantize", *arguments)


@pytest.fixture
def model(small_model: SmallModel, tmp_path: Path) -> Path:
    small_model(labels=("cat", "dog", "newt"), shallow=True).save(tmp_path / "float")
    return tmp_path / "float"


def test_a_model_folder_becomes_int8_with_a_report_and_a_page(
    model: Path, image_folder: ImageFolder, tmp_path: Path
) -> None:
    # One label of three has no images, which is no mistake.
    data = image_folder(images=12)

    done = run(model, "--data", data, "--out", tmp_path / "int8", "--html", tmp_path / "r.html", "--json")

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["schema"] == 1
    assert found["calibration_images"] + found["accuracy"]["images"] == 24
    assert found["accuracy"]["drop_points"] == pytest.approx(
        100 * (found["accuracy"]["float_top1"] - found["accuracy"]["int8_top1"])
    )
    assert sum(layer["noise_percent"] for layer in found["layers"]) == pytest.approx(100)
    assert 3 < found["bytes"]["float32"] / found["bytes"]["int8"] < 4
    written = QuantizedModel.load(tmp_path / "int8")
    assert written.labels == ("cat", "dog", "newt")
    assert written.accuracy["measured"]["top1"] == found["accuracy"]["int8_top1"]
    assert written.provenance["quantization"]["agreement"] == found["accuracy"]["agreement"]
    page = (tmp_path / "r.html").read_text()
    assert all(layer["name"] in page for layer in found["layers"])
    assert "http" not in page.replace("http-equiv", "")


def test_the_table_has_every_layer_and_both_precisions(model: Path, image_folder: ImageFolder, tmp_path: Path) -> None:
    done = run(model, "--data", image_folder(images=12), "--out", tmp_path / "int8", "--ranges", "minmax")

    assert done.returncode == 0, done.stderr
    assert "blocks.4.1.conv_pw" in done.stdout
    assert "classifier" in done.stdout
    assert "float32" in done.stdout
    assert "points of top-1; both agree on" in done.stdout


def plain(image_folder: ImageFolder, tmp_path: Path, images: int) -> Path:
    """A folder of pictures and of a folder with more of them, whose names say nothing."""
    labelled = image_folder(images=images)
    (tmp_path / "plain" / "2024").mkdir(parents=True)
    for number, path in enumerate(sorted(labelled.rglob("*.png"))):
        path.rename(tmp_path / "plain" / ("" if number % 2 else "2024") / f"{number}.png")
    return tmp_path / "plain"


def test_pictures_without_labels_calibrate_and_others_say_how_often_float_and_int8_agree(
    model: Path, image_folder: ImageFolder, tmp_path: Path
) -> None:
    data = plain(image_folder, tmp_path, 12)
    asked = ("--data", data, "--out", tmp_path / "int8", "--html", tmp_path / "r.html", "--json")

    done = run(model, *asked, "--ranges", "minmax")

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["accuracy"]
    assert json.loads(done.stdout)["calibration_images"] + found["images"] == 24
    assert 2 <= found["images"] <= 5  # 10% to 20%
    assert found["float_top1"] is found["int8_top1"] is found["drop_points"] is None
    written = QuantizedModel.load(tmp_path / "int8")
    assert written.accuracy == {}
    assert written.provenance["quantization"]["agreement"] == found["agreement"]
    assert written.provenance["quantization"]["compared_images"] == found["images"]
    page = (tmp_path / "r.html").read_text()
    assert "without labels, float and int8 agree on" in page
    assert "top-1" not in page


def test_folders_that_are_no_classes_are_pictures_without_labels_where_one_says_so(
    model: Path, image_folder: ImageFolder, tmp_path: Path
) -> None:
    """As the calibration folders of public detectors are: data/test/07/0.jpg."""
    data = image_folder(classes=("07", "08"), images=6, splits=("test",))
    asked = ("--data", data, "--out", tmp_path / "int8", "--ranges", "minmax")

    assert run(model, *asked).returncode == 2
    done = run(model, *asked, "--unlabelled", "--images", "8")

    assert done.returncode == 0, done.stderr
    assert "other images, without labels, float and int8 agree on" in done.stdout


def test_a_gate_is_refused_where_there_are_no_labels(model: Path, image_folder: ImageFolder, tmp_path: Path) -> None:
    done = run(model, "--data", plain(image_folder, tmp_path, 6), "--out", tmp_path / "int8", "--max-drop", "1")

    assert (done.returncode, done.stdout) == (2, "")
    assert "has pictures without labels, and --max-drop needs labels" in done.stderr


def test_a_gate_that_does_not_hold_ends_with_1_names_layers_and_writes_no_model(
    model: Path, image_folder: ImageFolder, tmp_path: Path
) -> None:
    asked = ("--data", image_folder(images=12), "--out", tmp_path / "int8", "--ranges", "minmax")

    done = run(model, *asked, "--max-drop", "-101")

    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: int8 costs ")
    assert "more than the -101 of --max-drop; layers that cost most: " in last
    assert "of the noise)" in last
    assert not (tmp_path / "int8").exists()


def refusals() -> list[Any]:
    return [
        pytest.param(("cat", "emu"), (), "class 'emu' is not a label of the model (cat, dog, newt, ...)", id="class"),
        pytest.param(("cat", "emu"), (), "or give --unlabelled where folders are no classes", id="classes"),
        pytest.param(("cat", "dog"), ("--images", "3"), "images is 3; calibration needs at least 8", id="images"),
    ]


@pytest.mark.parametrize(("classes", "options", "message"), refusals())
def test_what_cannot_be_done_ends_with_2_and_one_line(
    model: Path,
    image_folder: ImageFolder,
    tmp_path: Path,
    classes: tuple[str, ...],
    options: tuple[str, ...],
    message: str,
) -> None:
    data = image_folder(classes=classes, images=12)

    done = run(model, "--data", data, "--out", tmp_path / "int8", *options)

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr.strip().splitlines()[-1]


def test_an_int8_folder_is_not_quantised_again(model: Path, image_folder: ImageFolder, tmp_path: Path) -> None:
    data = image_folder(images=12)
    random_quantized(Model.load(model).spec).save(tmp_path / "int8")

    done = run(tmp_path / "int8", "--data", data, "--out", tmp_path / "again")

    assert done.returncode == 2
    assert "holds an int8 model, and float weights are needed" in done.stderr
