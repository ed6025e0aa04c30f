"""What a Keras model does to its pixels before the network: read into sizes and preprocessing, or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthwise.errors import Refused
from depthwise.interop.keras import format as keras
from depthwise.interop.said import said
from depthwise.network.model import Model
from tools.foreign import same_weights
from tools.keras_files import (
    KERAS_FIELDS,
    entry,
    inside,
    keras_model,
    write_h5,
    write_variables,
)

h5py = pytest.importorskip("h5py", reason="h5py is not installed; Keras files are not checked")
pytestmark = pytest.mark.usefixtures("keras_in_this_process")

SmallModel = Callable[..., Model]


@pytest.fixture
def model(small_model: SmallModel) -> Model:
    return small_model(**KERAS_FIELDS)


SILENT = [
    "RandomFlip",
    "RandomRotation",
    "RandomZoom",
    "RandomContrast",
    "RandomErasing",
    "SpatialDropout2D",
    "Identity",
]


def test_layers_that_do_nothing_outside_training_are_passed_over(model: Model, tmp_path: Path) -> None:
    config, arrays = keras_model(model)
    augment = {"class_name": "Sequential", "config": {"name": "augment", "layers": [entry(k, k) for k in SILENT]}}
    same_size = entry("Resizing", "resizing", height=50, width=50)
    first = entry("InputLayer", "images", batch_input_shape=[None, 50, 50, 3])
    whole = inside(config, [first, {**augment, "name": "augment"}, same_size])
    assert same_weights(keras.read(write_h5(tmp_path / "network.h5", whole, arrays, inside="mobilenet")), model)
    whole["config"]["layers"][2]["config"]["height"] = 60
    with pytest.raises(Refused, match=r"layer resizing \(Resizing\) resizes its image to 60x50 inside the network"):
        keras.read(write_h5(tmp_path / "network.h5", whole, arrays, inside="mobilenet"))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "both sides squashed to 50 (read)"),
        ({"crop_to_aspect_ratio": True}, "shorter side to 50 and the middle 50x50 cut out (read)"),
        ({"pad_to_aspect_ratio": True, "fill_value": 9}, "all of it fitted into 50x50 on colour 9,9,9 (read)"),
        ({"interpolation": "bicubic"}, "both sides squashed to 50 by a bicubic filter (read)"),
    ],
)
def test_a_model_that_resizes_pictures_of_any_size_says_how_they_become_square(
    model: Model, tmp_path: Path, fields: dict[str, Any], told: str
) -> None:
    config, arrays = keras_model(model)
    first = entry("InputLayer", "images", batch_input_shape=[None, None, None, 3])
    whole = inside(config, [first, entry("Resizing", "resizing", height=50, width=50, **fields)])
    assert told in said(keras.read(write_h5(tmp_path / "network.h5", whole, arrays, inside="mobilenet")))


def function(name: str, constant: Any, *, first: bool = False) -> dict[str, Any]:
    """A layer that calls a function of TensorFlow with what is before it, and a constant."""
    node = ["_CONSTANT_VALUE", -1, constant, {"y": ["before", 0, 0]}] if first else ["before", 0, 0, {"y": constant}]
    return {**entry("TFOpLambda", f"tf.{name}", function=name), "inbound_nodes": [node]}


def operation(kind: str, constant: Any) -> dict[str, Any]:
    """The same of Keras 3."""
    tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": ["before", 0, 0]}}
    return {**entry(kind, kind.lower()), "inbound_nodes": [{"args": [tensor, constant], "kwargs": {}}]}


def node(op: str, constant: float) -> dict[str, Any]:
    """The same of TensorFlow 2.0 to 2.3."""
    return entry("TensorFlowOpLayer", op, node_def=json.dumps({"name": op, "op": op}), constants={"1": constant})


def in_order(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Layers behind an input, with the name of the one before each in the place of "before"."""
    found = [entry("InputLayer", "images", batch_input_shape=[None, 50, 50, 3])]
    for layer in layers:
        found.append(json.loads(json.dumps(layer).replace('"before"', json.dumps(found[-1]["name"]))))
    return found


ARRAY = {"class_name": "__numpy__", "config": {"value": [[[[120.0, 110.0, 100.0]]]], "dtype": "float32"}}
PIXELS: list[tuple[list[dict[str, Any]], tuple[float, ...], float]] = [
    ([entry("Rescaling", "rescaling", scale=1 / 64, offset=-2.0)], (128.0,) * 3, 1 / 64),
    ([function("math.truediv", 127.5), function("math.subtract", 1.0)], (127.5,) * 3, 1 / 127.5),
    (
        [function("cast", None), function("math.multiply", 1 / 16), function("__operators__.add", -8)],
        (128.0,) * 3,
        1 / 16,
    ),
    ([operation("Subtract", ARRAY), operation("TrueDivide", 50.0)], (120.0, 110.0, 100.0), 0.02),
    ([node("RealDiv", 64.0), node("Sub", 2.0)], (128.0,) * 3, 1 / 64),
    (
        [entry("Normalization", "n", axis=[-1], mean=[120.0, 110.0, 100.0], variance=2500.0)],
        (120.0, 110.0, 100.0),
        0.02,
    ),
    (
        [entry("Normalization", "n", axis=None, mean=127.5, variance=2500.0), entry("GaussianNoise", "noise")],
        (127.5,) * 3,
        0.02,
    ),
]


def test_a_model_that_was_built_for_a_size_without_saying_it_of_its_input_has_that_size(
    model: Model, tmp_path: Path
) -> None:
    config, arrays = keras_model(model)
    config["config"]["layers"][0]["config"]["batch_input_shape"] = [None, None, None, 3]
    first = {**entry("RandomFlip", "flip"), "build_config": {"input_shape": [None, 50, 50, 3]}}
    path = write_h5(tmp_path / "network.h5", inside(config, [first]), arrays, inside="mobilenet")
    assert keras.read(path).spec == model.spec


@pytest.mark.parametrize(("layers", "mean", "scale"), PIXELS)
def test_arithmetic_before_the_network_is_its_mean_and_scale(
    model: Model, tmp_path: Path, layers: list[dict[str, Any]], mean: tuple[float, ...], scale: float
) -> None:
    config, arrays = keras_model(model)
    whole = inside(config, in_order(layers))
    found = keras.read(write_h5(tmp_path / "network.h5", whole, arrays, inside="mobilenet"))
    assert found.preprocessing.mean == pytest.approx(mean)
    assert found.preprocessing.scale == pytest.approx((scale,) * 3)
    assert same_weights(found, model)


def test_an_adapted_normalization_is_read_from_its_arrays(model: Model, tmp_path: Path) -> None:
    config, arrays = keras_model(model)
    adapted = entry("Normalization", "normalization", axis=[-1], mean=None, variance=None)
    path = write_h5(tmp_path / "network.h5", inside(config, [adapted]), arrays, inside="mobilenet")
    numbers = {"mean": [120.0, 110.0, 100.0], "variance": [100.0, 400.0, 2500.0], "count": 7.0}
    with h5py.File(path, "a") as file:
        own = {part: np.array(value, np.float32) for part, value in numbers.items()}
        write_variables(file["model_weights"], {"normalization": own})
    found = keras.read(path)
    assert found.preprocessing.mean == pytest.approx((120.0, 110.0, 100.0))
    assert found.preprocessing.scale == pytest.approx((0.1, 0.05, 0.02))


ELLIPSIS = {"class_name": "__ellipsis__", "config": {}}


def sliced(step: int, *, older: bool = False, start: int | None = None) -> dict[str, Any]:
    """`x[..., start::step]` as Keras 3 or Keras 2 describes it."""
    ends = {"start": start, "stop": None, "step": step}
    if older:
        node = [["before", 0, 0, {"slice_spec": ["...", ends]}]]
        return {**entry("SlicingOpLambda", "get", function="__operators__.getitem"), "inbound_nodes": node}
    return operation("GetItem", [ELLIPSIS, {"class_name": "__slice__", "config": ends}])


@pytest.mark.parametrize(
    "layer", [sliced(-1), sliced(-1, older=True), {**operation("Flip", None), "config": {"name": "flip", "axis": -1}}]
)
def test_channels_that_the_model_turns_round_are_turned_in_the_first_weights(
    model: Model, tmp_path: Path, layer: dict[str, Any]
) -> None:
    config, arrays = keras_model(model)
    path = write_h5(tmp_path / "network.h5", inside(config, in_order([layer])), arrays, inside="mobilenet")
    found = keras.read(path)
    first = model.weights["conv_stem.weight"]
    assert np.array_equal(found.weights["conv_stem.weight"], first[:, ::-1])


REFUSED: list[tuple[dict[str, Any], str]] = [
    (sliced(2), "takes a part of its image or mirrors it"),
    (sliced(-1, start=1), "takes a part of its image or mirrors it"),
    ({**operation("Flip", None), "config": {"name": "flip", "axis": 2}}, "takes a part of its image or mirrors it"),
    (entry("Lambda", "lambda"), r"layer lambda \(Lambda\) is Python code, which is never run; put a Rescaling"),
    (entry("QuantizeWrapperV2", "quant"), "was trained for int8 by tfmot; convert the model to TFLite"),
    (entry("ClusterWeights", "cluster"), "call strip_clustering, and save again"),
    (entry("TimeDistributed", "each"), r"layer each \(TimeDistributed\) is not part of MobileNet V1"),
    (entry("Dense", "d", dtype={"class_name": "QuantizedDTypePolicy"}), "layer d .* was quantised by Keras"),
    (entry("Softmax", "s", axis=2), "is over axis 2; MobileNet V1 has its softmax over the classes"),
    (function("math.divide", 1.0, first=True), "is no scale or shift by a constant"),
    (function("math.pow", 2.0), r"\(math.pow\) is not part of MobileNet V1"),
    (entry("Rescaling", "r", scale=[[1.0], [2.0]], offset=0.0), r"has a constant of shape \(2, 1\)"),
]


@pytest.mark.parametrize(("layer", "sentence"), REFUSED)
def test_layers_that_are_something_else_are_refused_with_the_way_out(
    model: Model, tmp_path: Path, layer: dict[str, Any], sentence: str
) -> None:
    config, arrays = keras_model(model)
    path = write_h5(tmp_path / "network.h5", inside(config, in_order([layer])), arrays, inside="mobilenet")
    with pytest.raises(Refused, match=sentence):
        keras.read(path)
