"""The command as a user runs it: stdout, stderr and exit code."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from depthwise.network.model import Model
from tools.command import depthwise
from tools.foreign import same_weights

pytest.importorskip("onnx", reason="onnx is not installed; conversions are not checked")
pytest.importorskip("tflite", reason="tflite is not installed; conversions are not checked")
SmallModel = Callable[..., Model]


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return depthwise("convert", *arguments, **environment)


@pytest.fixture
def folder(small_model: SmallModel, tmp_path: Path) -> Path:
    small_model(seed=1, labels=("cat", "dog"), padding="same").save(tmp_path / "model")
    return tmp_path / "model"


def test_a_model_goes_out_to_a_file_and_in_again(folder: Path, tmp_path: Path) -> None:
    done = run(folder, tmp_path / "network.onnx")
    assert (done.returncode, done.stderr) == (0, "")
    said, written = done.stdout.splitlines()
    assert said == "MobileNet V1 of width 0.25 at 32x32x3, 2 classes, relu6, same padding, float32"
    assert written == f"onnx: {tmp_path / 'network.onnx'}"
    done = run(tmp_path / "network.onnx", tmp_path / "again", "--json")
    document = json.loads(done.stdout)
    assert (document["schema"], document["format"], document["labels"]) == (1, "model", ["cat", "dog"])
    assert document["provenance"]["format"] == "onnx"
    assert same_weights(Model.load(tmp_path / "again"), Model.load(folder))


def test_labels_and_pixels_may_be_given(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("x\nx\n")
    run(folder, tmp_path / "network.safetensors")
    given = ("--labels", tmp_path / "labels.txt", "--mean", "1,2,3", "--scale", "0.5")
    done = run(tmp_path / "network.safetensors", tmp_path / "again", *given)
    assert done.returncode == 0
    model = Model.load(tmp_path / "again")
    assert model.labels == ("x (0)", "x (1)")
    assert (model.preprocessing.mean, model.preprocessing.scale) == ((1.0, 2.0, 3.0), (0.5,) * 3)


def test_refusals_are_one_line_and_end_with_two(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "network.keras").write_bytes(b"PK")
    cases = [
        ((tmp_path / "none.tflite", tmp_path / "x"), "there is no such file"),
        ((tmp_path / "network.keras", tmp_path / "x"), "it is not an HDF5 file, or damaged"),
        ((tmp_path, tmp_path / "x"), "neither a model folder nor timm's"),
        ((folder, tmp_path / "x.h5"), "Keras files are read, not written"),
        ((folder, tmp_path / "x.onnx", "--to", "tflite"), "its suffix says onnx and --to tflite"),
        ((folder, tmp_path / "x", "--to", "timm"), "timm makes MobileNet V1 of width 1 and 1.25 only"),
        ((folder, tmp_path / "x.onnx", "--mean", "1,2"), "--mean is '1,2'; give one number, or three"),
        ((folder, tmp_path / "x.onnx", "--mean", "1"), "a model folder says its resolution, mean, scale and order"),
        (("keras/0.3-128", tmp_path / "x"), "there is no 'keras/0.3-128'"),
        (("https://a.org/m.onnx", tmp_path / "x"), "https://a.org/m.onnx: is an address; fetch the file first"),
    ]
    for arguments, sentence in cases:
        done = run(*arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert done.stderr.startswith("error: ")
        assert sentence in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "network.keras"]
