"""int8 models: what is refused, and that a folder gives back what was saved."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from depthwise.errors import Refused
from depthwise.network.model import Model, random_weights
from depthwise.network.quantized import QuantizedModel, load_model
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec

SPEC = Spec(width=0.25, resolution=32, classes=3)


@pytest.fixture
def model() -> QuantizedModel:
    return random_quantized(SPEC, hidden_zero_points=True)


def changed(model: QuantizedModel, name: str, **fields: Any) -> QuantizedModel:
    return model.replace(layers={**model.layers, name: dataclasses.replace(model.layers[name], **fields)})


def test_a_folder_gives_back_what_was_saved(model: QuantizedModel, tmp_path: Path) -> None:
    model = model.replace(provenance={"from": "a test"}, accuracy={"test": {"top1": 0.5}})

    model.save(tmp_path / "m")

    back = load_model(tmp_path / "m")
    assert isinstance(back, QuantizedModel)
    for field in ("spec", "border", "labels", "preprocessing", "provenance", "accuracy"):
        assert getattr(model, field) == getattr(back, field)
    for name, layer in model.layers.items():
        for part in dataclasses.fields(layer):
            assert np.array_equal(getattr(layer, part.name), getattr(back.layers[name], part.name)), (name, part.name)


def test_weights_with_a_zero_point_come_back_and_older_versions_refuse_the_folder(tmp_path: Path) -> None:
    model = random_quantized(SPEC, weight_zero_points=True)

    model.save(tmp_path / "m")

    back = QuantizedModel.load(tmp_path / "m")
    assert json.loads((tmp_path / "m" / "model.json").read_text())["format"] == 2
    for name, layer in model.layers.items():
        assert back.layers[name].fields == layer.fields
        assert np.array_equal(back.layers[name].factors, layer.weight.astype(int) - layer.weight_zero_point)
    assert {layer.weight_zero_point for layer in model.layers.values()} > {0}


def test_weights_take_one_byte_each_on_disk(model: QuantizedModel, tmp_path: Path) -> None:
    model.save(tmp_path / "m")

    weights = sum(layer.weight.size for layer in model.layers.values())
    channels = sum(layer.bias.size for layer in model.layers.values())
    assert (tmp_path / "m" / "weights.safetensors").stat().st_size < weights + 12 * channels + 20_000


def test_each_precision_refuses_the_folder_of_the_other(model: QuantizedModel, tmp_path: Path) -> None:
    model.save(tmp_path / "int8")
    Model(spec=SPEC, weights=random_weights(SPEC), labels=model.labels, preprocessing=model.preprocessing).save(
        tmp_path / "float", dtype="float16"
    )

    assert isinstance(load_model(tmp_path / "float"), Model)
    with pytest.raises(Refused, match="holds an int8 model, and float weights are needed; give the model that it was"):
        Model.load(tmp_path / "int8")
    with pytest.raises(Refused, match="holds a float16 model, and int8 is needed; run `depthwise quantize`"):
        QuantizedModel.load(tmp_path / "float")


def test_a_precision_from_the_future_is_refused(model: QuantizedModel, tmp_path: Path) -> None:
    model.save(tmp_path / "m")
    rewrite(tmp_path / "m", lambda fields: fields.update(precision="int4"))

    with pytest.raises(Refused, match="precision is 'int4'; this version of depthwise knows float32, float16 and int8"):
        load_model(tmp_path / "m")


def test_sums_that_could_leave_32_bits_are_refused_by_layer_and_channel(model: QuantizedModel) -> None:
    weight = model.layers["conv_stem"].weight
    positive = np.maximum(weight[2].astype(np.int64), 0).sum()
    bias = model.layers["conv_stem"].bias.copy()
    multiplier = np.full(len(bias), 1e-9, np.float32)
    bias[2] = 2**31 - 1 - 255 * positive
    changed(model, "conv_stem", bias=bias, multiplier=multiplier)

    bias[2] += 1

    with pytest.raises(Refused, match=r"layer conv_stem: the sums of channel 2 can be .* which leaves 32 bits"):
        changed(model, "conv_stem", bias=bias, multiplier=multiplier)


def test_products_that_a_conversion_could_not_hold_are_refused(model: QuantizedModel) -> None:
    with pytest.raises(Refused, match=r"layer conv_stem: channel . can reach .* above 1,073,741,824"):
        changed(model, "conv_stem", multiplier=np.full(8, 1e5, np.float32))


def float_weight(layer: Any) -> dict[str, Any]:
    return {"weight": layer.weight.astype(np.float32)}


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("conv_stem", float_weight, r"layer conv_stem: weight is float32 of shape \(8, 3, 3, 3\); it must be int8"),
        ("conv_stem", lambda x: {"bias": x.bias[:-1]}, r"layer conv_stem: bias is int32 of shape \(7,\)"),
        (
            "conv_stem",
            lambda x: {"multiplier": x.multiplier * 0},
            "layer conv_stem: the multiplier of channel 0 is 0.0",
        ),
        ("conv_stem", lambda x: {"scale": -x.scale}, "layer conv_stem: a scale is not a positive finite number"),
        ("conv_stem", lambda _: {"zero_point": 256}, "layer conv_stem: zero_point, low and high are 256"),
        ("conv_stem", lambda _: {"low": True}, "layer conv_stem: zero_point, low and high are"),
        ("conv_stem", lambda _: {"low": 9, "high": 8}, "layer conv_stem: low is 9 and high 8; the clamp is empty"),
        ("conv_stem", lambda _: {"rounded": False}, "only the logits of a classifier may stay unrounded"),
        (
            "global_pool",
            lambda _: {"weight": np.ones(1, np.int8)},
            r"layer global_pool: weight is int8 of shape \(1,\)",
        ),
    ],
)
def test_numbers_that_do_not_fit_are_refused_by_layer(
    model: QuantizedModel, name: str, change: Any, message: str
) -> None:
    with pytest.raises(Refused, match=message):
        changed(model, name, **change(model.layers[name]))


@pytest.mark.parametrize("border", [(128,), (128, 128, 256), (128, 128, 128.0)])
def test_a_border_that_is_no_byte_a_channel_is_refused(model: QuantizedModel, border: Any) -> None:
    with pytest.raises(Refused, match=r"border is .* it must be a byte for each of 3 channels"):
        model.replace(border=border)


def rewrite(folder: Path, change: Any) -> None:
    file = folder / "model.json"
    fields = json.loads(file.read_text())
    change(fields)
    file.write_text(json.dumps(fields))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.pop("quantization"), "model.json has no 'quantization', an object"),
        (lambda f: f["quantization"].pop("border"), "model.json has no 'border', a list"),
        (lambda f: f["quantization"]["layers"].pop("classifier"), "1 weights are missing, the first is classifier"),
        (lambda f: f["quantization"]["layers"]["classifier"].pop("low"), "layer classifier in model.json must have"),
        (
            lambda f: f["quantization"]["layers"]["classifier"].update(weight_zero_point=128),
            "layer classifier: weight_zero_point is 128; it must be a whole number from -128 to 127",
        ),
        (
            lambda f: f["quantization"]["layers"]["global_pool"].update(weight_zero_point=1),
            "layer global_pool: a pool has no weights, and so weight_zero_point must be 0",
        ),
        (lambda f: f["quantization"]["layers"].update(x={}), "1 weights are not of this network, the first is x"),
        (lambda f: f["quantization"]["layers"]["conv_stem"].update(high="255"), "layer conv_stem: zero_point, low and"),
        (lambda f: f["spec"].update(classes=4), "there are 3 labels for 4 classes"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(
    model: QuantizedModel, tmp_path: Path, change: Any, message: str
) -> None:
    model.save(tmp_path / "m")
    rewrite(tmp_path / "m", change)

    with pytest.raises(Refused, match=message):
        QuantizedModel.load(tmp_path / "m")


def test_damaged_missing_or_wrong_arrays_are_refused(model: QuantizedModel, tmp_path: Path) -> None:
    model.save(tmp_path / "m")
    file = tmp_path / "m" / "weights.safetensors"
    arrays = load_file(file)
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with pytest.raises(Refused, match=r"weights.safetensors is damaged"):
        QuantizedModel.load(tmp_path / "m")
    save_file({name: array for name, array in arrays.items() if name != "global_pool.bias"}, file)
    with pytest.raises(Refused, match=r"1 weights are missing, the first is global_pool.bias"):
        QuantizedModel.load(tmp_path / "m")
    file.write_bytes(content + bytes(2**21))
    with pytest.raises(Refused, match="at most are read"):
        QuantizedModel.load(tmp_path / "m")
