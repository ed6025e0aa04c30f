"""Grey pictures whose one channel a file copies into three: one channel here, against the file's own runtime."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthwise.errors import Refused
from depthwise.interop.keras import format as keras
from depthwise.interop.keras.file import contents
from depthwise.interop.onnx import format as onnx
from depthwise.interop.onnx import writer as onnx_writer
from depthwise.network import reference
from depthwise.network.model import Model
from tools.foreign import pixels
from tools.keras_files import entry, keras_model, write_variables

package = pytest.importorskip("onnx", reason="onnx is not installed; ONNX files are not checked")

SmallModel = Callable[..., Model]
Peer = Callable[..., np.ndarray]
make = package.helper.make_node
Nodes = list[Any]


class Front:
    """The nodes from "image", grey, to "ready", of three channels, and their constants."""

    def __init__(self, side: int) -> None:
        self.side, self.constants = side, list[Any]()

    def whole(self, *numbers: int) -> str:
        return self._constant(np.array(numbers, np.int64))

    def channels(self, *numbers: float) -> str:
        return self._constant(np.array(numbers, np.float32).reshape(1, -1, 1, 1))

    def _constant(self, values: np.ndarray) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(package.numpy_helper.from_array(values, name))
        return name

    def save(self, model: Model, nodes: Nodes, path: Path, shape: Sequence[int]) -> Path:
        proto = package.ModelProto.FromString(onnx_writer.build(model, "network"))
        del proto.metadata_props[:]
        proto.graph.node[0].input[0] = "ready"
        for node in reversed(nodes):
            proto.graph.node.insert(0, node)
        proto.graph.initializer.extend(self.constants)
        proto.graph.input[0].CopyFrom(package.helper.make_tensor_value_info("image", 1, shape))
        path.write_bytes(proto.SerializeToString())
        return path


def joined(front: Front) -> Nodes:
    return [make("Concat", ["image"] * 3, ["ready"], axis=1)]


def stretched(front: Front) -> Nodes:
    return [make("Expand", ["image", front.whole(1, 3, 1, 1)], ["ready"])]


def stretched_to_its_size(front: Front) -> Nodes:
    return [make("Expand", ["image", front.whole(1, 3, front.side, front.side)], ["ready"])]


def tiled(front: Front) -> Nodes:
    return [make("Tile", ["image", front.whole(1, 3, 1, 1)], ["ready"])]


def gathered(front: Front) -> Nodes:
    return [make("Gather", ["image", front.whole(0, 0, 0)], ["ready"], axis=1)]


def of_an_axis_more(front: Front) -> Nodes:
    """As `repeat` of Keras and TensorFlow is written."""
    return [
        make("Unsqueeze", ["image", front.whole(2)], ["five"]),
        make("Tile", ["five", front.whole(1, 1, 3, 1, 1)], ["many"]),
        make("Reshape", ["many", front.whole(1, 3, front.side, front.side)], ["ready"]),
    ]


def turned_as_a_reshape(front: Front) -> Nodes:
    """Of a single channel a transpose is a reshape, as which tf2onnx writes it."""
    last, first = front.whole(1, front.side, front.side, 1), front.whole(0, 1, front.side, front.side)
    return [
        make("Reshape", ["image", last], ["last"]),
        make("Reshape", ["last", first], ["first"]),
        make("Concat", ["first"] * 3, ["ready"], axis=1),
    ]


def scaled_apart(front: Front) -> Nodes:
    """All three are 0 for the same grey."""
    return [
        make("Concat", ["image"] * 3, ["three"], axis=1),
        make("Sub", ["three", front.channels(0.1, 0.1, 0.1)], ["low"]),
        make("Div", ["low", front.channels(0.5, 0.25, -2)], ["ready"]),
    ]


def multiplied(front: Front) -> Nodes:
    return [make("Mul", ["image", front.channels(1, 0.5, 2)], ["ready"])]


def by_a_convolution(front: Front) -> Nodes:
    weight = front._constant(np.array([1, 0.5, 2], np.float32).reshape(3, 1, 1, 1))
    return [make("Conv", ["image", weight], ["ready"])]


def turned_round_behind(front: Front) -> Nodes:
    return [
        make("Mul", ["image", front.channels(2, 0.5, 1)], ["three"]),
        make("Gather", ["three", front.whole(2, 1, 0)], ["ready"], axis=1),
    ]


def stretched_as_pytorch_computes(front: Front) -> Nodes:
    """`expand(-1, 3, -1, -1)`: sizes of -1 are made 1 by the graph."""
    one = package.helper.make_tensor("one", 7, [1], [1])
    return [
        make("ConstantOfShape", [front.whole(4)], ["ones"], value=one),
        make("Mul", ["ones", front.whole(-1)], ["minus"]),
        make("Equal", [front.whole(-1, 3, -1, -1), "minus"], ["open"]),
        make("Where", ["open", "ones", front.whole(-1, 3, -1, -1)], ["sizes"]),
        make("Expand", ["image", "sizes"], ["ready"]),
    ]


def interleaved_as_pytorch_computes(front: Front) -> Nodes:
    """`repeat_interleave(3, 1)`: the shape is made of parts of the one before."""
    return [
        make("Unsqueeze", ["image", front.whole(2)], ["five"]),
        make("Tile", ["five", front.whole(1, 1, 3, 1, 1)], ["many"]),
        make("Shape", ["many"], ["shape"]),
        make("Slice", ["shape", front.whole(0), front.whole(1), front.whole(0)], ["images"]),
        make("Slice", ["shape", front.whole(3), front.whole(5), front.whole(0)], ["pixels"]),
        make("Concat", ["images", front.whole(-1), "pixels"], ["wanted"], axis=0),
        make("Reshape", ["many", "wanted"], ["ready"]),
    ]


@pytest.mark.parametrize(
    "edit",
    [joined, stretched_as_pytorch_computes, interleaved_as_pytorch_computes,
     stretched, stretched_to_its_size, tiled, gathered, of_an_axis_more, turned_as_a_reshape, scaled_apart,
     multiplied, by_a_convolution, turned_round_behind],
)  # fmt: skip
@pytest.mark.parametrize("padding", ["symmetric", "same"])
def test_a_grey_channel_that_a_graph_copies_is_one_channel_with_the_answers_of_the_files_runtime(
    small_model: SmallModel, onnxruntime: Peer, tmp_path: Path, edit: Callable[[Front], Nodes], padding: str
) -> None:
    front = Front(64)
    nodes = edit(front)
    model = small_model(seed=4, resolution=64, padding=padding)
    path = front.save(model, nodes, tmp_path / "network.onnx", [1, 1, 64, 64])
    found = onnx.read(path)
    images = pixels(found, 3)
    assert found.spec.channels == 1
    mean, scale = found.preprocessing.mean[0], found.preprocessing.scale[0]
    computes = edit in (scaled_apart, multiplied, by_a_convolution, turned_round_behind)
    assert (mean, scale) == (127.5, 1 / 127.5) or computes
    expected = onnxruntime(path, images / 255 if edit is scaled_apart else (images - 127.5) / 127.5)
    assert np.abs(reference.run(found, images).probabilities - expected).max() < 1e-5


def test_copies_with_means_of_their_own_are_refused_with_the_way_out(small_model: SmallModel, tmp_path: Path) -> None:
    front = Front(64)
    nodes = [make("Concat", ["image"] * 3, ["three"], axis=1)]
    nodes += [make("Sub", ["three", front.channels(0.485, 0.456, 0.406)], ["ready"])]
    path = front.save(small_model(resolution=64), nodes, tmp_path / "network.onnx", [1, 1, 64, 64])
    with pytest.raises(Refused, match=r"node 0 \(Concat\) makes 3 channels of a grey one, and node 1 \(Sub\) gives"):
        onnx.read(path)


@pytest.mark.parametrize(
    ("edit", "shape", "sentence"),
    [
        (lambda f: [make("Tile", ["image", f.whole(1, 1, 2, 1)], ["ready"])], [1, 3, 32, 64], "copies its data"),
        (lambda f: [make("Concat", ["image"] * 2, ["ready"], axis=1)], [1, 3, 64, 64], "copies its data"),
        (lambda f: [make("Reshape", ["image", f.whole(1, 3, 64, 64)], ["ready"])], [1, 64, 64, 3], "reshapes the"),
        (lambda f: [make("Reshape", ["image", f.whole(1, 1, 64, 64)], ["ready"])], [1, 1, 32, 128], "reshapes the"),
    ],
)
def test_other_copies_and_reshapes_are_refused(
    small_model: SmallModel, tmp_path: Path, edit: Callable[[Front], Nodes], shape: list[int], sentence: str
) -> None:
    front = Front(64)
    nodes = edit(front)
    path = front.save(small_model(resolution=64), nodes, tmp_path / "network.onnx", shape)
    with pytest.raises(Refused, match=sentence):
        onnx.read(path)


KERAS: dict[str, Callable[[dict[str, Any]], None]] = {
    "Concatenate": lambda layer: layer.update(
        config={"name": "copy", "axis": -1}, inbound_nodes=[[["input_1", 0, 0, {}]] * 3]
    ),
    "Repeat": lambda layer: layer["config"].update(repeats=3, axis=3),
    "Tile": lambda layer: layer["config"].update(repeats=[1, 1, 1, 3]),
    "BroadcastTo": lambda layer: layer["config"].update(shape=[1, 64, 64, 3]),
    "TFOpLambda": lambda layer: layer["config"].update(function="image.grayscale_to_rgb"),
}


@pytest.mark.parametrize("kind", KERAS)
def test_a_layer_of_keras_that_copies_a_grey_channel_leaves_one(
    small_model: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    h5py = pytest.importorskip("h5py", reason="h5py is not installed; Keras files are not checked")
    monkeypatch.setattr("depthwise.interop.keras.format.extract", contents)
    model = small_model(seed=4, resolution=64, padding="same", bn_epsilon=1e-3)
    config, arrays = keras_model(model)
    listed = config["config"]["layers"]
    listed[0]["config"]["batch_input_shape"] = [None, 64, 64, 1]
    copy = entry(kind, "copy")
    copy["inbound_nodes"] = [[["input_1", 0, 0, {}]]]
    KERAS[kind](copy)
    listed[1]["inbound_nodes"] = [[["copy", 0, 0, {}]]]
    listed.insert(1, copy)
    with h5py.File(tmp_path / "network.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        write_variables(file.create_group("model_weights"), arrays)
    found = keras.read(tmp_path / "network.h5")
    grey = pixels(found, 3)
    assert found.spec.channels == 1
    preprocessing = found.preprocessing
    three = model.replace(preprocessing=model.preprocessing.__class__(
        resize=preprocessing.resize, crop=preprocessing.crop, mean=preprocessing.mean * 3, scale=preprocessing.scale * 3
    ))  # fmt: skip
    expected = reference.run(three, np.repeat(grey, 3, axis=3)).probabilities
    assert np.abs(reference.run(found, grey).probabilities - expected).max() < 1e-6
