"""Normalisations that hold the statistics which they are made with are told of, in every format that has any."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from depthwise.interop import formats
from depthwise.interop.keras import format as keras
from depthwise.interop.keras.file import contents
from depthwise.interop.said import initial
from depthwise.interop.source import Given
from depthwise.network.layers import layers
from depthwise.network.model import Model
from tools.keras_files import keras_model, write_variables

SmallModel = Callable[..., Model]


def untrained(model: Model, count: int) -> Model:
    """The model with the first statistics of so many normalisations as they are made."""
    names = [row.norm for row in layers(model.spec) if row.norm][:count]
    fresh = {f"{name}.running_mean": np.zeros_like(model.weights[f"{name}.running_mean"]) for name in names}
    fresh |= {f"{name}.running_var": np.ones_like(model.weights[f"{name}.running_var"]) for name in names}
    return model.replace(weights={**model.weights, **fresh})


@pytest.mark.parametrize(("count", "said"), [(27, "the first of 27 (of 27)"), (1, "(1 of 27)"), (0, "")])
def test_statistics_as_they_are_made_are_told_of_in_state_dicts_keras_and_onnx(
    small_model: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, said: str
) -> None:
    model = untrained(small_model(seed=3, bn_epsilon=1e-3, padding="keras"), count)
    save_file(dict(model.weights), tmp_path / "weights.safetensors")
    lines = {"array": initial(formats.read(str(tmp_path / "weights.safetensors"), Given(resolution=32)))}
    h5py = pytest.importorskip("h5py", reason="h5py is not installed; Keras files are not checked")
    monkeypatch.setattr("depthwise.interop.keras.format.extract", contents)
    config, arrays = keras_model(model)
    with h5py.File(tmp_path / "network.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        write_variables(file.create_group("model_weights"), arrays)
    lines["layer conv1_bn"] = initial(keras.read(tmp_path / "network.h5"))
    for place, line in lines.items():
        assert line == "" if not said else (f"exactly 1 in every channel at {place}" in line and said in line), line


def test_onnx_shows_them_and_tflite_where_they_are_folded_does_not(small_model: SmallModel, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed; ONNX files are not checked")
    pytest.importorskip("tflite", reason="tflite is not installed; TFLite files are not checked")
    for suffix, shown in ((".onnx", True), (".tflite", False)):
        formats.write(untrained(small_model(seed=3), 27), tmp_path / f"network{suffix}")
        assert ("at node 1 (BatchNormalization)" in initial(formats.read(str(tmp_path / f"network{suffix}")))) == shown
