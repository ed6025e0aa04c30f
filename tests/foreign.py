"""Helpers for tests of foreign formats: inputs, comparisons, and Keras files made by hand."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np

from depthwise.network.description import Described
from depthwise.network.layers import Layer, layers
from depthwise.network.model import Model

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def pixels(model: Described, count: int, seed: int = 0) -> Pixels:
    """Random prepared images."""
    spec = model.spec
    shape = (count, spec.resolution, spec.resolution, spec.channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def same_weights(one: Model, other: Model) -> bool:
    """Whether two models have the very same numbers."""
    return set(one.weights) == set(other.weights) and all(
        np.array_equal(array, other.weights[name]) for name, array in one.weights.items()
    )


def write_keras(model: Model, path: Path, *, whole: bool = True, top: bool = True, keras: int = 2) -> None:
    """Write a model in the layout of keras.applications.MobileNet, with the names that Keras gives.

    Args:
        whole: with the description of the layers, or the weights alone.
        top: with the classifier.
        keras: 2 or 3, whose descriptions name the layers that a layer reads in different ways.
    """
    import h5py

    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if whole else file
        described = [_described("InputLayer", "input_1", batch_input_shape=[None, *[model.spec.resolution] * 2, 3])]
        for number, layer in enumerate(row for row in layers(model.spec) if row.norm):
            described += _keras_layer(model, layer, root, _keras_name(number), 1 if layer.stride == 1 else 2)
        described.append(_described("GlobalAveragePooling2D", "pool", data_format="channels_last", keepdims=True))
        if top:
            weight = model.weights["classifier.weight"].T[None, None]
            _put(root, "conv_preds", kernel=weight, bias=model.weights["classifier.bias"])
            described += [
                _described("Dropout", "dropout", rate=0.001),
                _convolution("Conv2D", "conv_preds", 1, 1, "same", use_bias=True, filters=model.spec.classes),
                _described("Reshape", "reshape_2", target_shape=[model.spec.classes]),
                _described("Activation", "predictions", activation="softmax"),
            ]
        if whole:
            _connect(described, keras)
            config = {"class_name": "Functional", "config": {"name": "mobilenet", "layers": described}}
            file.attrs["model_config"] = json.dumps(config)
            file.create_group("optimizer_weights/Adam")["conv1/kernel:0"] = np.zeros(3, np.float32)


def _keras_name(number: int) -> str:
    return "conv1" if number == 0 else f"conv_{'dw' if number % 2 else 'pw'}_{(number + 1) // 2}"


def _keras_layer(model: Model, layer: Layer, root: Any, name: str, stride: int) -> list[dict[str, Any]]:
    weight = model.weights[f"{layer.name}.weight"]
    described = []
    padding = "same"
    if layer.kind == "depthwise" and stride == 2:
        pad = layer.padding
        sides = [[pad.top, pad.bottom], [pad.left, pad.right]]
        described.append(_described("ZeroPadding2D", f"{name}_pad", padding=sides, data_format="channels_last"))
        padding = "valid"
    if layer.kind == "depthwise":
        _put(root, name, depthwise_kernel=weight.transpose(2, 3, 0, 1))
        described.append(_convolution("DepthwiseConv2D", name, 3, stride, padding, depth_multiplier=1))
    else:
        _put(root, name, kernel=weight.transpose(2, 3, 1, 0))
        described.append(_convolution("Conv2D", name, layer.kernel, stride, padding, filters=layer.output.channels))
    norm = {part: model.weights[f"{layer.norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")}
    _put(
        root,
        f"{name}_bn",
        gamma=norm["weight"],
        beta=norm["bias"],
        moving_mean=norm["running_mean"],
        moving_variance=norm["running_var"],
    )
    high = 6.0 if model.spec.activation == "relu6" else None
    return [
        *described,
        _described("BatchNormalization", f"{name}_bn", epsilon=model.spec.bn_epsilon, axis=[3]),
        _described("ReLU", f"{name}_relu", max_value=high, negative_slope=0.0, threshold=0.0),
    ]


def _convolution(kind: str, name: str, kernel: int, stride: int, padding: str, **more: Any) -> dict[str, Any]:
    fields = {"kernel_size": [kernel] * 2, "strides": [stride] * 2, "dilation_rate": [1, 1], "groups": 1}
    usual = {"activation": "linear", "use_bias": False, "data_format": "channels_last"}
    return _described(kind, name, padding=padding, **{**fields, **usual, **more})


def _described(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": name, **fields}, "name": name, "inbound_nodes": []}


def _connect(described: list[dict[str, Any]], keras: int) -> None:
    for before, layer in itertools.pairwise(described):
        name = before["config"]["name"]
        if keras == 2:
            layer["inbound_nodes"] = [[[name, 0, 0, {}]]]
        else:
            tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}
            layer["inbound_nodes"] = [{"args": [tensor], "kwargs": {}}]


def _put(root: Any, name: str, **arrays: np.ndarray) -> None:
    group = root.create_group(name).create_group(name)
    for part, array in arrays.items():
        group[f"{part}:0"] = array
