"""ONNX files in and out, against the runtime that owns the format, and in the forms that other exporters write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthwise.errors import Refused
from depthwise.interop.norms import folded
from depthwise.interop.onnx import format as onnx
from depthwise.interop.tflite import format as tflite
from depthwise.network import reference
from depthwise.network.layers import layers
from depthwise.network.model import Model
from tools.foreign import pixels, same_weights

package = pytest.importorskip("onnx", reason="onnx is not installed; ONNX files are not checked")

RealFile = Callable[[str], Path]
Peer = Callable[..., np.ndarray]
SmallModel = Callable[..., Model]
FORMS: list[dict[str, Any]] = [
    {"width": 0.3333, "labels": ("a cat", 'a "dog"', "Käse")},
    {"padding": "same", "resolution": 96, "bn_epsilon": 1e-3},
    {"resolution": 75, "width": 0.35, "channels": 1, "activation": "relu"},
    {"convolution": "standard", "shallow": True},
    {"unit_strides": (0, 2), "resolution": 33, "padding": "same"},
    {"width": 0.1, "rounding": "cut-off", "resolution": 75, "padding": "keras"},
]


def test_the_float_wake_words_network_gives_the_probabilities_of_its_own_runtime_and_of_its_tflite_twin(
    real_file: RealFile, onnxruntime: Peer
) -> None:
    path = real_file("vww_96_float.onnx")
    model = onnx.read(path)
    images = pixels(model, 100)
    expected = onnxruntime(path, images / np.float32(255))
    ours = reference.run(model, images, dtype=np.float32).probabilities
    assert np.abs(ours - expected).max() < 1e-5
    twin = reference.run(tflite.read(real_file("vww_96_float.tflite")), images, dtype=np.float32).probabilities
    assert np.abs(twin - expected).max() < 1e-5


def test_the_quantised_wake_words_network_is_read_to_float_weights_near_its_own_answers(
    real_file: RealFile, onnxruntime: Peer
) -> None:
    path = real_file("vww_96_int8_qdq.onnx")
    model = onnx.read(path)
    images = pixels(model, 20)
    expected = onnxruntime(path, images / np.float32(255))
    assert np.abs(reference.run(model, images).probabilities - expected).max() < 0.02


@pytest.mark.parametrize("fields", FORMS)
def test_a_written_file_runs_in_its_own_runtime_and_comes_back_the_same(
    small_model: SmallModel, onnxruntime: Peer, tmp_path: Path, fields: dict[str, Any]
) -> None:
    model = small_model(seed=3, **fields)
    path = tmp_path / "new folder" / "network.onnx"
    onnx.write(model, path)
    package.checker.check_model(str(path), full_check=True)
    images = pixels(model, 10)
    expected = reference.run(model, images).probabilities
    answers = onnxruntime(path, reference.normalise(images, model.preprocessing))
    assert np.abs(answers - expected).max() < 1e-5
    assert (answers.argmax(axis=1) == expected.argmax(axis=1)).all()
    back = onnx.read(path)
    assert (back.spec, back.preprocessing, back.labels) == (model.spec, model.preprocessing, model.labels)
    assert same_weights(back, model)
    onnx.write(back, tmp_path / "network.onnx")
    assert (tmp_path / "network.onnx").read_bytes() == path.read_bytes()


def computed_padding(place: int, sides: list[int], constant: Callable[[str, np.ndarray], str]) -> list[Any]:
    """The nodes with which PyTorch's older exporter turns its own order of sides into ONNX's."""
    top, left, bottom, right = sides
    make = package.helper.make_node
    zero = package.helper.make_tensor("zero", 7, [1], [0])
    own = constant(f"own{place}", np.array([left, right, top, bottom]))
    ends = [
        constant(f"{name}{place}", np.array([value])) for name, value in (("from", -1), ("to", -(2**63)), ("of", 0))
    ]
    return [
        make("ConstantOfShape", [constant(f"four{place}", np.array([4]))], [f"zeros{place}"], value=zero),
        make("Concat", [own, f"zeros{place}"], [f"all{place}"], axis=0),
        make("Reshape", [f"all{place}", constant(f"pairs{place}", np.array([-1, 2]))], [f"rows{place}"]),
        make("Slice", [f"rows{place}", *ends, ends[0]], [f"turned{place}"]),
        make("Transpose", [f"turned{place}"], [f"columns{place}"], perm=[1, 0]),
        make("Reshape", [f"columns{place}", constant(f"flat{place}", np.array([-1]))], [f"list{place}"]),
        make("Cast", [f"list{place}"], [f"pads{place}"], to=7),
    ]


def scores(model: Model, value: str, constant: Callable[..., str], *, last_first: bool) -> list[Any]:
    """The nodes from the last activation to the sums of the labels."""
    helper = package.helper
    weight, bias = model.weights["classifier.weight"], model.weights["classifier.bias"]
    if last_first:
        axes = constant("axes", np.array([2, 3]))
        return [
            helper.make_node("ReduceMean", [value, axes], ["mean"], keepdims=0),
            helper.make_node("MatMul", ["mean", constant("w", weight.T)], ["product"]),
            helper.make_node("Add", ["product", constant("b", bias)], ["sums"]),
        ]
    # A flattening whose shape is computed from the data's own, as older exporters of PyTorch write it.
    return [
        helper.make_node("GlobalAveragePool", [value], ["mean"]),
        helper.make_node("Shape", ["mean"], ["shape"]),
        helper.make_node("Gather", ["shape", constant("zero", np.array(0))], ["batch"]),
        helper.make_node("Unsqueeze", ["batch", constant("first", np.array([0]))], ["one"]),
        helper.make_node("Concat", ["one", constant("rest", np.array([-1]))], ["wanted"], axis=0),
        helper.make_node("Reshape", ["mean", "wanted"], ["flat"]),
        helper.make_node("Gemm", ["flat", constant("w", weight), constant("b", bias)], ["sums"], transB=1),
    ]


def activated(place: int, value: str, bias: np.ndarray, constant: Callable[..., str], *, last_first: bool) -> list[Any]:
    """The nodes of ReLU6 behind a convolution, and of its bias where that is an addition, as in TensorFlow."""
    helper = package.helper
    six = constant("six", np.array(6, np.float32))
    if last_first:
        added = constant(f"a{place}", bias.reshape(1, -1, 1, 1))
        return [
            helper.make_node("Add", [value, added], [f"s{place}"]),
            helper.make_node("Relu", [f"s{place}"], [f"r{place}"]),
            helper.make_node("Min", [f"r{place}", six], [f"o{place}"]),
        ]
    low = helper.make_tensor("low", 1, [], [0.0])
    return [
        helper.make_node("Constant", [], [f"low{place}"], value=low),
        helper.make_node("Clip", [value, f"low{place}", six], [f"o{place}"]),
    ]


def exported(model: Model, folder: Path, form: str) -> Path:
    """A file with this network in the form in which another exporter writes it: batch normalisation folded."""
    helper, numpy_helper = package.helper, package.numpy_helper
    spec, nodes, constants = model.spec, [], {}

    def constant(name: str, array: np.ndarray) -> str:
        constants[name] = array
        return name

    value, last_first = "input", form == "tf2onnx"
    if last_first:
        nodes.append(helper.make_node("Transpose", ["input"], ["turned"], perm=[0, 3, 1, 2]))
        value = "turned"
    for place, (name, (weight, bias)) in enumerate(folded(model).items()):
        row = next(row for row in layers(spec) if row.name == name)
        if not row.norm:
            break
        sides = [row.padding.top, row.padding.left, row.padding.bottom, row.padding.right]
        window: dict[str, Any] = {"strides": [row.stride] * 2, "kernel_shape": [row.kernel] * 2}
        if form == "timm" and row.stride == 2:
            nodes += computed_padding(place, sides, constant)
            nodes.append(helper.make_node("Pad", [value, f"pads{place}"], [f"padded{place}"]))
            value = f"padded{place}"
        elif last_first:
            window["auto_pad"] = "SAME_UPPER"
        else:
            window["pads"] = sides
        inputs = [value, constant(f"w{place}", weight), constant(f"b{place}", bias)]
        if last_first:
            # Its biases are additions, as TensorFlow's are.
            inputs.pop()
        group = row.input.channels if row.kind == "depthwise" else 1
        nodes.append(helper.make_node("Conv", inputs, [f"c{place}"], group=group, **window))
        nodes += activated(place, f"c{place}", bias, constant, last_first=last_first)
        value = f"o{place}"
    nodes += scores(model, value, constant, last_first=last_first)
    size = [1, *[spec.resolution] * 2, 3] if last_first else [1, 3, *[spec.resolution] * 2]
    graph = helper.make_graph(
        nodes,
        form,
        [helper.make_tensor_value_info("input", 1, size)],
        [helper.make_tensor_value_info("sums", 1, [1, spec.classes])],
        [numpy_helper.from_array(np.asarray(array, order="C"), name) for name, array in constants.items()],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    path = folder / f"{form}.onnx"
    if form == "torch":
        # The newer exporter keeps weights in a file beside it.
        package.save_model(proto, str(path), save_as_external_data=True, location="torch.onnx.data", size_threshold=64)
    else:
        package.save_model(proto, str(path))
    package.checker.check_model(str(path), full_check=True)
    return path


@pytest.mark.parametrize(("form", "padding"), [("torch", "symmetric"), ("timm", "symmetric"), ("tf2onnx", "same")])
def test_what_other_exporters_write_is_read(small_model: SmallModel, tmp_path: Path, form: str, padding: str) -> None:
    model = small_model(seed=2, padding=padding, resolution=64)
    found = onnx.read(exported(model, tmp_path, form))
    assert found.spec.padding == padding
    images = pixels(model, 4)
    same_pixels = found.replace(preprocessing=model.preprocessing)
    expected = reference.run(model, images)
    assert np.abs(reference.run(same_pixels, images).probabilities - expected.probabilities).max() < 1e-5


def edited(model: Model, path: Path, edit: Callable[[Any], None]) -> Path:
    """A written file whose graph was changed."""
    onnx.write(model, path)
    proto = package.load(str(path))
    edit(proto)
    path.write_bytes(proto.SerializeToString())
    return path


def set_attribute(node: Any, name: str, value: Any) -> None:
    for attribute in list(node.attribute):
        if attribute.name == name:
            node.attribute.remove(attribute)
    node.attribute.append(package.helper.make_attribute(name, value))


REFUSED: list[tuple[Callable[[Any], None], str]] = [
    (lambda p: setattr(p.graph.node[2], "op_type", "HardSwish"), r"node 2 \(HardSwish\) is not part of MobileNet V1"),
    (lambda p: set_attribute(p.graph.node[0], "dilations", [2, 2]), r"node 0 \(Conv\) is dilated"),
    (lambda p: set_attribute(p.graph.node[0], "strides", [2, 2, 2]), r"node 0 \(Conv\) has strides"),
    (lambda p: set_attribute(p.graph.node[3], "group", 2), r"node 3 \(Conv\) has 2 groups for 8 channels"),
    (lambda p: set_attribute(p.graph.node[0], "pads", [1, 1]), r"node 0 \(Conv\) pads 2 sides"),
    (lambda p: set_attribute(p.graph.node[0], "auto_pad", "SAME_LOWER"), r"node 0 \(Conv\) pads by SAME_LOWER"),
    (lambda p: set_attribute(p.graph.node[-2], "alpha", 2.0), r"node 83 \(Gemm\) scales or turns its operands"),
    (lambda p: p.graph.node[3].input.__setitem__(0, "image"), r"node 3 \(Conv\) reads what node 0 \(Conv\) reads"),
    (lambda p: p.graph.node[0].input.__setitem__(1, "none"), r"node 0 \(Conv\): 'none' is not in the file"),
    (lambda p: setattr(p.graph.node[0], "domain", "com.microsoft"), r"is of 'com.microsoft', not of ONNX"),
    (lambda p: p.graph.node[9].output.__delitem__(slice(None)), r"node 9 \(Conv\) has no output; it is damaged"),
    (lambda p: p.graph.initializer[0].dims.__setitem__(0, 2**40), r"no MobileNet V1 has such a tensor"),
    (lambda p: p.graph.initializer[0].dims.__setitem__(0, 9), r"of shape \(9.* holds [\d,]+ numbers; it is damaged"),
    (lambda p: setattr(p.graph.initializer[0], "data_type", 8), r"is of type 8, which is not read"),
    (lambda p: p.graph.output.pop(), r"it has 1 inputs and 0 outputs"),
    (lambda p: p.graph.node.__delitem__(slice(None)), r"it is not an ONNX file, or holds no graph"),
]


@pytest.mark.parametrize(("edit", "sentence"), REFUSED)
def test_the_first_node_that_does_not_fit_is_named(
    small_model: SmallModel, tmp_path: Path, edit: Callable[[Any], None], sentence: str
) -> None:
    path = edited(small_model(), tmp_path / "network.onnx", edit)
    with pytest.raises(Refused, match=sentence):
        onnx.read(path)


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/b", "..", "", "link", "absent", "C:\\secret"])
def test_weights_in_another_file_are_read_only_beside_the_file(
    small_model: SmallModel, tmp_path: Path, location: str
) -> None:
    (tmp_path.parent / "secret").write_bytes(b"\0" * 864)
    (tmp_path / "link").symlink_to(tmp_path.parent / "secret")

    def move(proto: Any) -> None:
        tensor = proto.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = 1
        for key, value in (("location", location), ("offset", "0"), ("length", "864")):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value

    with pytest.raises(Refused, match="beside the ONNX file"):
        onnx.read(edited(small_model(), tmp_path / "network.onnx", move))


@pytest.mark.parametrize("data", [b"", b"x" * 100, b"\x08"])
def test_what_is_no_onnx_file_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "network.onnx"
    path.write_bytes(data)
    with pytest.raises(Refused, match="it is not an ONNX file"):
        onnx.read(path)
