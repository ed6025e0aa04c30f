"""int8 networks kept as they are, in and out: the file's integers, and bytes against the runtimes' own."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from depthwise.edge.pixels import decode, prepare
from depthwise.errors import Refused
from depthwise.interop import formats
from depthwise.interop.grids import exceptions, steps
from depthwise.interop.onnx import format as onnx
from depthwise.interop.pytorch import format as timm
from depthwise.interop.source import Given
from depthwise.interop.tflite import format as tflite
from depthwise.interop.tflite.file import parse
from depthwise.network import reference, reference_int8
from depthwise.network.layers import layers
from depthwise.network.model import Model
from depthwise.network.quantized import ARRAYS, NUMBERS, QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.requantize import requantize
from depthwise.network.spec import Spec
from tools.foreign import pixels

RealFile = Callable[[str], Path]
Peer = Callable[..., np.ndarray]
INTEGER_KERNELS = "BUILTIN_WITHOUT_DEFAULT_DELEGATES"
GOOGLES = [
    f"mobilenet_v1_{name}" for name in ("0.25_128_quant", "0.25_128_quant_2018", "0.5_160_quant", "0.75_192_quant")
]
pytest.importorskip("tflite", reason="tflite is not installed; int8 files are not checked")
pytest.importorskip("onnx", reason="onnx is not installed; int8 files are not checked")


def quantised(seed: int = 1, *, rounded: bool = False, **fields: Any) -> QuantizedModel:
    """A random int8 model whose image has one byte around it, and whose logits, if bytes, are not clamped further."""
    spec = Spec(**{"width": 0.25, "resolution": 32, "classes": 5, **fields})
    model = random_quantized(spec, seed, rounded=rounded)
    numbers = dict(model.layers)
    if rounded:
        last = numbers["classifier"]
        scale = np.full_like(last.scale, 0.05)
        numbers["classifier"] = dataclasses.replace(last, low=0, high=255, scale=scale)
    return model.replace(border=(128,) * spec.channels, layers=numbers, labels=tuple("abcde"))


def same_integers(one: QuantizedModel, other: QuantizedModel) -> bool:
    """Whether two models compute the same bytes; scales only say what they stand for."""
    return one.border == other.border and all(
        np.array_equal(getattr(numbers, part), getattr(other.layers[name], part))
        for name, numbers in one.layers.items()
        for part in (*ARRAYS, *NUMBERS)
        if part != "scale"
    )


@pytest.mark.parametrize(("place", "sentence"), [(0, "its batch normalisation stands apart"), (-1, "before its bias")])
def test_what_is_added_to_bytes_or_multiplied_apart_is_not_kept(tmp_path: Path, place: int, sentence: str) -> None:
    """A factor behind a convolution before its bytes are made, and a bias behind those of the classifier."""
    import onnx as package

    onnx.write(quantised(rounded=True), tmp_path / "network.onnx")
    proto = package.load(tmp_path / "network.onnx")
    nodes = proto.graph.node
    made = [at for at, node in enumerate(nodes) if node.op_type in ("Conv", "Gemm", "MatMul")][place]
    if place:
        made = next(at for at in range(made, len(nodes)) if nodes[at].op_type == "DequantizeLinear")
    for node in list(nodes)[made + 1 :]:
        for at, name in enumerate(node.input):
            node.input[at] = "apart" if name == nodes[made].output[0] else name
    proto.graph.initializer.append(package.numpy_helper.from_array(np.array(0.5, np.float32), "half"))
    node = package.helper.make_node("Add" if place else "Mul", [nodes[made].output[0], "half"], ["apart"])
    nodes.insert(made + 1, node)
    package.save(proto, tmp_path / "network.onnx")

    with pytest.raises(Refused, match=sentence):
        onnx.read_int8(tmp_path / "network.onnx")


def test_the_tflite_wake_words_network_gives_bytes_at_most_one_step_from_its_own_runtime(
    real_file: RealFile, litert: Peer
) -> None:
    path = real_file("vww_96_int8.tflite")
    model = tflite.read_int8(path)
    images = pixels(model, 40)
    ours = np.clip(np.rint(reference_int8.run(model, images).probabilities * 256), 0, 255)
    theirs = litert(path, images.astype(np.int16) - 128, kernels=INTEGER_KERNELS).astype(int) + 128
    # TFLite rounds a product of 64 bits in two steps, and halves away from zero; R1 to R4 round once, halves to even.
    assert (np.abs(ours - theirs) <= 1).mean() >= 0.999


def test_the_onnx_wake_words_network_gives_the_very_answers_of_its_own_runtime(
    real_file: RealFile, onnxruntime: Peer
) -> None:
    path = real_file("vww_96_int8_qdq.onnx")
    # Pixels that are the network's own levels, so that its first rounding changes none.
    model = onnx.read_int8(path, Given(mean=(113.0,), scale=(0.016023261472582817,)))
    images = pixels(model, 20)
    answers = onnxruntime(path, reference.normalise(images, model.preprocessing))
    assert np.abs(reference_int8.run(model, images).probabilities - answers).max() < 1e-6
    # Pixels from 0 to 1 fall on 64 of its levels only; ours keep all 256, and answers stay within a step of a byte.
    model = onnx.read_int8(path)
    answers = onnxruntime(path, images / np.float32(255))
    assert np.abs(reference_int8.run(model, images).probabilities - answers).max() < 1 / 256


def test_person_detect_kept_in_int8_is_right_on_its_two_pictures(real_file: RealFile) -> None:
    model = tflite.read_int8(real_file("person_detect.tflite"))
    for name, label in (("person", 1), ("no_person", 0)):
        image = (np.asarray(Image.open(real_file(f"{name}.bmp")).convert("L")) ^ np.uint8(128)).reshape(1, 96, 96, 1)
        assert reference_int8.run(model, image).probabilities[0].argmax() == label


def test_networks_that_are_not_of_bytes_cannot_be_kept(real_file: RealFile) -> None:
    with pytest.raises(Refused, match=r"operator 0 \(CONV_2D\).*leave out --keep-int8"):
        tflite.read_int8(real_file("vww_96_float.tflite"))
    with pytest.raises(Refused, match=r"only \.onnx and \.tflite files and model folders are of int8"):
        formats.read_int8(str(real_file("vww_96.h5")))


@pytest.mark.parametrize("name", [*GOOGLES[:2], *(pytest.param(name, marks=pytest.mark.slow) for name in GOOGLES[2:])])
def test_googles_uint8_networks_kept_give_the_very_bytes_of_their_own_runtime(
    real_file: RealFile, litert: Peer, data_pack: Callable[[str], Path], name: str
) -> None:
    path = real_file(f"{name}.tflite")
    model = tflite.read_int8(path)
    resize, crop = model.preprocessing.resize, model.spec.resolution
    files = sorted(data_pack("photos").glob("*.*"))[:20]
    images = np.stack([prepare(decode(file, channels=3), resize=resize, crop=crop) for file in files])
    ours = np.clip(np.rint(reference_int8.run(model, images).probabilities * 256), 0, 255)
    assert (ours == litert(path, images)).all()


@pytest.mark.parametrize(
    ("name", "kernels", "allowed"),
    [
        *((name, "AUTO", 0) for name in GOOGLES),
        *((name, INTEGER_KERNELS, 1) for name in GOOGLES),
    ],
)
def test_each_of_googles_uint8_layers_gives_the_bytes_of_its_own_runtime_for_the_same_input(
    real_file: RealFile, name: str, kernels: str, allowed: int
) -> None:
    """The very bytes of the delegate that the runtime takes by itself; its plain kernels round twice."""
    interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="ai-edge-litert is not installed")
    path = real_file(f"{name}.tflite")
    model, file = tflite.read_int8(path), parse(path.read_bytes())
    with warnings.catch_warnings():
        # It says that keeping all tensors is for debugging.
        warnings.simplefilter("ignore", UserWarning)
        runner = interpreter.Interpreter(
            str(path),
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=interpreter.OpResolverType[kernels],
        )
    runner.allocate_tensors()
    side = model.spec.resolution
    x = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), np.uint8)
    runner.set_tensor(file.inputs[0], x)
    runner.invoke()
    border = model.border
    for row, operator in zip(layers(model.spec), file.operators, strict=False):
        numbers, theirs = model.layers[row.name], runner.get_tensor(operator.outputs[0])
        acc = reference_int8.accumulate(row, numbers, x, border)
        ours = requantize(acc, numbers.multiplier, numbers.zero_point, low=numbers.low, high=numbers.high)
        assert np.abs(ours.reshape(theirs.shape).astype(int) - theirs).max() <= allowed, row.name
        x, border = theirs, (numbers.zero_point,) * row.output.channels


def test_a_uint8_network_without_a_classifier_is_kept_with_one_of_zeros(real_file: RealFile) -> None:
    model = tflite.read_int8(real_file("mobilenet_v1_1.0_224_quant_embedding_extractor.tflite"))
    assert "zeros" in model.provenance["classifier"]
    assert not model.layers["classifier"].weight.any()


def test_weights_with_zero_points_go_out_to_onnx_and_come_back(onnxruntime: Peer, tmp_path: Path) -> None:
    model = quantised()
    zeros = random_quantized(model.spec, 2, weight_zero_points=True)
    model = model.replace(layers=zeros.layers)
    path = tmp_path / "network.onnx"
    onnx.write(model, path)
    images = pixels(model, 6)
    answers = onnxruntime(path, reference.normalise(images, model.preprocessing))
    assert np.abs(answers - reference_int8.run(model, images).probabilities).max() < 0.01
    back = onnx.read_int8(path)
    assert same_integers(back, model)
    for name, numbers in model.layers.items():
        assert back.layers[name].weight_zero_point == numbers.weight_zero_point
    with pytest.raises(Refused, match=r"weights have zero points, which int8 TFLite has not; write \.onnx"):
        tflite.write(model, tmp_path / "network.tflite")


FORMS: list[dict[str, Any]] = [
    {},
    {"rounded": True, "padding": "same", "resolution": 48},
    {"activation": "relu", "channels": 1, "resolution": 75},
    {"width": 0.1, "rounding": "cut-off", "resolution": 75, "padding": "end"},
]


@pytest.mark.parametrize("fields", FORMS)
def test_a_written_tflite_file_runs_with_the_same_answers_and_comes_back_to_the_bit(
    litert: Peer, tmp_path: Path, fields: dict[str, Any]
) -> None:
    model = quantised(**fields)
    path = tmp_path / "network.tflite"
    tflite.write(model, path)
    images = pixels(model, 10)
    expected = reference_int8.run(model, images).probabilities
    answers = litert(path, images.astype(np.int16) - 128)
    real = (answers + 128.0) / 256 if answers.dtype == np.int8 else answers
    assert np.abs(real - expected).max() < 0.03
    assert (real[np.arange(len(real)), expected.argmax(axis=1)] == real.max(axis=1)).all()
    back = tflite.read_int8(path)
    assert same_integers(back, model)
    assert (back.spec, back.labels, back.preprocessing) == (
        dataclasses.replace(model.spec, bn_epsilon=back.spec.bn_epsilon),
        model.labels,
        model.preprocessing,
    )
    assert np.array_equal(reference_int8.run(back, images).probabilities, expected)


@pytest.mark.parametrize("fields", FORMS)
def test_a_written_onnx_file_runs_with_the_same_answers_and_comes_back_to_the_bit(
    onnxruntime: Peer, tmp_path: Path, fields: dict[str, Any]
) -> None:
    model = quantised(**fields)
    path = tmp_path / "network.onnx"
    onnx.write(model, path)
    images = pixels(model, 10)
    expected = reference_int8.run(model, images).probabilities
    answers = onnxruntime(path, reference.normalise(images, model.preprocessing))
    assert np.abs(answers - expected).max() < 0.01
    assert (answers.argmax(axis=1) == expected.argmax(axis=1)).all()
    assert same_integers(onnx.read_int8(path), model)


@pytest.mark.parametrize("suffix", ["onnx", "tflite"])
def test_a_written_int8_file_read_as_float_computes_nearly_the_same(tmp_path: Path, suffix: str) -> None:
    model = quantised()
    path = tmp_path / f"network.{suffix}"
    formats.write(model, path)
    found = formats.read(str(path))
    assert isinstance(found, Model)
    images = pixels(found, 6)
    expected = reference_int8.run(model, images).probabilities
    # Bytes saturate in a random network, as ReLU6 does at 6; what is left is rounding.
    assert np.abs(reference.run(found, images).probabilities - expected).max() < 1e-3


def test_a_mean_that_is_no_whole_number_stays_in_the_biases(tmp_path: Path, onnxruntime: Peer) -> None:
    model = quantised()
    odd = dataclasses.replace(model.preprocessing, mean=(127.5,) * 3)
    model = model.replace(preprocessing=odd)
    path = tmp_path / "network.onnx"
    onnx.write(model, path)
    back = onnx.read_int8(path)
    assert back.preprocessing.mean == (128.0,) * 3
    assert same_integers(back, model)
    images = pixels(back, 4)
    answers = onnxruntime(path, reference.normalise(images, back.preprocessing))
    assert np.abs(answers - reference_int8.run(model, images).probabilities).max() < 1e-5


def test_scales_of_weights_make_the_multipliers_to_the_bit_or_one_step_off_and_noted() -> None:
    rng = np.random.default_rng(0)
    wanted = rng.uniform(1e-5, 1e-2, 2000).astype(np.float32)
    for before, after in ((1.0, 1.0), (0.0235, 0.0235), (1 / 64, 6 / 255), (0.3, 0.17)):
        made = (steps(wanted, before, after).astype(np.float64) * before / after).astype(np.float32)
        assert (np.abs(made.view(np.int32) - wanted.view(np.int32)) <= 1).all()
        if before == after:
            assert (made == wanted).all()
    model = quantised()
    noted = exceptions(model)
    assert set(noted) <= {"conv_stem", "classifier"}


def test_noted_multipliers_are_believed_only_beside_those_that_the_scales_make() -> None:
    from depthwise.interop.kept import _exact
    from depthwise.interop.source import Source

    numbers = quantised().layers["conv_stem"]
    near = float(np.nextafter(numbers.multiplier[2], np.float32(1)))
    own: dict[str, Any] = {"multipliers": {"conv_stem": {"2": near, "3": 1e9, "99": near, "x": near, "4": "y"}}}
    source = Source(name="x", format="onnx", sha256="", own=own)
    found = _exact("conv_stem", numbers, source).multiplier
    assert found[2] == np.float32(near)
    assert (np.delete(found, 2) == np.delete(numbers.multiplier, 2)).all()
    wrongs: tuple[Any, ...] = (None, [], {"conv_stem": []}, {"conv_stem": None})
    for wrong in wrongs:
        assert _exact("conv_stem", numbers, dataclasses.replace(source, own={"multipliers": wrong})) is numbers


@pytest.mark.parametrize("suffix", ["onnx", "tflite"])
def test_what_a_format_cannot_say_is_refused_by_layer(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"network.{suffix}"
    model = quantised()
    with pytest.raises(Refused, match="the format has one value for all channels"):
        formats.write(model.replace(border=(1, 2, 3)), path)
    clamped = dataclasses.replace(model.layers["conv_stem"], low=3, high=200)
    with pytest.raises(Refused, match="layer conv_stem: it clamps to 3 and 200"):
        formats.write(model.replace(layers={**model.layers, "conv_stem": clamped}), path)
    scored = random_quantized(model.spec, 1, rounded=True).replace(border=(128,) * 3)
    with pytest.raises(Refused, match="layer classifier: its logits are clamped within the byte"):
        formats.write(scored, path)
    with pytest.raises(Refused, match="timm's networks are float"):
        timm.write(model, tmp_path / "timm")
    assert not list(tmp_path.iterdir())
