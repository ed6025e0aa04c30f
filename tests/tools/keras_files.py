"""Keras and TensorFlow.js files made by hand, in the layouts that Keras 2, Keras 3 and their converters write."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from depthwise.network.layers import Layer, layers
from depthwise.network.model import Model

# Arrays by the name of their layer and of their part.
KerasArrays = dict[str, dict[str, np.ndarray]]
# Of a network as keras.applications.MobileNet makes it, at a size where its padding is no other's.
KERAS_FIELDS: dict[str, Any] = {"width": 0.03, "padding": "keras", "bn_epsilon": 1e-3, "resolution": 50, "seed": 2}


def write_keras(model: Model, path: Path, *, whole: bool = True, top: bool = True, keras: int = 2) -> None:
    """Write a model in the layout of keras.applications.MobileNet, with the names that Keras gives.

    Args:
        whole: with the description of the layers, or the weights alone.
        top: with the classifier.
        keras: 2 or 3, which name variables, and the layers that a layer reads, in different ways.
    """
    import h5py

    config, arrays = keras_model(model, top=top, keras=keras)
    with h5py.File(path, "w") as file:
        write_variables(file.create_group("model_weights") if whole else file, arrays, ":0" if keras == 2 else "")
        if whole:
            file.attrs["model_config"] = json.dumps(config)
            file.create_group("optimizer_weights/Adam")["conv1/kernel:0"] = np.zeros(3, np.float32)


def write_h5(path: Path, config: dict[str, Any], arrays: KerasArrays, **how: Any) -> Path:
    """Write a description and its arrays as one file; `how` as `write_variables` takes it."""
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        write_variables(file.create_group("model_weights"), arrays, **how)
    return path


def write_variables(root: Any, arrays: KerasArrays, suffix: str = ":0", inside: str = "", scope: str = "{}") -> None:
    """Write arrays as groups of variables by name.

    Args:
        inside: the group of a model inside another that all of them lie in.
        scope: what variables are called below their layers, whose name is put in.
    """
    for layer, parts in arrays.items():
        for part, array in parts.items():
            root[f"{inside or layer}/{scope.format(layer)}/{part}{suffix}"] = array


def write_store(file: Any, arrays: KerasArrays, *, inside: str = "layers", named: bool = True) -> None:
    """Write arrays as Keras 3 does in .keras and .weights.h5 files: by class and number, perhaps with names beside."""
    counts: dict[str, int] = {}
    for layer, parts in arrays.items():
        kind = "dense" if layer.startswith("dense") else next(k for part, k in _STORED.items() if part in parts)
        number, counts[kind] = counts.get(kind, 0), counts.get(kind, 0) + 1
        group = file.create_group(f"{inside}/{kind}{f'_{number}' if number else ''}/vars")
        if named:
            group.attrs["name"] = layer
        for place, array in enumerate(parts.values()):
            group[str(place)] = array


# The class of a layer by its first array.
_STORED = {"depthwise_kernel": "depthwise_conv2d", "gamma": "batch_normalization", "kernel": "conv2d"}


def write_dot_keras(path: Path, config: Mapping[str, Any], arrays: KerasArrays, **how: Any) -> None:
    """Write a .keras file; `how` as of `write_store`."""
    import h5py

    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        write_store(file, arrays, **how)
        file["optimizer/vars/0"] = np.zeros(3, np.float32)
    with zipfile.ZipFile(path, "w") as whole:
        whole.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        whole.writestr("config.json", json.dumps(config))
        whole.writestr("model.weights.h5", weights.getvalue())


def write_tfjs(folder: Path, config: Mapping[str, Any], arrays: KerasArrays, stored: str = "float32") -> None:
    """Write a layers model of TensorFlow.js in two files of weights, quantised where `stored` is another type."""
    entries, data = [], b""
    for layer, parts in arrays.items():
        for part, array in parts.items():
            entry: dict[str, Any] = {"name": f"{layer}/{part}", "shape": list(array.shape), "dtype": "float32"}
            numbers = array.astype("<f4")
            if stored == "uint8":
                least, scale = float(array.min()), float(np.ptp(array)) / 255 or 1.0
                entry["quantization"] = {"dtype": "uint8", "min": least, "scale": scale, "original_dtype": "float32"}
                numbers = np.rint((array - least) / scale).astype("u1")
            elif stored == "float16":
                entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
                numbers = array.astype("<f2")
            entries.append(entry)
            data += numbers.tobytes()
    folder.mkdir()
    files = {"group1-shard1of2.bin": data[: len(data) // 2], "group1-shard2of2.bin": data[len(data) // 2 :]}
    for name, part_of_data in files.items():
        (folder / name).write_bytes(part_of_data)
    manifest = [{"paths": list(files), "weights": entries}]
    topology = {"keras_version": "2.11.0", "backend": "tensorflow", "model_config": config}
    (folder / "model.json").write_text(json.dumps({"modelTopology": topology, "weightsManifest": manifest}))


def keras_model(model: Model, *, top: bool = True, keras: int = 2) -> tuple[dict[str, Any], KerasArrays]:
    """A model as keras.applications describes it, and its arrays by layer and part."""
    arrays: KerasArrays = {}
    described = [entry("InputLayer", "input_1", batch_input_shape=[None, *[model.spec.resolution] * 2, 3])]
    for number, layer in enumerate(row for row in layers(model.spec) if row.norm):
        described += _keras_layer(model, layer, arrays, _keras_name(number))
    described.append(entry("GlobalAveragePooling2D", "pool", data_format="channels_last", keepdims=True))
    if top:
        weight = model.weights["classifier.weight"].T[None, None]
        arrays["conv_preds"] = {"kernel": weight, "bias": model.weights["classifier.bias"]}
        described += [
            entry("Dropout", "dropout", rate=0.001),
            _convolution("Conv2D", "conv_preds", 1, 1, "same", use_bias=True, filters=model.spec.classes),
            entry("Reshape", "reshape_2", target_shape=[model.spec.classes]),
            entry("Activation", "predictions", activation="softmax"),
        ]
    if keras == 3:
        arrays = {layer: {part.removeprefix("depthwise_"): a for part, a in p.items()} for layer, p in arrays.items()}
    connect(described, keras)
    return {"class_name": "Functional", "config": {"name": "mobilenet", "layers": described}}, arrays


def _keras_name(number: int) -> str:
    return "conv1" if number == 0 else f"conv_{'dw' if number % 2 else 'pw'}_{(number + 1) // 2}"


def _keras_layer(model: Model, layer: Layer, arrays: KerasArrays, name: str) -> list[dict[str, Any]]:
    weight = model.weights[f"{layer.name}.weight"]
    described = []
    padding = "same"
    if layer.kind == "depthwise" and layer.stride == 2:
        pad = layer.padding
        sides = [[pad.top, pad.bottom], [pad.left, pad.right]]
        described.append(entry("ZeroPadding2D", f"{name}_pad", padding=sides, data_format="channels_last"))
        padding = "valid"
    if layer.kind == "depthwise":
        arrays[name] = {"depthwise_kernel": weight.transpose(2, 3, 0, 1)}
        described.append(_convolution("DepthwiseConv2D", name, 3, layer.stride, padding, depth_multiplier=1))
    else:
        arrays[name] = {"kernel": weight.transpose(2, 3, 1, 0)}
        filters = layer.output.channels
        described.append(_convolution("Conv2D", name, layer.kernel, layer.stride, padding, filters=filters))
    arrays[f"{name}_bn"] = {
        part: model.weights[f"{layer.norm}.{ours}"]
        for part, ours in (
            ("gamma", "weight"),
            ("beta", "bias"),
            ("moving_mean", "running_mean"),
            ("moving_variance", "running_var"),
        )
    }
    high = 6.0 if model.spec.activation == "relu6" else None
    return [
        *described,
        entry("BatchNormalization", f"{name}_bn", epsilon=model.spec.bn_epsilon, axis=[3]),
        entry("ReLU", f"{name}_relu", max_value=high, negative_slope=0.0, threshold=0.0),
    ]


def _convolution(kind: str, name: str, kernel: int, stride: int, padding: str, **more: Any) -> dict[str, Any]:
    fields = {"kernel_size": [kernel] * 2, "strides": [stride] * 2, "dilation_rate": [1, 1], "groups": 1}
    usual = {"activation": "linear", "use_bias": False, "data_format": "channels_last"}
    return entry(kind, name, padding=padding, **{**fields, **usual, **more})


def entry(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    """A layer as a model lists it."""
    return {"class_name": kind, "config": {"name": name, **fields}, "name": name, "inbound_nodes": []}


def connect(described: list[dict[str, Any]], keras: int) -> None:
    """Let every layer read the one before, in the words of Keras 2 or 3."""
    for before, layer in itertools.pairwise(described):
        name = before["config"]["name"]
        if keras == 2:
            layer["inbound_nodes"] = [[[name, 0, 0, {}]]]
        else:
            tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}
            layer["inbound_nodes"] = [{"args": [tensor], "kwargs": {}}]


def inside(config: dict[str, Any], before: list[Any], behind: list[Any] | None = None) -> dict[str, Any]:
    """A Sequential model with a model in it, as transfer learning has it."""
    inner = {**config, "name": config["config"]["name"]}
    return {"class_name": "Sequential", "config": {"name": "outer", "layers": [*before, inner, *(behind or [])]}}
