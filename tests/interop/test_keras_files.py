"""Keras files: published networks, and files in Keras's layout made by hand."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import make_model
from depthwise.errors import Refused
from depthwise.interop.keras import format as keras
from depthwise.interop.keras.file import contents, extract
from depthwise.interop.keras.graph import described
from depthwise.interop.match import to_model
from depthwise.interop.onnx import format as onnx
from depthwise.interop.source import Given, Source
from depthwise.network import reference
from depthwise.network.model import Model
from tools.foreign import pixels, same_weights
from tools.keras_files import write_keras

h5py = pytest.importorskip("h5py", reason="h5py is not installed; Keras files are not checked")

RealFile = Callable[[str], Path]
SmallModel = Callable[..., Model]


def test_the_wake_words_network_is_read_beside_its_optimiser_state_and_computes_what_its_onnx_twin_does(
    real_file: RealFile,
) -> None:
    model, twin = keras.read(real_file("vww_96.h5")), onnx.read(real_file("vww_96_float.onnx"))
    assert (model.spec.bn_epsilon, model.spec.padding) == (1e-3, "same")
    images = pixels(model, 100)
    expected = reference.run(twin, images).probabilities
    assert np.abs(reference.run(model, images).probabilities - expected).max() < 1e-5


def test_the_imagenet_network_names_thirty_of_fifty_photos_and_has_forty_two_among_its_first_five(
    real_file: RealFile, data_pack: Callable[[str], Path]
) -> None:
    model = keras.read(real_file("mobilenet_v1_0.25_224.h5"))
    folder = data_pack("photos")
    places = (folder, *real_file("vww_96.h5").parents)
    table = next((place / "photos.tsv" for place in places if (place / "photos.tsv").is_file()), None)
    if table is None:
        pytest.skip("photos.tsv, which says what the photos show, is not beside them")
    rows = [line.split("\t") for line in table.read_text().splitlines()[1:]]
    images = np.stack([centre(folder / name, 224) for name, *_ in rows])
    right = np.array([int(index) for _, index, *_ in rows])
    order = reference.run(model, images, dtype=np.float32).logits.argsort(axis=1)
    assert (order[:, -1] == right).sum() == 30
    assert (order[:, -5:] == right[:, None]).any(axis=1).sum() == 42


def centre(path: Path, side: int) -> np.ndarray:
    """The middle 7/8 of a photo in one resize, as the published figures have it."""
    picture = Image.open(path).convert("RGB")
    part = 0.875 * min(picture.size)
    (width, height) = picture.size
    box = ((width - part) / 2, (height - part) / 2, (width + part) / 2, (height + part) / 2)
    return np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR, box=box))


@pytest.mark.parametrize("keras_version", [2, 3])
@pytest.mark.parametrize("fields", [{}, {"width": 0.5, "resolution": 64, "activation": "relu"}])
def test_a_whole_model_in_keras_layout_comes_back_the_same(
    small_model: SmallModel, tmp_path: Path, fields: dict[str, Any], keras_version: int
) -> None:
    model = small_model(seed=2, padding="keras", bn_epsilon=1e-3, **fields)
    write_keras(model, tmp_path / "network.h5", keras=keras_version)
    found = keras.read(tmp_path / "network.h5")
    assert (found.spec, same_weights(found, model)) == (model.spec, True)
    images = pixels(model, 3)
    expected = reference.run(model, images).logits
    found = found.replace(preprocessing=model.preprocessing)
    assert np.abs(reference.run(found, images).logits - expected).max() < 1e-5


@pytest.mark.parametrize("top", [True, False])
def test_bare_weights_are_read_by_keras_own_names_and_their_resolution_by_their_files(
    small_model: SmallModel, tmp_path: Path, top: bool
) -> None:
    model = small_model(seed=2, padding="keras", bn_epsilon=1e-3, resolution=128)
    path = tmp_path / f"mobilenet_2_5_128_tf{'' if top else '_no_top'}.h5"
    write_keras(model, path, whole=False, top=top)
    found = keras.read(path)
    assert (found.spec.width, found.spec.resolution, found.spec.bn_epsilon) == (0.25, 128, 1e-3)
    assert "classifier" in found.provenance if not top else same_weights(found, model)
    assert (found.preprocessing.mean, found.preprocessing.scale) == ((127.5,) * 3, (1 / 127.5,) * 3)
    assert keras.read(path, Given(resolution=160)).spec.resolution == 160


def test_a_model_inside_a_model_and_a_rescaling_before_it_are_read(small_model: SmallModel, tmp_path: Path) -> None:
    model = small_model(seed=2, padding="keras", bn_epsilon=1e-3)
    path = tmp_path / "network.h5"
    write_keras(model, path)
    with h5py.File(path, "a") as file:
        inner = json.loads(file.attrs["model_config"])
        inner["config"]["layers"][0]["config"]["batch_input_shape"] = [None, 32, 32, 3]
        scale = {"class_name": "Rescaling", "config": {"name": "rescaling", "scale": 1 / 64, "offset": -2.0}}
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": [scale, inner]}})
    found = keras.read(path)
    assert (found.preprocessing.mean, found.preprocessing.scale) == ((128.0,) * 3, (1 / 64,) * 3)
    assert same_weights(found, model)


def changed(path: Path, change: Callable[[list[Any]], None]) -> Path:
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        change(config["config"]["layers"])
        file.attrs["model_config"] = json.dumps(config)
    return path


def layer(found: list[Any], name: str) -> dict[str, Any]:
    return next(entry for entry in found if entry["name"] == name)


REFUSED: list[tuple[Callable[[list[Any]], None], str]] = [
    (lambda c: layer(c, "conv_dw_1").update(class_name="SeparableConv2D"), "layer conv_dw_1 (SeparableConv2D) is not"),
    (lambda c: layer(c, "conv1")["config"].update(dilation_rate=[2, 2]), "layer conv1 (Conv2D) has dilation_rate"),
    (lambda c: layer(c, "conv1")["config"].update(padding="causal"), "has padding 'causal'"),
    (lambda c: layer(c, "conv1")["config"].update(data_format="channels_first"), "has channels first"),
    (lambda c: layer(c, "conv1")["config"].update(activation="swish"), "has activation 'swish'"),
    (lambda c: layer(c, "conv1_relu")["config"].update(negative_slope=0.1), "layer conv1_relu (ReLU) is leaky"),
    (lambda c: layer(c, "conv1_bn").update(inbound_nodes=[[["input_1", 0, 0, {}]]]), "conv1_bn does not follow conv1"),
    (
        lambda c: layer(c, "conv1_bn").update(inbound_nodes=[[["input_1", 0, 0, {}], ["conv1", 0, 0, {}]]]),
        "layer conv1_bn joins 2 branches; MobileNet V1 has none",
    ),
    (lambda c: layer(c, "predictions")["config"].update(activation="tanh"), "has activation 'tanh'"),
    (lambda c: layer(c, "conv_pw_1")["config"].update(name="other"), "layer conv_pw_1_bn does not follow other"),
    (lambda c: c.clear(), "holds no convolution"),
    (lambda c: c.insert(0, 7), "lacks a field or has a wrong one"),
    (lambda c: layer(c, "conv_dw_2_pad")["config"].update(padding=3), "lacks a field or has a wrong one"),
    (lambda c: layer(c, "input_1")["config"].update(batch_input_shape=[None, 96]), "its input is [None, 96]"),
]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keras") / "network.h5"
    write_keras(make_model(padding="keras", bn_epsilon=1e-3), path)
    return path


@pytest.mark.parametrize(("change", "sentence"), REFUSED)
def test_the_first_layer_that_does_not_fit_is_named(
    written: Path, tmp_path: Path, change: Callable[[list[Any]], None], sentence: str
) -> None:
    shutil.copy(written, tmp_path / "network.h5")
    found = contents(changed(tmp_path / "network.h5", change))
    with pytest.raises(Refused, match=re.escape(sentence)):
        to_model(described(found), Source(name="x", format="keras", sha256="0" * 64))


def test_links_to_other_files_are_not_followed_and_datasets_larger_than_the_file_are_refused(
    small_model: SmallModel, tmp_path: Path
) -> None:
    path = tmp_path / "network.h5"
    write_keras(small_model(padding="same"), path)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["kernel:0"] = np.ones((3, 3, 3, 8), np.float32)
    with h5py.File(path, "a") as file:
        del file["model_weights/conv1/conv1/kernel:0"]
        file["model_weights/conv1/conv1/kernel:0"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "kernel:0")
    with pytest.raises(Refused, match="conv1/conv1/kernel:0 is a link to another place or file, which is not followed"):
        keras.read(path)
    with h5py.File(path, "a") as file:
        del file["model_weights/conv1/conv1/kernel:0"]
        file["model_weights/conv1/conv1"].create_dataset(
            "kernel:0", (2**14, 2**14), np.float32, compression="gzip", chunks=(1024, 1024)
        )
    with pytest.raises(
        Refused, match=r"array conv1/conv1/kernel has 1,073,741,824 bytes, more than a MobileNet V1 has"
    ):
        keras.read(path)


def test_a_reader_that_crashes_or_runs_on_ends_as_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "network.h5"
    path.write_bytes(b"not HDF5")
    with pytest.raises(Refused, match="it is not an HDF5 file, or damaged"):
        extract(path)
    crash = tmp_path / "crash"
    crash.write_text("#!/bin/sh\nkill -SEGV $$\n")
    crash.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(crash))
    with pytest.raises(Refused, match="HDF5 could not read it"):
        extract(path)
    crash.write_text("#!/bin/sh\nexec sleep 20\n")
    monkeypatch.setattr("depthwise.interop.keras.file.CLOCK_SECONDS", 0.2)
    with pytest.raises(Refused, match=r"took more than 0\.2 seconds"):
        extract(path)
