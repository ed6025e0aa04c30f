"""A model folder, measured with PyTorch, against the oracle and against what training says of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from depthwise.cloud.module import to_network
from depthwise.cloud.predict import ModelPredictor
from depthwise.cloud.processes import world
from depthwise.cloud.validate import validate
from depthwise.compiler import compile_model
from depthwise.data.folder import read_split
from depthwise.data.store import evaluation_store
from depthwise.edge.artifact import Artifact
from depthwise.edge.pixels import decode, prepare
from depthwise.evaluate.predictions import predict_folder
from depthwise.evaluate.predictor import ArtifactPredictor
from depthwise.evaluate.report import Report
from depthwise.network.model import Model
from depthwise.network.reference import run
from depthwise.progress import Silent
from tools.command import depthwise


@pytest.fixture
def model(small_model: Callable[..., Model]) -> Model:
    return small_model(seed=3, shallow=True, labels=("cat", "dog", "eel", "fox", "gnu", "hen"))


@pytest.fixture
def images(image_folder: Callable[..., Path]) -> Path:
    return image_folder(classes=("cat", "eel", "fox"), images=5)


def test_probabilities_are_those_of_the_oracle(model: Model, images: Path) -> None:
    found = predict_folder(ModelPredictor(model), images, Silent())

    assert len(found.items) == 15
    pixels = [
        prepare(decode(item.path), resize=model.preprocessing.resize, crop=model.preprocessing.crop)
        for item in found.items
    ]
    assert found.probabilities == pytest.approx(run(model, np.stack(pixels)).probabilities, abs=1e-5)


def test_figures_are_those_that_training_gives(model: Model, images: Path) -> None:
    report = Report(subject="", kind="model", predictions=predict_folder(ModelPredictor(model), images, Silent()))
    store = evaluation_store(read_split(images, model.labels), model.preprocessing, tick=lambda: None)

    with world() as here:
        expected = validate(to_network(model).to(here.device), store, model.preprocessing, here)

    assert report.top1.share == expected["top1"]
    assert report.top5.share == expected["top5"]
    assert report.log_loss == pytest.approx(expected["validation_loss"], rel=1e-5)


def test_the_command_measures_a_model_folder(model: Model, images: Path, tmp_path: Path) -> None:
    model.save(tmp_path / "model")

    done = depthwise("evaluate", tmp_path / "model", images, "--json")

    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    report = Report(subject="", kind="model", predictions=predict_folder(ModelPredictor(model), images, Silent()))
    assert found["subject"]["kind"] == "model"
    assert found["confusion"] == report.confusion.tolist()


def test_an_artifact_and_its_model_give_the_same_answers(model: Model, images: Path, tmp_path: Path) -> None:
    compile_model(model, target="host", out=tmp_path / "model.so")

    expected = predict_folder(ModelPredictor(model), images, Silent())
    with Artifact.open(tmp_path / "model.so") as artifact:
        found = predict_folder(ArtifactPredictor(artifact), images, Silent())

    assert found.labels == expected.labels
    assert found.items == expected.items
    assert found.probabilities == pytest.approx(expected.probabilities, abs=1e-5)
