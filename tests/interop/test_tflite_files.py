"""TFLite files in and out, against the runtime that owns the format."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from depthwise.data.store import square
from depthwise.edge.pixels import decode
from depthwise.errors import Refused
from depthwise.interop.norms import EXACT_EPSILON, folded
from depthwise.interop.tflite import format as tflite
from depthwise.interop.tflite import metadata as tflite_metadata
from depthwise.interop.tflite.file import parse
from depthwise.interop.tflite.graph import chain
from depthwise.interop.tflite.tensors import real
from depthwise.network import reference
from depthwise.network.model import Model
from tools.foreign import pixels, same_weights

pytest.importorskip("tflite", reason="tflite is not installed; TFLite files are not checked")

RealFile = Callable[[str], Path]
Peer = Callable[..., np.ndarray]
SmallModel = Callable[..., Model]
FORMS: list[dict[str, Any]] = [
    {"width": 0.3333, "labels": ("a cat", "a  dog", "Käse")},
    {"padding": "same", "resolution": 96, "bn_epsilon": 1e-3},
    {"resolution": 75, "width": 0.35, "channels": 1, "activation": "relu"},
    {"convolution": "standard", "shallow": True},
    {"unit_strides": (0, 2), "resolution": 33, "padding": "same"},
    {"width": 0.1, "rounding": "cut-off", "resolution": 75, "padding": "keras"},
]


def normalised(model: Model, images: np.ndarray) -> np.ndarray:
    return reference.normalise(images, model.preprocessing).astype(np.float32)


def test_the_float_wake_words_network_gives_the_probabilities_of_its_own_runtime(
    real_file: RealFile, litert: Peer
) -> None:
    path = real_file("vww_96_float.tflite")
    model = tflite.read(path)
    images = pixels(model, 100)
    assert (model.preprocessing.mean, model.spec.activation) == ((0.0,) * 3, "relu")
    assert (
        np.abs(
            reference.run(model, images, dtype=np.float32).probabilities - litert(path, images / np.float32(255))
        ).max()
        < 1e-5
    )


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("mobilenet_v1_0.25_128_quant", 48),
        ("mobilenet_v1_0.25_128_quant_2018", 48),
        pytest.param("mobilenet_v1_0.5_160_quant", 48, marks=pytest.mark.slow),
        pytest.param("mobilenet_v1_0.75_192_quant", 48, marks=pytest.mark.slow),
    ],
)
def test_googles_quantised_networks_name_the_same_photos_in_float(
    real_file: RealFile, litert: Peer, data_pack: Callable[[str], Path], name: str, least: int
) -> None:
    path = real_file(f"{name}.tflite")
    model = tflite.read(path)
    folder = data_pack("photos")
    files = sorted(folder.glob("*.*"))
    images = np.stack([square(decode(file, channels=3), model.preprocessing) for file in files])
    ours = reference.run(model, images, dtype=np.float32).probabilities.argmax(axis=1)
    # TFLite's integer kernels; the default delegate rounds in a way of its own and has ties among its bytes.
    theirs = litert(path, images, kernels="BUILTIN_WITHOUT_DEFAULT_DELEGATES").argmax(axis=1)
    assert len(images) == 50
    assert (ours == theirs).sum() >= least


def test_googles_quantised_networks_say_their_pixels_and_labels(real_file: RealFile) -> None:
    model = tflite.read(real_file("mobilenet_v1_0.25_128_quant.tflite"))
    assert (model.preprocessing.mean, model.preprocessing.scale) == ((128.0,) * 3, (1 / 128,) * 3)
    assert (model.spec.classes, model.labels[:2]) == (1001, ("background", "tench, Tinca tinca"))
    assert len(set(model.labels)) == 1001
    assert tflite.read(real_file("mobilenet_v1_0.25_128_quant_2018.tflite")).labels[1] == "class 1"


def test_person_detect_is_right_on_its_two_pictures_though_a_field_of_its_biases_lies(real_file: RealFile) -> None:
    model = tflite.read(real_file("person_detect.tflite"))
    assert (model.spec.channels, model.preprocessing.mean) == (1, (127.0,))
    for name, label in (("person", 1), ("no_person", 0)):
        # The pictures hold the network's signed bytes, which are pixels less 128.
        stored = np.asarray(Image.open(real_file(f"{name}.bmp")).convert("L"))
        image = (stored ^ np.uint8(128)).reshape(1, 96, 96, 1)
        assert reference.run(model, image).probabilities[0].argmax() == label


def test_a_network_without_its_last_layers_is_read_for_training(real_file: RealFile) -> None:
    model = tflite.read(real_file("mobilenet_v1_1.0_224_quant_embedding_extractor.tflite"))
    assert (model.spec.width, "zeros" in model.provenance["classifier"]) == (1.0, True)
    with pytest.raises(Refused, match=r"operator 1 \(RESHAPE\) stands before the global average pool"):
        tflite.read(real_file("mobilenet_quant_v1_224_head_layers.tflite"))


@pytest.mark.parametrize("fields", FORMS)
def test_a_written_file_runs_in_its_own_runtime_and_comes_back_the_same(
    small_model: SmallModel, litert: Peer, tmp_path: Path, fields: dict[str, Any]
) -> None:
    model = small_model(seed=3, **fields)
    path = tmp_path / "new folder" / "network.tflite"
    tflite.write(model, path)
    images = pixels(model, 10)
    expected = reference.run(model, images).probabilities
    answers = litert(path, normalised(model, images))
    assert np.abs(answers - expected).max() < 1e-5
    assert (answers.argmax(axis=1) == expected.argmax(axis=1)).all()
    back = tflite.read(path)
    assert back.spec == replace(model.spec, bn_epsilon=EXACT_EPSILON)
    assert back.preprocessing == model.preprocessing
    # The format has one label a line, so white space within one becomes a blank.
    assert back.labels == tuple(" ".join(label.split()) for label in model.labels)
    tflite.write(back, tmp_path / "again.tflite")
    assert same_weights(tflite.read(tmp_path / "again.tflite"), back)
    for name, (weight, bias) in folded(model).items():
        assert np.array_equal(folded(back)[name][0], weight)
        assert np.array_equal(folded(back)[name][1], bias)


def test_a_written_file_has_names_and_metadata_where_tflite_tools_look_for_them(
    small_model: SmallModel, tmp_path: Path
) -> None:
    model = small_model(labels=("cat", "dog"))
    path = tmp_path / "network.tflite"
    tflite.write(model, path)
    data = path.read_bytes()
    file = parse(data)
    assert [file.tensors[i].name for i in (*file.inputs, *file.outputs)] == ["image", "probabilities"]
    assert zipfile.ZipFile(io.BytesIO(data)).read("labels.txt") == b"cat\ndog\n"
    assert file.metadata["TFLITE_METADATA"][4:8] == b"M001"
    said = tflite_metadata.read(file.metadata["TFLITE_METADATA"], data)
    assert said["mean"] == pytest.approx((128.0,) * 3)
    assert said["scale"] == pytest.approx((1 / 64,) * 3)
    tflite.write(model, tmp_path / "again.tflite")
    assert (tmp_path / "again.tflite").read_bytes().count(b"again") == data.count(b"network")


def test_metadata_of_others_say_the_labels_and_the_pixels(small_model: SmallModel, tmp_path: Path) -> None:
    model = small_model(labels=("cat", "dog"))
    model = model.replace(preprocessing=replace(model.preprocessing, mean=(10.0, 20.0, 30.0), scale=(0.5, 0.25, 0.1)))
    path = tmp_path / "network.tflite"
    tflite.write(model, path)
    # Without the entry that is this project's own.
    path.write_bytes(path.read_bytes().replace(b"depthwise\0", b"Depthwise\0"))
    found = tflite.read(path)
    assert found.labels == ("cat", "dog")
    assert found.preprocessing.mean == pytest.approx((10.0, 20.0, 30.0))
    assert found.preprocessing.scale == pytest.approx((0.5, 0.25, 0.1))


def test_a_scale_that_is_not_of_its_channels_is_refused_and_the_axis_field_is_not_asked(real_file: RealFile) -> None:
    file = parse(real_file("vww_96_int8.tflite").read_bytes())
    weight = next(tensor for tensor in file.tensors if tensor.shape == (16, 1, 1, 8))
    values = real(weight, 0, "here")
    integers = np.frombuffer(weight.data.tobytes(), np.int8).reshape(weight.shape)  # type: ignore[union-attr]
    assert np.array_equal(values, integers.astype(np.float32) * weight.scales.reshape(16, 1, 1, 1))
    with pytest.raises(Refused, match="has 16 scales for 8 channels"):
        real(weight, 3, "here")
    with pytest.raises(Refused, match=r"of shape .* has 128 bytes; it is damaged"):
        real(replace(weight, shape=(16, 1, 1, 9)), 0, "here")
    with pytest.raises(Refused, match="is computed where MobileNet V1 has constants"):
        real(replace(weight, data=None), 0, "here")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "it is not a TFLite file"),
        (b"\x1c\0\0\0TFL3", "it is damaged or cut off"),
        (b"x" * 100, "it is not a TFLite file"),
    ],
)
def test_what_is_no_tflite_file_is_refused(tmp_path: Path, data: bytes, sentence: str) -> None:
    path = tmp_path / "network.tflite"
    path.write_bytes(data)
    with pytest.raises(Refused, match=sentence):
        tflite.read(path)


def test_a_file_that_is_missing_or_enormous_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="there is no such file"):
        tflite.read(tmp_path / "none.tflite")
    with (tmp_path / "huge.tflite").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(Refused, match="is larger than any MobileNet V1, which has at most"):
        tflite.read(tmp_path / "huge.tflite")


def test_a_second_reader_of_a_value_is_a_branch_and_named(small_model: SmallModel, tmp_path: Path) -> None:
    path = tmp_path / "network.tflite"
    tflite.write(small_model(padding="same"), path)
    file = parse(path.read_bytes())
    twice = replace(file.operators[5], inputs=file.operators[3].inputs)
    with pytest.raises(Refused, match=r"operator 5 \(\w+\) reads what operator 3 \(\w+\) reads, too"):
        chain(replace(file, operators=(*file.operators[:5], twice, *file.operators[6:])))
    add = replace(file.operators[3], code="ADD", where="operator 3 (ADD)", inputs=(file.operators[3].inputs[0],) * 2)
    with pytest.raises(Refused, match="joins two branches; MobileNet V1 has none, is this MobileNet V2"):
        chain(replace(file, operators=(*file.operators[:3], add, *file.operators[4:])))
    strange = replace(file.operators[3], code="HARD_SWISH", where="operator 3 (HARD_SWISH)")
    with pytest.raises(Refused, match=r"operator 3 \(HARD_SWISH\) is not part of MobileNet V1"):
        chain(replace(file, operators=(*file.operators[:3], strange, *file.operators[4:])))
    circle = replace(file.operators[3], outputs=(file.inputs[0],))
    with pytest.raises(Refused, match="run in a circle"):
        chain(replace(file, operators=(*file.operators[:3], circle)))
    dilated = replace(file.operators[0], options={**file.operators[0].options, "DilationHFactor": 2})
    with pytest.raises(Refused, match=r"operator 0 \(\w+\) is dilated"):
        chain(replace(file, operators=(dilated, *file.operators[1:])))
