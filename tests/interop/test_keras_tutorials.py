"""Keras models as tutorials and tools leave them: preprocessing by parts, heads in models of their own, file names."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthwise.errors import Refused
from depthwise.interop import formats
from depthwise.interop.keras import format as keras
from depthwise.interop.keras.file import contents
from depthwise.network.model import Model
from tools.foreign import same_weights
from tools.keras_files import entry, keras_model, write_dot_keras, write_store, write_variables

h5py = pytest.importorskip("h5py", reason="h5py is not installed; Keras files are not checked")

SmallModel = Callable[..., Model]
Entries = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for reader in ("format", "folder"):
        monkeypatch.setattr(f"depthwise.interop.keras.{reader}.extract", contents)


@pytest.fixture
def model(small_model: SmallModel) -> Model:
    return small_model(width=0.03, padding="keras", bn_epsilon=1e-3, resolution=50, seed=2)


def write_h5(path: Path, config: dict[str, Any], arrays: Any, **how: Any) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        write_variables(file.create_group("model_weights"), arrays, **how)
    return path


def tensor(name: str) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}


ALL = {"class_name": "__ellipsis__", "config": {}}


def parts_of_keras_3(places: list[int]) -> Entries:
    """As `preprocess_input(mode="caffe")` of Keras 3 turns the channels of an input."""
    made = [entry("GetItem", f"get_{n}") for n in range(len(places))]
    for layer, place in zip(made, places, strict=True):
        layer["inbound_nodes"] = [{"args": [tensor("input_1"), [ALL, place]], "kwargs": {}}]
    stack = entry("Stack", "turned", axis=-1)
    stack["inbound_nodes"] = [{"args": [[tensor(layer["name"]) for layer in made]], "kwargs": {}}]
    return [*made, stack]


def parts_of_keras_2(places: list[int]) -> Entries:
    made = [entry("SlicingOpLambda", f"get_{n}", function="__operators__.getitem") for n in range(len(places))]
    for layer, place in zip(made, places, strict=True):
        spec = ["...", {"start": place, "stop": place + 1, "step": None}]
        layer["inbound_nodes"] = [["input_1", 0, 0, {"slice_spec": spec}]]
    join = entry("TFOpLambda", "turned", function="concat")
    join["inbound_nodes"] = [[[layer["name"], 0, 0, {"axis": -1}] for layer in made]]
    return [*made, join]


def with_front(config: dict[str, Any], front: Entries) -> dict[str, Any]:
    found = copy.deepcopy(config)
    listed = found["config"]["layers"]
    listed[1]["inbound_nodes"] = [[["turned", 0, 0, {}]]]
    listed[1:1] = front
    return found


@pytest.mark.parametrize("made", [parts_of_keras_2, parts_of_keras_3])
def test_channels_taken_apart_and_joined_in_another_order_are_read_as_turned(
    model: Model, tmp_path: Path, made: Callable[[list[int]], Entries]
) -> None:
    config, arrays = keras_model(model)
    found = keras.read(write_h5(tmp_path / "network.h5", with_front(config, made([2, 1, 0])), arrays))
    assert np.array_equal(found.weights["conv_stem.weight"], model.weights["conv_stem.weight"][:, ::-1])
    for places in ([0, 1, 1], [0, 1]):
        with pytest.raises(Refused, match=r"branches|takes a part of its image|takes 2 of 3 channels"):
            keras.read(write_h5(tmp_path / "network.h5", with_front(config, made(places)), arrays))


def test_a_normalisation_with_one_number_for_all_of_a_picture_is_read(model: Model, tmp_path: Path) -> None:
    config, arrays = keras_model(model)
    layer = entry("Normalization", "turned", axis=None, mean=None, variance=None)
    layer["inbound_nodes"] = [[["input_1", 0, 0, {}]]]
    whole = {**arrays, "turned": {"mean": np.float32(100), "variance": np.float32(2500), "count": np.int64(3)}}
    found = keras.read(write_h5(tmp_path / "network.h5", with_front(config, [layer]), whole))
    assert (set(found.preprocessing.mean), set(found.preprocessing.scale)) == ({100.0}, {0.02})


def test_an_image_whose_channels_come_first_is_read_where_the_model_puts_them_last(
    model: Model, tmp_path: Path
) -> None:
    config, arrays = keras_model(model)
    layer = entry("Permute", "turned", dims=[2, 3, 1])
    layer["inbound_nodes"] = [[["input_1", 0, 0, {}]]]
    whole = with_front(config, [layer])
    whole["config"]["layers"][0]["config"]["batch_input_shape"] = [None, 3, 50, 50]
    found = keras.read(write_h5(tmp_path / "network.h5", whole, arrays))
    assert (found.spec, same_weights(found, model)) == (model.spec, True)
    layer["config"]["dims"] = [2, 1, 3]
    with pytest.raises(Refused, match=r"layer turned \(Permute\) is not part of MobileNet V1"):
        keras.read(write_h5(tmp_path / "network.h5", with_front(config, [layer]), arrays))


@pytest.mark.parametrize("hidden", [False, True])
def test_a_head_in_a_model_of_its_own_is_the_head(model: Model, tmp_path: Path, hidden: bool) -> None:
    """As Teachable Machine saves its models, which have a hidden layer, too."""
    config, arrays = keras_model(model, top=False)
    channels = model.weights["classifier.weight"].shape[1]
    dense = {"kernel": model.weights["classifier.weight"].T, "bias": model.weights["classifier.bias"]}
    first = entry("InputLayer", "features", batch_input_shape=[None, channels])
    middle = entry("Dense", "middle", activation="relu", use_bias=False)
    head = [first, *([middle] if hidden else []), entry("Dense", "dense_4", activation="softmax", use_bias=True)]
    whole = {"class_name": "Sequential", "config": {"name": "outer", "layers": [
        {"class_name": "Sequential", "config": {"name": "body", "layers": [config]}},
        {"class_name": "Sequential", "config": {"name": "head", "layers": head}},
    ]}}  # fmt: skip
    with h5py.File(tmp_path / "keras_model.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(whole)
        write_variables(file, arrays, inside="model_weights/body")
        more = {"middle": {"kernel": np.eye(channels, dtype=np.float32)}} if hidden else {}
        write_variables(file, {"dense_4": dense, **more}, inside="model_weights/head")
    if hidden:
        with pytest.raises(Refused, match=r"layer middle \(Dense\) has an activation: a hidden layer"):
            keras.read(tmp_path / "keras_model.h5")
    else:
        assert same_weights(keras.read(tmp_path / "keras_model.h5"), model)


def test_a_description_beside_weights_that_are_called_as_keras_3_wants_it_is_read(model: Model, tmp_path: Path) -> None:
    config, arrays = keras_model(model, keras=3)
    (tmp_path / "model.json").write_text(json.dumps(config))
    with h5py.File(tmp_path / "model.weights.h5", "w") as file:
        write_store(file, arrays)
    found = formats.read(str(tmp_path))
    assert isinstance(found, Model)
    assert same_weights(found, model)
    write_dot_keras(tmp_path / "network.keras", config, arrays)
    assert same_weights(keras.read(tmp_path / "network.keras"), model)
