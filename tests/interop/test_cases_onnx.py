"""ONNX files as people have them: what stands before the first convolution and behind the pool, against onnxruntime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthwise.errors import Refused
from depthwise.interop import formats
from depthwise.interop.onnx import format as onnx
from depthwise.interop.onnx import qoperator
from depthwise.interop.said import assumed, said, single, unread
from depthwise.interop.source import Given
from depthwise.network import reference
from depthwise.network.model import Model
from tools.foreign import pixels

package = pytest.importorskip("onnx", reason="onnx is not installed; ONNX files are not checked")
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

SmallModel = Callable[..., Model]
Nodes = list[Any]
make = package.helper.make_node
FLOAT, UINT8, INT8, INT64 = 1, 2, 3, 7
MEANS = np.array([123.68, 116.78, 103.94])


class Proto:
    """A written network, to be changed at its ends; it says nothing of itself."""

    def __init__(self, model: Model) -> None:
        from depthwise.interop.onnx import writer as onnx_writer

        self.proto = package.ModelProto.FromString(onnx_writer.build(model, "network"))
        del self.proto.metadata_props[:]
        self.graph = self.proto.graph
        self.side = model.spec.resolution
        self.first = self.graph.node[0]

    def constant(self, name: str, values: Any, kind: Any = np.float32) -> str:
        self.graph.initializer.append(package.numpy_helper.from_array(np.array(values, kind), name))
        return name

    def before(self, *nodes: Any, kind: int = FLOAT, last: bool = False) -> None:
        """Put nodes from "image" to "ready" before the first convolution."""
        self.first.input[0] = "ready"
        for node in reversed(nodes):
            self.graph.node.insert(0, node)
        C, side = 3, self.side
        shape = [1, side, side, C] if last else [1, C, side, side]
        self.graph.input[0].CopyFrom(package.helper.make_tensor_value_info("image", kind, shape))

    def behind(self, *nodes: Any, classes: int = 3) -> None:
        """Replace the softmax by nodes from the classifier's sums to "probabilities"."""
        sums = self.graph.node[-1].input[0]
        del self.graph.node[-1]
        for node in nodes:
            for place, name in enumerate(node.input):
                node.input[place] = sums if name == "sums" else name
            self.graph.node.append(node)

    def save(self, path: Path) -> Path:
        path.write_bytes(self.proto.SerializeToString())
        return path


def signed(p: np.ndarray) -> np.ndarray:
    return (p - 127.5) / 127.5


def nothing(proto: Proto) -> None:
    """A file that is as it was written, and says nothing."""


def mean_only(proto: Proto) -> None:
    proto.before(make("Sub", ["image", proto.constant("m", MEANS.reshape(1, 3, 1, 1))], ["ready"]))


def unit_then_normalise(proto: Proto) -> None:
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    proto.before(
        make("Sub", ["image", proto.constant("m", mean.reshape(3, 1, 1))], ["a"]),
        make("Div", ["a", proto.constant("d", deviation.reshape(3, 1, 1))], ["ready"]),
    )


def scaled_behind_a_transpose(proto: Proto) -> None:
    proto.before(
        make("Mul", ["image", proto.constant("s", [1 / 127.5])], ["a"]),
        make("Add", ["a", proto.constant("o", -1)], ["b"]),
        make("Transpose", ["b"], ["ready"], perm=[0, 3, 1, 2]),
        last=True,
    )


def cast(proto: Proto) -> None:
    proto.before(make("Cast", ["image"], ["ready"], to=FLOAT), kind=UINT8)


def bytes_of_unit(proto: Proto) -> None:
    scale, zero = proto.constant("s", 1 / 255), proto.constant("z", 0, np.uint8)
    proto.before(make("DequantizeLinear", ["image", scale, zero], ["ready"]), kind=UINT8)


def bytes_with_a_sign(proto: Proto) -> None:
    scale, zero = proto.constant("s", 2 / 255), proto.constant("z", 0, np.int8)
    proto.before(make("DequantizeLinear", ["image", scale, zero], ["ready"]), kind=INT8)


def levels(low: float, high: float) -> Callable[[Proto], None]:
    def edit(proto: Proto) -> None:
        step = (high - low) / 255
        scale, zero = proto.constant("s", step), proto.constant("z", round(-low / step) - 128, np.int8)
        proto.before(
            make("QuantizeLinear", ["image", scale, zero], ["q"]),
            make("DequantizeLinear", ["q", scale, zero], ["ready"]),
        )

    return edit


def flipped_by_gather(proto: Proto) -> None:
    proto.before(make("Gather", ["image", proto.constant("order", [2, 1, 0], np.int64)], ["ready"], axis=1))


def flipped_by_slice(proto: Proto) -> None:
    ends = [proto.constant(name, [n], np.int64) for name, n in (("f", -1), ("t", -(2**63)), ("x", 1), ("by", -1))]
    proto.before(make("Slice", ["image", *ends], ["ready"]))


def flipped_by_slice_of_all_axes(proto: Proto) -> None:
    """As tf2onnx writes `x[..., ::-1]`."""
    far = 10**9
    rows = {"f": [0, 0, far], "t": [far, far, -far], "x": [0, 3, 1], "by": [1, 1, -1]}
    proto.before(make("Slice", ["image", *(proto.constant(name, n, np.int64) for name, n in rows.items())], ["ready"]))


def flipped_by_parts(proto: Proto) -> None:
    proto.before(
        make("Split", ["image"], ["r", "g", "b"], axis=1),
        make("Concat", ["b", "g", "r"], ["ready"], axis=1),
    )


def flipped_by_unbind_and_stack(proto: Proto) -> None:
    axis, parts = proto.constant("x", [1], np.int64), ("r", "g", "b")
    proto.before(
        make("Split", ["image"], [f"{part}1" for part in parts], axis=1),
        *(make("Squeeze", [f"{part}1", axis], [part]) for part in parts),
        *(make("Unsqueeze", [part, axis], [f"{part}2"]) for part in parts),
        make("Concat", ["b2", "g2", "r2"], ["ready"], axis=-3),
    )


def flipped_by_single_places(proto: Proto) -> None:
    axis = proto.constant("x", [3], np.int64)
    proto.before(
        *(make("Gather", ["image", proto.constant(f"n{n}", n, np.int64)], [f"p{n}"], axis=3) for n in range(3)),
        *(make("Unsqueeze", [f"p{n}", axis], [f"q{n}"]) for n in range(3)),
        make("Concat", ["q2", "q1", "q0"], ["turned"], axis=-1),
        make("Transpose", ["turned"], ["ready"], perm=[0, 3, 1, 2]),
        last=True,
    )


def turned(proto: Proto) -> None:
    proto.before(make("Transpose", ["image"], ["ready"], perm=[0, 1, 3, 2]))


def normalised_by_a_convolution(proto: Proto) -> None:
    weight, bias = np.full((3, 1, 1, 1), 1 / 127.5), [-1.0] * 3
    proto.before(make("Conv", ["image", proto.constant("cw", weight), proto.constant("cb", bias)], ["ready"], group=3))


def pool_over_last_channels(proto: Proto) -> None:
    pool = next(node for node in proto.graph.node if node.op_type == "GlobalAveragePool")
    place, value = list(proto.graph.node).index(pool), pool.input[0]
    following = proto.graph.node[place + 1]
    reached = following.output[0]
    del proto.graph.node[place : place + 2]
    for node in (
        make("ReduceSum", ["nhwc2", proto.constant("x2", [1], np.int64)], ["total"], keepdims=0),
        make("ReduceSum", ["nhwc", proto.constant("x1", [2], np.int64)], ["nhwc2"], keepdims=0),
        make("Transpose", [value], ["nhwc"], perm=[0, 2, 3, 1]),
    ):
        proto.graph.node.insert(place, node)
    proto.graph.node.insert(place + 3, make("Mul", ["total", proto.constant("share", 1 / 4)], [reached]))


def classifier_before_the_pool(proto: Proto) -> None:
    place = next(place for place, node in enumerate(proto.graph.node) if node.op_type == "GlobalAveragePool")
    value, arrays = proto.graph.node[place].input[0], {one.name: one for one in proto.graph.initializer}
    weight = package.numpy_helper.to_array(arrays["classifier.weight"])[:, :, None, None]
    del proto.graph.node[place : place + 3]
    for node in (
        make("Flatten", ["means"], ["sums"]),
        make("GlobalAveragePool", ["maps"], ["means"]),
        make("Conv", [value, proto.constant("cw", weight), "classifier.bias"], ["maps"]),
    ):
        proto.graph.node.insert(place, node)
    proto.graph.node[-1].input[0] = "sums"


def features_gathered_in_their_order(proto: Proto) -> None:
    """As PyTorch's newer exporter writes a view of means whose channels lie last in memory."""
    place = next(place for place, node in enumerate(proto.graph.node) if node.op_type == "GlobalAveragePool")
    pool, following = proto.graph.node[place : place + 2]
    channels = package.numpy_helper.to_array(
        next(one for one in proto.graph.initializer if one.name == "classifier.weight")
    ).shape[1]
    places = np.arange(channels).reshape(1, channels, 1, 1)
    for node in (
        make("Gather", ["line", proto.constant("places", places, np.int64)], ["taken"]),
        make("Reshape", [pool.output[0], proto.constant("flat", [-1], np.int64)], ["line"]),
    ):
        proto.graph.node.insert(place + 1, node)
    following.input[0] = "taken"


def temperature_and_logarithms(proto: Proto) -> None:
    proto.behind(
        make("Div", ["sums", proto.constant("t", 2.5)], ["a"]), make("LogSoftmax", ["a"], ["probabilities"], axis=1)
    )


def two_products(proto: Proto) -> None:
    weight = np.random.default_rng(5).normal(size=(3, 3))
    proto.behind(
        make("Gemm", ["sums", proto.constant("w2", weight), proto.constant("b2", [0.1, 0.2, 0.3])], ["a"], transB=1),
        make("Softmax", ["a"], ["probabilities"]),
    )


def first(x: np.ndarray) -> np.ndarray:
    """Channels first."""
    return x.transpose(0, 3, 1, 2)


FORMS: list[tuple[Callable[[Proto], None], Callable[[np.ndarray], np.ndarray], dict[str, Any], str]] = [
    (nothing, lambda p: first(signed(p)), {}, "assumed"),
    (nothing, lambda p: first(p / 255), {"mean": (0.0,), "scale": (1 / 255,)}, "given"),
    (nothing, lambda p: first(((p - MEANS) * 0.017)[..., ::-1]),
     {"mean": tuple(MEANS), "scale": (0.017,), "bgr": True}, "given"),
    (mean_only, first, {}, "read"),
    (unit_then_normalise, lambda p: first(p / 255), {}, "read"),
    (scaled_behind_a_transpose, lambda p: p, {}, "read"),
    (cast, lambda p: first(p.astype(np.uint8)), {}, "read"),
    (bytes_of_unit, lambda p: first(p.astype(np.uint8)), {}, "read"),
    (bytes_with_a_sign, lambda p: first((p - 128).astype(np.int8)), {}, "read"),
    (flipped_by_gather, lambda p: first(signed(p)), {}, "assumed"),
    (flipped_by_slice, lambda p: first(signed(p[..., ::-1])), {"bgr": True}, "assumed"),
    (flipped_by_slice_of_all_axes, lambda p: first(signed(p[..., ::-1])), {"bgr": True}, "assumed"),
    (flipped_by_parts, lambda p: first(signed(p[..., ::-1])), {"bgr": True}, "assumed"),
    (flipped_by_unbind_and_stack, lambda p: first(signed(p[..., ::-1])), {"bgr": True}, "assumed"),
    (flipped_by_single_places, signed, {}, "assumed"),
    (turned, lambda p: first(signed(p)), {}, "assumed"),
    (normalised_by_a_convolution, first, {}, "read"),
    (pool_over_last_channels, lambda p: first(signed(p)), {}, "assumed"),
    (classifier_before_the_pool, lambda p: first(signed(p)), {}, "assumed"),
    (features_gathered_in_their_order, lambda p: first(signed(p)), {}, "assumed"),
    (temperature_and_logarithms, lambda p: first(signed(p)), {}, "assumed"),
    (two_products, lambda p: first(signed(p)), {}, "assumed"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "fed", "given", "how"), FORMS, ids=lambda v: getattr(v, "__name__", ""))
def test_a_file_gives_the_probabilities_of_its_own_runtime(
    small_model: SmallModel,
    tmp_path: Path,
    edit: Callable[[Proto], None],
    fed: Callable[[np.ndarray], np.ndarray],
    given: dict[str, Any],
    how: str,
) -> None:
    model = small_model(seed=4, resolution=64)
    proto = Proto(model)
    edit(proto)
    path = proto.save(tmp_path / "network.onnx")
    found = onnx.read(path, Given(**given))
    images = pixels(found, 3)
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    kind = np.uint8 if edit in (cast, bytes_of_unit) else np.int8 if edit is bytes_with_a_sign else np.float32
    answers = [session.run(None, {"image": one[None].astype(kind)})[0][0] for one in fed(images.astype(np.float64))]
    expected = np.exp(answers) if edit is temperature_and_logarithms else np.array(answers)
    assert np.abs(reference.run(found, images).probabilities - expected).max() < 1e-4
    assert found.provenance["preprocessing"]["pixels"] == how


def test_a_single_score_with_a_sigmoid_is_the_second_of_two_classes(small_model: SmallModel, tmp_path: Path) -> None:
    proto = Proto(small_model(seed=4, resolution=64))
    weight = np.random.default_rng(3).normal(size=(1, 3))
    proto.behind(
        make("Gemm", ["sums", proto.constant("w1", weight), proto.constant("b1", [0.3])], ["score"], transB=1),
        make("Sigmoid", ["score"], ["probabilities"]),
    )
    path = proto.save(tmp_path / "network.onnx")
    found = onnx.read(path, Given(labels=("cat", "dog")))
    images = pixels(found, 3)
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    dogs = [session.run(None, {"image": one[None].astype(np.float32)})[0].item() for one in first(signed(images))]
    expected = np.stack([1 - np.array(dogs), dogs], axis=1)
    assert np.abs(reference.run(found, images).probabilities - expected).max() < 1e-5
    assert (
        single(found) == "one score in the file: its sigmoid is the probability of 'dog', and what that leaves of 'cat'"
    )


@pytest.mark.parametrize("zero", [0, 7])
def test_an_operation_of_bytes_has_weights_with_one_zero_point(zero: int) -> None:
    weight = np.random.default_rng(1).integers(0, 255, (4, 3, 1, 1), dtype=np.uint8)
    constants = [weight, 0.5, zero, weight, 0.25, zero, 0.1, zero, np.arange(4)]
    kinds = [np.uint8, np.float32, np.uint8] * 2 + [np.float32, np.uint8, np.int32]
    arrays = [np.array(value, kind) for value, kind in zip(constants, kinds, strict=True)]
    form = qoperator.read("QLinearConv", arrays.__getitem__, len(arrays), {}, "node 0")
    assert form.integers is not None
    real = form.integers.factors * form.integers.scales
    assert np.array_equal(real, (weight.astype(float) - zero) * 0.25)
    assert np.array_equal(form.weight, real.astype(np.float32))


@pytest.mark.parametrize(
    ("low", "high", "mean", "scale"),
    [
        (0, 1, (0.0,) * 3, (1 / 255,) * 3),
        (-1, 1, (127.5,) * 3, (1 / 127.5,) * 3),
        (0, 255, (0.0,) * 3, (1.0,) * 3),
        (-2.118, 2.64, (123.675, 116.28, 103.53), (1 / 58.395, 1 / 57.12, 1 / 57.375)),
    ],
)
def test_levels_behind_the_input_say_how_pixels_are_prepared(
    small_model: SmallModel, tmp_path: Path, low: float, high: float, mean: tuple[float, ...], scale: tuple[float, ...]
) -> None:
    proto = Proto(small_model())
    levels(low, high)(proto)
    found = onnx.read(proto.save(tmp_path / "network.onnx"))
    assert found.preprocessing.mean == pytest.approx(mean)
    assert found.preprocessing.scale == pytest.approx(scale)
    assert found.provenance["preprocessing"]["pixels"] == "read"


def test_what_contradicts_the_levels_of_a_file_is_refused_with_both_ranges(
    small_model: SmallModel, tmp_path: Path
) -> None:
    proto = Proto(small_model())
    levels(0, 1)(proto)
    path = proto.save(tmp_path / "network.onnx")
    with pytest.raises(Refused, match=r"from 0 to 1, and with the mean and scale that are given they go from -1 to 1"):
        onnx.read(path, Given(mean=(127.5,), scale=(1 / 127.5,)))
    caffe = Proto(small_model())
    levels(-123.68, 151.06)(caffe)
    with pytest.raises(Refused, match=r"from -123\.9 to 150\.8.*say by --mean and --scale .* --bgr"):
        onnx.read(caffe.save(tmp_path / "caffe.onnx"))


def test_standard_metadata_say_range_and_order(small_model: SmallModel, tmp_path: Path) -> None:
    proto = Proto(small_model())
    package.helper.set_model_props(
        proto.proto, {"Image.BitmapPixelFormat": "Bgr8", "Image.NominalPixelRange": "Normalized_0_1"}
    )
    found = onnx.read(proto.save(tmp_path / "network.onnx"))
    expected = onnx.read(tmp_path / "network.onnx", Given(mean=(0.0,), scale=(1 / 255,), bgr=True))
    assert found.preprocessing == expected.preprocessing
    assert np.array_equal(found.weights["conv_stem.weight"], expected.weights["conv_stem.weight"])
    assert found.provenance["preprocessing"] == {
        "pixels": "read", "order": "read", "resize": "assumed", "bgr": True,
    }  # fmt: skip


def test_bytes_that_are_levels_of_prepared_pixels_may_be_given_a_scale_for_each_channel(
    small_model: SmallModel, tmp_path: Path
) -> None:
    proto = Proto(small_model())
    scale, zero = proto.constant("s", 4.758 / 255), proto.constant("z", 114, np.uint8)
    proto.before(make("DequantizeLinear", ["image", scale, zero], ["ready"]), kind=UINT8)
    path = proto.save(tmp_path / "network.onnx")
    assert onnx.read(path).preprocessing.mean == (114.0,) * 3
    mean, deviation = (123.675, 116.28, 103.53), (1 / 58.395, 1 / 57.12, 1 / 57.375)
    found = onnx.read(path, Given(mean=mean, scale=deviation)).preprocessing
    assert found.mean == pytest.approx(mean)
    assert found.scale == pytest.approx(deviation)
    with pytest.raises(Refused, match="leave --mean and --scale out"):
        onnx.read(path, Given(mean=(0.0,), scale=(1 / 255,)))


REFUSED: list[tuple[Callable[[Proto], None], str]] = [
    (lambda p: p.behind(make("Softmax", ["sums"], ["a"]), make("Softmax", ["a"], ["probabilities"])), "second softmax"),
    (lambda p: p.behind(make("Relu", ["sums"], ["probabilities"])), "is an activation behind node .* a hidden layer"),
    (lambda p: p.behind(make("Sigmoid", ["sums"], ["probabilities"])), "gives each label a score of its own"),
    (lambda p: p.behind(make("Softmax", ["sums"], ["probabilities"], axis=0)), "compares along another axis"),
    (lambda p: p.before(make("DynamicQuantizeLinear", ["image"], ["ready", "s", "z"])), "dynamic quantisation.*QDQ"),
    (lambda p: p.before(make("Reshape", ["image", p.constant("x", [1, 3, 16, 64], np.int64)], ["ready"])),
     "reshapes the image before the first convolution"),
    (lambda p: p.before(make("Gather", ["image", p.constant("x", [0], np.int64)], ["ready"], axis=1)),
     "takes a part of its data; MobileNet V1 takes all"),
    (lambda p: p.before(make("Mul", ["image", p.constant("x", np.arange(1, 33).reshape(1, 1, 1, 32))], ["ready"])),
     "has a number for each row or column, before the first convolution"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "sentence"), REFUSED)
def test_what_is_no_part_of_the_network_is_refused_by_what_it_does(
    small_model: SmallModel, tmp_path: Path, edit: Callable[[Proto], None], sentence: str
) -> None:
    proto = Proto(small_model())
    edit(proto)
    with pytest.raises(Refused, match=sentence):
        onnx.read(proto.save(tmp_path / "network.onnx"))


def rounded(proto: Proto, value: str, place: int) -> tuple[str, int]:
    """Put a value through bytes; its name behind them."""
    names = [proto.constant(f"{value} scale", len(value) / 100), proto.constant(f"{value} zero", 100, np.uint8)]
    for code, source, result in (("Quantize", value, "bytes"), ("Dequantize", f"{value} bytes", "rounded")):
        proto.graph.node.insert(place, make(f"{code}Linear", [source, *names], [f"{value} {result}"]))
        place += 1
    return f"{value} rounded", place


def normalised_apart(proto: Proto, *, between: bool) -> None:
    """A batch normalisation as a product and a sum behind the second convolution, perhaps with bytes between them."""
    place = [place for place, node in enumerate(proto.graph.node) if node.op_type == "Conv"][1]
    node, value = proto.graph.node[place], "sums"
    reached, node.output[0] = node.output[0], value
    place += 1
    for code, name, result in (("Mul", "slope", "scaled"), ("Add", "shift", reached)):
        value, place = rounded(proto, value, place) if between else (value, place)
        numbers = np.random.default_rng(3).uniform(0.5, 1.5, (1, 8, 1, 1))
        proto.graph.node.insert(place, make(code, [value, proto.constant(name, numbers)], [result]))
        value, place = result, place + 1


def test_bytes_between_a_convolution_and_its_normalisation_are_rounding_and_no_part_of_the_network(
    small_model: SmallModel, tmp_path: Path
) -> None:
    """As onnxruntime quantises what tf2onnx leaves apart."""
    found = []
    for between in (False, True):
        proto = Proto(small_model(seed=4, resolution=64))
        normalised_apart(proto, between=between)
        found.append(onnx.read(proto.save(tmp_path / "network.onnx")))
    assert all(np.array_equal(array, found[1].weights[name]) for name, array in found[0].weights.items())


def test_levels_that_are_stated_again_behind_a_padding_are_the_same(small_model: SmallModel, tmp_path: Path) -> None:
    found = []
    for between in (False, True):
        proto = Proto(small_model(seed=4, resolution=64))
        place = [place for place, node in enumerate(proto.graph.node) if node.op_type == "Conv"][1]
        node, sides = proto.graph.node[place], [0, 0, 1, 1, 0, 0, 1, 1]
        value, place = rounded(proto, node.input[0], place)
        pads = next(attribute for attribute in node.attribute if attribute.name == "pads")
        pads.ints[:] = [0] * 4
        proto.graph.node.insert(place, make("Pad", [value, proto.constant("sides", sides, np.int64)], ["padded"]))
        node.input[0] = "padded"
        if between:
            again = list(proto.graph.node[place - 1].input[1:])
            proto.graph.node.insert(place + 1, make("DequantizeLinear", ["bytes again", *again], ["padded again"]))
            proto.graph.node.insert(place + 1, make("QuantizeLinear", ["padded", *again], ["bytes again"]))
            node.input[0] = "padded again"
        found.append(onnx.read(proto.save(tmp_path / "network.onnx")))
    assert all(np.array_equal(array, found[1].weights[name]) for name, array in found[0].weights.items())


def test_arrays_that_no_node_reads_are_named(small_model: SmallModel, tmp_path: Path) -> None:
    proto = Proto(small_model())
    assert unread(onnx.read(proto.save(tmp_path / "network.onnx"))) == ""
    # An auxiliary head: one of its nodes reads one array, and nothing reads what the node makes of it.
    proto.graph.node.append(make("Transpose", [proto.constant("aux.weight", np.zeros((5, 16)))], ["aux"]))
    proto.constant("aux.bias", np.zeros(5))
    found = unread(onnx.read(proto.save(tmp_path / "network.onnx")))
    assert found == "read by no operation and left out: 'aux.weight' (5x16), 'aux.bias' (5)"


def test_one_line_says_what_pixels_mean_and_what_was_assumed(small_model: SmallModel, tmp_path: Path) -> None:
    path = Proto(small_model()).save(tmp_path / "network.onnx")
    found = formats.read(str(path))
    assert assumed(found)
    assert said(found) == (
        "pixels (0 to 255) with mean 127.5 and scale 0.007843137 (assumed), red first (assumed), shorter side to 37 and"
        " the middle 32x32 cut out (assumed); --mean, --scale, --bgr and --resize say otherwise"
    )
    squashed = formats.read(str(path), Given(mean=(0.0,), scale=(1.0,), bgr=True, resize="squash"))
    assert not assumed(squashed)
    assert said(squashed) == (
        "pixels (0 to 255) with mean 0 and scale 1 (given), blue first in the file, turned (given), both sides squashed"
        " to 32 (given)"
    )
    assert said(small_model()) == ""
