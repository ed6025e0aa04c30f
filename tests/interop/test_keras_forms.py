"""Forms in which people have Keras models: containers of today, models in models, wrappers."""

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
from depthwise.interop.said import said
from depthwise.interop.source import Given
from depthwise.network import reference
from depthwise.network.model import Model
from tools.foreign import pixels, same_weights
from tools.keras_files import (
    KERAS_FIELDS,
    KerasArrays,
    connect,
    entry,
    inside,
    keras_model,
    write_dot_keras,
    write_h5,
    write_store,
    write_tfjs,
    write_variables,
)

h5py = pytest.importorskip("h5py", reason="h5py is not installed; Keras files are not checked")
pytestmark = pytest.mark.usefixtures("keras_in_this_process")

SmallModel = Callable[..., Model]
Described = tuple[dict[str, Any], KerasArrays]


@pytest.fixture
def model(small_model: SmallModel) -> Model:
    return small_model(**KERAS_FIELDS)


def with_layers(config: dict[str, Any], change: Callable[[list[Any]], None]) -> dict[str, Any]:
    """A description with its list of layers changed, and each layer reading the one before."""
    found = copy.deepcopy(config)
    change(found["config"]["layers"])
    connect(found["config"]["layers"], 2)
    return found


@pytest.mark.parametrize("resolution", [50, 75])
@pytest.mark.parametrize("padding", ["keras", "end"])
@pytest.mark.parametrize(("width", "rounding"), [(0.25, "multiple-of-8"), (0.1, "cut-off")])
def test_keras_padding_and_widths_come_back_at_sides_that_are_odd_somewhere(
    small_model: SmallModel, tmp_path: Path, resolution: int, padding: str, width: float, rounding: str
) -> None:
    made = {**KERAS_FIELDS, "padding": padding, "resolution": resolution, "width": width, "rounding": rounding}
    model = small_model(**made)
    config, arrays = keras_model(model)
    # An old version's stem has a layer of padding, too.
    if padding == "end":
        stem = next(layer for layer in config["config"]["layers"] if layer["name"] == "conv1")
        stem["config"]["padding"] = "valid"
        pad = entry("ZeroPadding2D", "conv1_pad", padding=[[0, 1], [0, 1]])
        config = with_layers(config, lambda listed: listed.insert(1, pad))
    found = keras.read(write_h5(tmp_path / "network.h5", config, arrays))
    # At even sides both are one.
    wanted = model.spec if resolution % 2 else small_model(**{**made, "padding": "keras"}).spec
    assert (found.spec, same_weights(found, model)) == (wanted, True)


def padded_symmetrically(listed: list[Any]) -> None:
    """As versions of 2018 did: one row of zeros on every side, before every 3x3 convolution."""
    convolutions = [layer for layer in listed if layer["config"].get("kernel_size") == [3, 3]]
    for pad in [layer for layer in listed if layer["class_name"] == "ZeroPadding2D"]:
        listed.remove(pad)
    for layer in convolutions:
        layer["config"]["padding"] = "valid"
        pad = entry("ZeroPadding2D", f"{layer['name']}_pad", padding=[[1, 1], [1, 1]])
        listed.insert(listed.index(layer), pad)


def test_keras_of_2018_pads_symmetrically_and_is_read_so(small_model: SmallModel, tmp_path: Path) -> None:
    model = small_model(**{**KERAS_FIELDS, "padding": "symmetric"})
    config, arrays = keras_model(model)
    for resolution in (50, 64):
        config["config"]["layers"][0]["config"]["batch_input_shape"] = [None, resolution, resolution, 3]
        path = write_h5(tmp_path / "network.h5", with_layers(config, padded_symmetrically), arrays)
        found = keras.read(path)
        assert (found.spec.padding, found.spec.resolution, same_weights(found, model)) == (
            "symmetric",
            resolution,
            True,
        )


@pytest.mark.parametrize("how", [{}, {"named": False}, {"inside": "_layer_checkpoint_dependencies", "named": False}])
def test_a_dot_keras_file_is_read_by_names_or_by_classes_and_their_order(
    model: Model, tmp_path: Path, how: dict[str, Any]
) -> None:
    config, arrays = keras_model(model)
    write_dot_keras(tmp_path / "network.keras", config, arrays, **how)
    found = formats.read(str(tmp_path / "network.keras"))
    assert isinstance(found, Model)
    assert (found.spec, same_weights(found, model)) == (model.spec, True)


def test_a_model_inside_a_model_is_read_from_a_dot_keras_file(model: Model, tmp_path: Path) -> None:
    config, arrays = keras_model(model)
    write_dot_keras(tmp_path / "network.keras", inside(config, []), arrays, inside="layers/functional/layers")
    assert same_weights(keras.read(tmp_path / "network.keras"), model)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("place", ["layers", "layers/functional/layers"])
def test_bare_weights_of_keras_3_are_read_by_the_order_of_their_classes(
    model: Model, tmp_path: Path, named: bool, place: str
) -> None:
    with h5py.File(tmp_path / "network.weights.h5", "w") as file:
        write_store(file, keras_model(model)[1], named=named, inside=place)
    found = keras.read(tmp_path / "network.weights.h5", Given(resolution=50))
    assert (found.spec, same_weights(found, model)) == (model.spec, True)


@pytest.mark.parametrize("store", [False, True])
def test_a_classifier_of_ones_own_is_taken_from_bare_weights_and_what_else_is_left_is_named(
    model: Model, tmp_path: Path, store: bool
) -> None:
    arrays = keras_model(model, top=False)[1]
    weight, bias = model.weights["classifier.weight"].T, model.weights["classifier.bias"]
    arrays["dense_4"] = {"kernel": weight, "bias": bias}
    path = tmp_path / "mine.h5"
    write: Callable[..., None] = write_store if store else write_variables
    with h5py.File(path, "w") as file:
        write(file, arrays)
    found = keras.read(path, Given(resolution=50))
    assert (same_weights(found, model), "classifier" in found.provenance) == (True, False)
    arrays["dense_5"] = {"kernel": weight}
    with h5py.File(path, "w") as file:
        write(file, arrays)
    with pytest.raises(Refused, match=r"it has array (dense_4|layers/dense).* besides those of MobileNet V1"):
        keras.read(path, Given(resolution=50))


def test_bare_weights_of_a_model_that_computes_on_pixels_are_refused_until_that_is_said(
    model: Model, tmp_path: Path
) -> None:
    path = tmp_path / "mine.weights.h5"
    with h5py.File(path, "w") as file:
        write_store(file, keras_model(model)[1])
        file.create_group("layers/rescaling_1/vars")
    with pytest.raises(Refused, match=r"it has a layer rescaling_1, whose numbers .* by --mean and --scale"):
        keras.read(path, Given(resolution=50))
    found = keras.read(path, Given(resolution=50, mean=(0.0,), scale=(1 / 255,)))
    assert same_weights(found, model)
    assert "mean 0 and scale 0.003921569 (given)" in said(found)


@pytest.mark.parametrize("scope", ["{}", "{}_1", "outer/{}", "outer_2/{}_3"])
@pytest.mark.parametrize("nested", [False, True])
def test_variables_are_found_whatever_scope_they_were_made_in(
    model: Model, tmp_path: Path, scope: str, nested: bool
) -> None:
    config, arrays = keras_model(model)
    group = "mobilenet" if nested else ""
    path = write_h5(
        tmp_path / "network.h5", inside(config, []) if nested else config, arrays, scope=scope, inside=group
    )
    assert same_weights(keras.read(path), model)


def test_an_array_that_no_layer_takes_is_named(model: Model, tmp_path: Path) -> None:
    config, arrays = keras_model(model)
    arrays["conv1"]["bias"] = np.ones(8, np.float32)
    with pytest.raises(Refused, match="array conv1/conv1/bias belongs to no layer that it describes"):
        keras.read(write_h5(tmp_path / "network.h5", config, arrays))


def test_compressed_arrays_that_are_longer_than_the_file_are_read(model: Model, tmp_path: Path) -> None:
    config, arrays = keras_model(model.replace(weights={n: np.round(a) for n, a in model.weights.items()}))
    with h5py.File(tmp_path / "network.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        for layer, parts in arrays.items():
            for part, array in parts.items():
                how: dict[str, Any] = {"compression": "gzip", "shuffle": True}
                file.create_dataset(f"model_weights/{layer}/{layer}/{part}:0", data=array, **how)
    assert keras.read(tmp_path / "network.h5").spec == model.spec


def pruned(listed: list[Any]) -> None:
    for place, layer in enumerate(listed):
        if layer["class_name"] in ("Conv2D", "DepthwiseConv2D"):
            name = f"prune_low_magnitude_{layer['name']}"
            inner = {"class_name": layer["class_name"], "config": layer["config"]}
            listed[place] = entry("PruneLowMagnitude", name, layer=inner)


def test_layers_in_wrappers_of_pruning_are_read_through_them(model: Model, tmp_path: Path) -> None:
    config, arrays = keras_model(model)
    with h5py.File(tmp_path / "network.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(with_layers(config, pruned))
        for layer, parts in arrays.items():
            top = layer if layer.endswith("_bn") else f"prune_low_magnitude_{layer}"
            extra: dict[str, np.ndarray] = (
                {} if layer.endswith("_bn") else {"mask": np.ones(3, np.float32), "threshold": np.ones((), np.float32)}
            )
            write_variables(file, {layer: {**parts, **extra}}, inside=f"model_weights/{top}")
    assert same_weights(keras.read(tmp_path / "network.h5"), model)


@pytest.mark.parametrize("kind", ["BatchNormalizationV1", "SyncBatchNormalization"])
def test_normalisation_of_other_names_is_read(model: Model, tmp_path: Path, kind: str) -> None:
    config, arrays = keras_model(model)
    text = json.dumps(config).replace('"BatchNormalization"', json.dumps(kind))
    assert same_weights(keras.read(write_h5(tmp_path / "network.h5", json.loads(text), arrays)), model)


def test_a_model_of_ones_own_class_and_weights_in_shards_are_refused(model: Model, tmp_path: Path) -> None:
    import zipfile

    config, arrays = keras_model(model)
    with pytest.raises(Refused, match=r"a model of a class of its own \(MyNet\), which only its Python code describes"):
        keras.read(write_h5(tmp_path / "network.h5", {**config, "class_name": "MyNet"}, arrays))
    path = tmp_path / "network.keras"
    write_dot_keras(path, config, arrays)
    with zipfile.ZipFile(path, "a") as whole:
        whole.writestr("model.weights.json", "{}")
    with pytest.raises(Refused, match="its weights lie in several files; save the model without sharding"):
        keras.read(path)
    with zipfile.ZipFile(path, "w") as whole:
        whole.writestr("config.json", json.dumps(config))
    with pytest.raises(Refused, match=r"it is a zip file without model\.weights\.h5"):
        keras.read(path)


@pytest.mark.parametrize(("stored", "off"), [("float32", 0.0), ("float16", 0.001), ("uint8", 0.01)])
@pytest.mark.parametrize("nested", [False, True])
def test_a_layers_model_of_tensorflow_js_is_read_quantised_or_not(
    model: Model, tmp_path: Path, stored: str, off: float, nested: bool
) -> None:
    config, arrays = keras_model(model)
    folder = tmp_path / "web"
    write_tfjs(folder, inside(config, []) if nested else config, arrays, stored)
    found = formats.read(str(folder))
    assert isinstance(found, Model)
    assert found.spec == model.spec
    worst = max(float(np.abs(a - found.weights[n]).max() / (np.ptp(a) or 1)) for n, a in model.weights.items())
    assert worst <= off
    assert formats.read(str(folder / "model.json")).spec == model.spec


def test_tensorflow_js_weights_without_description_are_read_as_those_of_keras(model: Model, tmp_path: Path) -> None:
    write_tfjs(tmp_path / "web", *keras_model(model))
    file = tmp_path / "web" / "model.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "modelTopology": None}))
    assert same_weights(keras.read(tmp_path / "web", Given(resolution=50)), model)


def test_files_of_tensorflow_js_that_are_not_whole_or_lie_elsewhere_are_refused(model: Model, tmp_path: Path) -> None:
    write_tfjs(tmp_path / "web", *keras_model(model))
    described = json.loads((tmp_path / "web" / "model.json").read_text())
    shard = tmp_path / "web" / "group1-shard2of2.bin"
    shard.write_bytes(shard.read_bytes()[:-8])
    with pytest.raises(Refused, match="array conv_preds/bias ends behind the files of its weights"):
        formats.read(str(tmp_path / "web"))
    described["weightsManifest"][0]["paths"][0] = "../secret"
    (tmp_path / "web" / "model.json").write_text(json.dumps(described))
    with pytest.raises(Refused, match=r"its weights lie in '\.\./secret'; put all files into the folder"):
        formats.read(str(tmp_path / "web"))
    described["format"] = "graph-model"
    (tmp_path / "web" / "model.json").write_text(json.dumps(described))
    with pytest.raises(Refused, match=r"it is a graph model of TensorFlow\.js"):
        formats.read(str(tmp_path / "web"))


@pytest.mark.parametrize("twice", [False, True])
def test_a_folder_of_json_and_weights_is_read_and_several_weights_are_refused(
    model: Model, tmp_path: Path, twice: bool
) -> None:
    config, arrays = keras_model(model)
    text = json.dumps(config)
    (tmp_path / "model.json").write_text(json.dumps(text) if twice else text)
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        write_variables(file, arrays)
    for source in (tmp_path, tmp_path / "model.json"):
        found = formats.read(str(source))
        assert isinstance(found, Model)
        assert (found.spec, same_weights(found, model)) == (model.spec, True)
    (tmp_path / "best.h5").write_bytes((tmp_path / "weights.h5").read_bytes())
    with pytest.raises(Refused, match=r"2 files of weights \(\.h5\) beside model\.json, which describes the layers"):
        formats.read(str(tmp_path))


def test_probabilities_are_those_of_the_model_that_was_written(model: Model, tmp_path: Path) -> None:
    """One form through to its answers: the others are compared by their weights."""
    write_dot_keras(tmp_path / "network.keras", *keras_model(model))
    found = keras.read(tmp_path / "network.keras").replace(preprocessing=model.preprocessing)
    images = pixels(model, 2)
    expected = reference.run(model, images).probabilities
    assert np.abs(reference.run(found, images).probabilities - expected).max() < 1e-6
