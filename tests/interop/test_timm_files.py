"""timm's files in and out. Its own forward pass is compared by hand (docs/interop.md); here its layout is."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from depthwise.errors import Refused
from depthwise.interop.pytorch import format as timm
from depthwise.interop.pytorch.timm_config import timm_padding
from depthwise.interop.source import Given
from depthwise.network import reference
from depthwise.network.model import Model
from depthwise.network.spec import Spec
from tools.foreign import pixels, same_weights

SmallModel = Callable[..., Model]


def timm_folder(model: Model, folder: Path, **changes: Any) -> Path:
    """A folder as timm's `save_for_hf` writes it."""
    folder.mkdir()
    arrays = dict(model.weights)
    arrays["bn1.num_batches_tracked"] = np.array(7)
    save_file(arrays, folder / "model.safetensors", {"format": "pt"})
    config = {
        "architecture": "mobilenetv1_100",
        "num_classes": model.spec.classes,
        "num_features": 1024,
        "global_pool": "avg",
        "model_args": {"num_classes": model.spec.classes, "in_chans": 3, "global_pool": "avg"},
        "pretrained_cfg": {
            "input_size": [3, model.spec.resolution, model.spec.resolution],
            "test_input_size": [3, 256, 256],
            "interpolation": "bicubic",
            "crop_pct": 0.9,
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
        },
        **changes,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_a_folder_in_timm_layout_is_read_with_its_preprocessing(small_model: SmallModel, tmp_path: Path) -> None:
    model = small_model(seed=1, width=1.0, resolution=64)
    found = timm.read(timm_folder(model, tmp_path / "timm", label_names=["a", "b", "a"]))
    assert (found.spec, same_weights(found, model)) == (model.spec, True)
    pixel = found.preprocessing
    assert (pixel.mean, pixel.scale, pixel.resize) == ((127.5,) * 3, (1 / 127.5,) * 3, 71)
    assert pixel.filter == "bicubic"
    timm.write(found, tmp_path / "again")
    assert timm.read(tmp_path / "again").preprocessing == pixel
    assert found.labels == ("a (0)", "b", "a (2)")
    images = pixels(model, 2)
    found = found.replace(preprocessing=model.preprocessing)
    difference = np.abs(reference.run(found, images).logits - reference.run(model, images).logits)
    assert difference.max() < 1e-5


def test_arguments_of_the_network_in_config_json_are_honoured(small_model: SmallModel, tmp_path: Path) -> None:
    model = small_model(width=1.0, resolution=64)
    arguments = {"pad_type": "same", "bn_eps": 1e-3, "act_layer": "relu"}
    spec = timm.read(timm_folder(model, tmp_path / "timm", model_args=arguments)).spec
    assert (spec.padding, spec.bn_epsilon, spec.activation) == ("same", 1e-3, "relu")


@pytest.mark.parametrize(
    "fields", [{"width": 1.0}, {"width": 1.25, "padding": "same", "bn_epsilon": 1e-3, "activation": "relu"}]
)
def test_a_written_folder_has_what_timm_needs_and_comes_back_the_same(
    small_model: SmallModel, tmp_path: Path, fields: dict[str, Any]
) -> None:
    model = small_model(seed=1, labels=("a", "b"), **fields)
    timm.write(model, tmp_path / "timm")
    config = json.loads((tmp_path / "timm" / "config.json").read_text())
    assert config["architecture"] == f"mobilenetv1_{round(100 * model.spec.width)}"
    assert config["pretrained_cfg"]["mean"] == [128 / 255] * 3
    assert config["model_args"]["bn_eps"] == model.spec.bn_epsilon
    arrays = load_file(tmp_path / "timm" / "model.safetensors")
    assert {name for name in arrays if not name.endswith("num_batches_tracked")} == set(model.weights)
    back = timm.read(tmp_path / "timm")
    assert (back.spec, back.preprocessing, back.labels) == (model.spec, model.preprocessing, model.labels)
    assert same_weights(back, model)
    timm.write(back, tmp_path / "timm")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["timm"]


def test_bare_weights_of_any_width_go_out_and_in(small_model: SmallModel, tmp_path: Path) -> None:
    model = small_model(seed=1, width=0.35, resolution=96, padding="same")
    timm.write(model, tmp_path / "network.safetensors")
    back = timm.read(tmp_path / "network.safetensors")
    assert (back.spec, back.labels, same_weights(back, model)) == (model.spec, model.labels, True)
    odd = small_model(padding="keras", resolution=75)
    timm.write(odd, tmp_path / "odd.safetensors")
    assert timm.read(tmp_path / "odd.safetensors").spec == odd.spec
    with pytest.raises(Refused, match=r"timm makes MobileNet V1 of width 1 and 1\.25 only, not 0\.35; write a file"):
        timm.write(model, tmp_path / "timm")
    for fields in ({"shallow": True}, {"unit_strides": (0,)}, {"convolution": "standard"}):
        with pytest.raises(Refused, match="timm has no MobileNet V1 that is shallow"):
            timm.write(small_model(**fields), tmp_path / "x.safetensors")


@pytest.mark.parametrize("place", ["fc", "classifier", "head.fc", "conv_head"])
@pytest.mark.parametrize("shape", [(), (1, 1)])
def test_the_one_product_that_is_left_is_the_classifier_also_as_a_convolution(
    small_model: SmallModel, tmp_path: Path, place: str, shape: tuple[int, ...]
) -> None:
    model = small_model(seed=3)
    arrays = {name.replace("classifier.", f"{place}."): array for name, array in model.weights.items()}
    weight = arrays.pop(f"{place}.weight")
    arrays[f"{place}.weight"] = weight.reshape(*weight.shape, *shape)
    save_file(arrays, tmp_path / "w.safetensors")
    assert same_weights(timm.read(tmp_path / "w.safetensors", Given(resolution=32)), model)
    del arrays[f"{place}.bias"]
    save_file(arrays, tmp_path / "w.safetensors")
    assert not timm.read(tmp_path / "w.safetensors", Given(resolution=32)).weights["classifier.bias"].any()


def test_a_classifier_behind_a_dropout_in_a_sequential_is_the_classifier(
    small_model: SmallModel, tmp_path: Path
) -> None:
    model = small_model(seed=3)
    arrays = {name.replace("classifier.", "classifier.1."): array for name, array in model.weights.items()}
    save_file(arrays, tmp_path / "w.safetensors")
    assert same_weights(timm.read(tmp_path / "w.safetensors", Given(resolution=32)), model)
    save_file({**arrays, "classifier.4.weight": np.eye(3, dtype=np.float32)}, tmp_path / "two.safetensors")
    with pytest.raises(Refused, match=r"array classifier\.weight is missing|classifier\.1\.\w+ is not part"):
        timm.read(tmp_path / "two.safetensors", Given(resolution=32))


def test_keras_padding_goes_out_as_timms_same_where_both_are_one_and_else_is_refused() -> None:
    assert timm_padding(Spec(padding="keras", resolution=224)) == "same"
    with pytest.raises(Refused, match="timm has no padding 'keras' at 200 pixels"):
        timm_padding(Spec(padding="keras", resolution=200))


def test_strangers_weights_without_config_take_the_usual_and_what_the_user_gives(
    small_model: SmallModel, tmp_path: Path
) -> None:
    model = small_model(seed=1)
    half = {name: array.astype(np.float16) for name, array in model.weights.items()}
    save_file(half, tmp_path / "network.safetensors")
    (tmp_path / "config.json").write_text('{"architecture": "resnet50"}')
    found = timm.read(tmp_path / "network.safetensors", Given(resolution=128))
    assert (found.spec.resolution, found.spec.bn_epsilon, found.spec.padding) == (128, 1e-5, "symmetric")
    assert timm.read(tmp_path / "network.safetensors").spec.resolution == 224


def without(model: Model, *names: str, **more: np.ndarray) -> dict[str, np.ndarray]:
    return {**{name: array for name, array in model.weights.items() if name not in names}, **more}


def test_what_is_not_a_mobilenet_v1_of_timm_is_refused_by_its_first_array(
    small_model: SmallModel, tmp_path: Path
) -> None:
    model = small_model()
    path = tmp_path / "network.safetensors"

    def refusal(arrays: dict[str, np.ndarray]) -> str:
        save_file(arrays, path)
        with pytest.raises(Refused) as refused:
            timm.read(path)
        return str(refused.value)

    assert "array blocks.0.0.bn1.bias is missing" in refusal(without(model, "blocks.0.0.bn1.bias"))
    head = {"conv_head.weight": np.zeros((8, 8, 1, 1), np.float32)}
    assert "array conv_head.weight is not part of MobileNet V1" in refusal({**model.weights, **head})
    flat = {"conv_stem.weight": np.zeros(8, np.float32)}
    assert "array conv_stem.weight has shape (8,)" in refusal({**model.weights, **flat})
    whole = {"conv_stem.weight": np.zeros((8, 3, 3, 3), np.int32)}
    assert "array conv_stem.weight is int32" in refusal({**model.weights, **whole})
    wide = {"blocks.0.0.conv_pw.weight": np.zeros((24, 8, 1, 1), np.float32)}
    assert "arrays blocks.0.0.bn2: its weight has shape (16,) for 24 channels" in refusal({**model.weights, **wide})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"architecture": "resnet50"}, "names the network 'resnet50'"),
        ({"model_args": {"group_size": 8}}, "asks for 'group_size'"),
        ({"model_args": {"act_layer": "silu"}}, "asks for activation 'silu'"),
        ({"model_args": {"global_pool": "max"}}, "another pool than avg"),
        ({"pretrained_cfg": {"input_size": [3, 64, 96]}}, "takes square images"),
        ({"pretrained_cfg": {"input_size": 5}}, "a field of a wrong type"),
        ({"pretrained_cfg": {"std": [0, 0, 0]}}, "a field of a wrong type"),
    ],
)
def test_a_config_of_another_network_is_refused(
    small_model: SmallModel, tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        timm.read(timm_folder(small_model(width=1.0), tmp_path / "timm", **changes))


def test_damage_is_a_sentence(tmp_path: Path) -> None:
    for data in (b"", b"\xff" * 8, struct.pack("<Q", 2) + b"{}", struct.pack("<Q", 2**40), b"\x02" + b"\0" * 7 + b"[]"):
        (tmp_path / "model.safetensors").write_bytes(data)
        with pytest.raises(Refused):
            timm.read(tmp_path)
