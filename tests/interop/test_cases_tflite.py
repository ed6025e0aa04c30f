"""TFLite files as people have them: what stands before the first convolution and behind the pool, against LiteRT."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthwise.errors import Refused
from depthwise.interop.norms import folded
from depthwise.interop.said import unread
from depthwise.interop.source import Given
from depthwise.interop.tflite import builder as tflite_builder
from depthwise.interop.tflite import format as tflite
from depthwise.interop.tflite import writer as tflite_writer
from depthwise.interop.tflite.builder import Graph, Grid
from depthwise.network import reference
from depthwise.network.layers import layers
from depthwise.network.model import Model
from tools.foreign import pixels

pytest.importorskip("tflite", reason="tflite is not installed; TFLite files are not checked")

SmallModel = Callable[..., Model]
Peer = Callable[..., np.ndarray]
Ends = Callable[["Made", int], int]
TABLES = {
    "MUL": "MulOptions", "ADD": "AddOptions", "SUB": "SubOptions", "DIV": "DivOptions", "CAST": "CastOptions",
    "TRANSPOSE": "TransposeOptions", "QUANTIZE": "QuantizeOptions", "REVERSE_V2": "ReverseV2Options",
    "MAXIMUM": "MaximumMinimumOptions", "MINIMUM": "MaximumMinimumOptions", "SUM": "ReducerOptions",
    "SHAPE": "ShapeOptions", "PACK": "PackOptions", "STRIDED_SLICE": "StridedSliceOptions",
    "LOG_SOFTMAX": "LogSoftmaxOptions", "MEAN": "ReducerOptions", "SPLIT": "SplitOptions", "UNPACK": "UnpackOptions",
    "CONCATENATION": "ConcatenationOptions", "GATHER": "GatherOptions", "TILE": "TileOptions",
    "RESHAPE": "ReshapeOptions",
}  # fmt: skip


class Made:
    """A file in the making: this project's layers between ends of another's."""

    def __init__(self, model: Model) -> None:
        self.graph, self.model, self.count = Graph(), model, 0
        self.shapes: dict[int, tuple[int, ...]] = {}
        self.side = model.spec.resolution

    def constant(self, values: Any, kind: Any = np.float32) -> int:
        data = np.array(values, kind)
        self.count += 1
        return self.graph.tensor(f"constant {self.count}", data.shape, data)

    def then(self, code: str, inputs: list[int], shape: tuple[int, ...], **options: Any) -> int:
        self.count += 1
        grid = options.pop("grid", None)
        result = self.graph.tensor(f"value {self.count}", shape, grid=grid)
        self.graph.operator(code, inputs, [result], **options)
        return result

    def parts(self, code: str, inputs: list[int], shape: tuple[int, ...], **options: Any) -> list[int]:
        """The three results of an operator that cuts its data apart."""
        names = [self.graph.tensor(f"{code} {place}", shape) for place in range(3)]
        self.graph.operator(code, inputs, names, **options)
        return names

    def image(self) -> tuple[int, int, int, int]:
        return 1, self.side, self.side, 3

    def start(self, shape: tuple[int, ...], kind: str = "float32") -> int:
        """The input; of bytes that stand for nothing where `kind` is uint8."""
        tensor = self.graph.tensor("image", shape, None, grid=None) if kind == "float32" else self._bytes(shape)
        self.graph.inputs = [tensor]
        return tensor

    def _bytes(self, shape: tuple[int, ...]) -> int:
        t, builder = self.graph._schema, self.graph._builder
        name, sizes = builder.CreateString("image"), builder.CreateNumpyVector(np.array(shape, np.int32))
        t.TensorStart(builder)
        t.TensorAddShape(builder, sizes)
        t.TensorAddType(builder, t.TensorType.UINT8)
        t.TensorAddBuffer(builder, 0)
        t.TensorAddName(builder, name)
        self.graph._tensors.append(t.TensorEnd(builder))
        return len(self.graph._tensors) - 1

    def save(self, path: Path, before: Ends | None, behind: Ends | None, activated: Ends | None = None) -> Path:
        value = before(self, 0) if before else self.start(self.image())
        weights = folded(self.model)
        for layer in layers(self.model.spec):
            if layer.kind == "pool" and behind is not None:
                value = behind(self, value)
                continue
            plain = activated is not None and bool(layer.norm)
            value = tflite_writer._layer(
                self.graph, layer, value, weights.get(layer.name), "none" if plain else self.model.spec.activation
            )
            out = layer.output
            self.shapes[value] = (1, out.height, out.width, out.channels)
            if activated is not None and layer.norm:
                value = activated(self, value)
        classes = (1, self.model.spec.classes)
        self.graph.outputs = [self.then("SOFTMAX", [value], classes, Beta=1.0)]
        path.write_bytes(self.graph.finish("network"))
        return path


def channels_first(made: Made, _: int) -> int:
    value = made.start((1, 3, made.side, made.side))
    return made.then("TRANSPOSE", [value, made.constant([0, 2, 3, 1], np.int32)], made.image())


def divided(made: Made, _: int) -> int:
    scaled = made.then("DIV", [made.start(made.image()), made.constant(127.5)], made.image())
    return made.then("SUB", [scaled, made.constant([1, 1, 1])], made.image())


def cast(made: Made, _: int) -> int:
    whole = made.then("CAST", [made.start(made.image(), "uint8")], made.image())
    scaled = made.then("MUL", [whole, made.constant(1 / 127.5)], made.image())
    return made.then("ADD", [scaled, made.constant(-1)], made.image())


def levels_of_unit(made: Made, _: int) -> int:
    grid = Grid(scales=np.array([1 / 255]), zero=-128)
    whole = made.then("QUANTIZE", [made.start(made.image())], made.image(), grid=grid)
    return made.then("DEQUANTIZE", [whole], made.image())


def levels_multiplied_by_single_numbers(made: Made, _: int) -> int:
    """As a quantised network computes on pixels: what it multiplies with and takes off are bytes without an axis."""
    raw, doubled, ready = (
        Grid(scales=np.array([scale]), zero=zero) for scale, zero in ((1, -128), (2 / 255, -128), (2 / 255, -1))
    )
    value = made.then("QUANTIZE", [made.start(made.image())], made.image(), grid=raw)
    for code, number, grid in (("MUL", 2 / 255, doubled), ("SUB", 127 * 2 / 255, ready)):
        factor = made.graph.tensor(
            code, (), np.array(127, np.int8), grid=Grid(scales=np.array([number / 255]), zero=-128)
        )
        value = made.then(code, [value, factor], made.image(), grid=grid)
    return made.then("DEQUANTIZE", [value], made.image())


def flipped(made: Made, _: int) -> int:
    return made.then("REVERSE_V2", [made.start(made.image()), made.constant([3], np.int32)], made.image())


def flipped_by_split(made: Made, _: int) -> int:
    axis, thin = made.constant(3, np.int32), (*made.image()[:3], 1)
    red, green, blue = made.parts("SPLIT", [axis, made.start(made.image())], thin, NumSplits=3)
    return made.then("CONCATENATION", [blue, green, red], made.image(), Axis=3)


def flipped_by_unpack(made: Made, _: int) -> int:
    red, green, blue = made.parts("UNPACK", [made.start(made.image())], made.image()[:3], Axis=3, Num=3)
    return made.then("PACK", [blue, green, red], made.image(), Axis=3, ValuesCount=3)


def flipped_by_a_slice(made: Made, _: int) -> int:
    ends = [made.constant(numbers, np.int32) for numbers in ([0] * 4, [0] * 4, [1, 1, 1, -1])]
    masks = {"BeginMask": 15, "EndMask": 15}
    return made.then("STRIDED_SLICE", [made.start(made.image()), *ends], made.image(), **masks)


def flipped_by_slices(made: Made, _: int) -> int:
    image, parts = made.start(made.image()), []
    for place in (-1, 1, 0):
        ends = [made.constant(numbers, np.int32) for numbers in ([0, 0, 0, place], [0, 0, 0, place + 1], [1] * 4)]
        masks = {"BeginMask": 7, "EndMask": 7, "ShrinkAxisMask": 8}
        parts.append(made.then("STRIDED_SLICE", [image, *ends], made.image()[:3], **masks))
    return made.then("PACK", parts, made.image(), Axis=3, ValuesCount=3)


def flipped_by_gather(made: Made, _: int) -> int:
    order = made.constant([2, 1, 0], np.int32)
    return made.then("GATHER", [made.start(made.image()), order], made.image(), Axis=3)


def grey(made: Made) -> int:
    return made.start((*made.image()[:3], 1))


def copied_by_concatenation(made: Made, _: int) -> int:
    return made.then("CONCATENATION", [grey(made)] * 3, made.image(), Axis=3)


def copied_by_tiles(made: Made, _: int) -> int:
    return made.then("TILE", [grey(made), made.constant([1, 1, 1, 3], np.int32)], made.image())


def copied_along_an_axis_more(made: Made, _: int) -> int:
    side = made.side
    five = made.then("RESHAPE", [grey(made), made.constant([1, side, side, 1, 1], np.int32)], (1, side, side, 1, 1))
    many = made.then("TILE", [five, made.constant([1, 1, 1, 1, 3], np.int32)], (1, side, side, 1, 3))
    return made.then("RESHAPE", [many, made.constant(made.image(), np.int32)], made.image())


def copied_by_places(made: Made, _: int) -> int:
    return made.then("GATHER", [grey(made), made.constant([0, 0, 0], np.int32)], made.image(), Axis=3)


def summed(made: Made, value: int) -> int:
    channels = layers(made.model.spec)[-1].input.channels
    total = made.then("SUM", [value, made.constant([1, 2], np.int32)], (1, channels), KeepDims=False)
    return made.then("MUL", [total, made.constant(1 / 4)], (1, channels))


def two_means(made: Made, value: int) -> int:
    channels = layers(made.model.spec)[-1].input.channels
    rows = made.then("MEAN", [value, made.constant([2], np.int32)], (1, 2, channels), KeepDims=False)
    return made.then("MEAN", [rows, made.constant([1], np.int32)], (1, channels), KeepDims=False)


def limited(made: Made, value: int) -> int:
    shape = made.shapes[value]
    raised = made.then("MAXIMUM", [value, made.constant(0)], shape)
    return made.then("MINIMUM", [raised, made.constant(6)], shape)


def unit(p: np.ndarray) -> np.ndarray:
    return p / 255


def signed(p: np.ndarray) -> np.ndarray:
    return (p - 127.5) / 127.5


FORMS: list[tuple[Ends | None, Ends | None, Ends | None, Callable[[np.ndarray], np.ndarray], float]] = [
    (channels_first, None, None, lambda p: signed(p).transpose(0, 3, 1, 2), 1e-4),
    (divided, None, None, lambda p: p, 1e-4),
    (cast, None, None, lambda p: p.astype(np.uint8), 1e-4),
    # Pixels over 255 are levels already, so that nothing is rounded.
    (levels_of_unit, None, None, unit, 1e-3),
    # The last level of 256 is one too few.
    (levels_multiplied_by_single_numbers, None, None, lambda p: p, 1e-3),
    *((edit, None, None, signed, 1e-4) for edit in (
        flipped, flipped_by_split, flipped_by_unpack, flipped_by_a_slice, flipped_by_slices, flipped_by_gather,
        copied_by_concatenation, copied_by_tiles, copied_along_an_axis_more, copied_by_places)),
    (None, summed, None, signed, 1e-4),
    (None, two_means, None, signed, 1e-4),
    (None, None, limited, signed, 1e-4),
]  # fmt: skip


@pytest.mark.parametrize(("before", "behind", "activated", "fed", "allowed"), FORMS)
def test_a_file_gives_the_probabilities_of_its_own_runtime(
    small_model: SmallModel,
    litert: Peer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    before: Ends | None,
    behind: Ends | None,
    activated: Ends | None,
    fed: Callable[[np.ndarray], np.ndarray],
    allowed: float,
) -> None:
    for code, table in TABLES.items():
        monkeypatch.setitem(tflite_builder._OPTIONS, code, table)
    model = small_model(seed=4, resolution=64, padding="same")
    path = Made(model).save(tmp_path / "network.tflite", before, behind, activated)
    found = tflite.read(path)
    images = pixels(found, 3)
    expected = litert(path, fed(images.astype(np.float64)))
    assert np.abs(reference.run(found, images).probabilities - expected).max() < allowed


def test_a_picture_that_is_turned_upside_down_is_refused(
    small_model: SmallModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for code, table in TABLES.items():
        monkeypatch.setitem(tflite_builder._OPTIONS, code, table)
    model = small_model(padding="same")

    def upside_down(made: Made, _: int) -> int:
        return made.then("REVERSE_V2", [made.start(made.image()), made.constant([1], np.int32)], made.image())

    with pytest.raises(Refused, match="takes a part of its data, or turns it"):
        tflite.read(Made(model).save(tmp_path / "network.tflite", upside_down, None))


def test_arrays_that_no_operator_reads_are_named(
    small_model: SmallModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(tflite_builder._OPTIONS, "REVERSE_V2", TABLES["REVERSE_V2"])

    def with_another_head(made: Made, _: int) -> int:
        made.constant(np.zeros((7, 64)))
        return flipped(made, _)

    path = Made(small_model(padding="same")).save(tmp_path / "network.tflite", with_another_head, None)
    assert unread(tflite.read(path)) == "read by no operation and left out: 'constant 1' (7x64)"


def test_a_file_for_a_coral_is_refused_with_the_way_out(
    small_model: SmallModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plain = Graph._code

    def code(graph: Graph, name: str) -> int:
        if name != "CUSTOM":
            return plain(graph, name)
        t, builder = graph._schema, graph._builder
        text = builder.CreateString("edgetpu-custom-op")
        t.OperatorCodeStart(builder)
        t.OperatorCodeAddBuiltinCode(builder, t.BuiltinOperator.CUSTOM)
        t.OperatorCodeAddDeprecatedBuiltinCode(builder, t.BuiltinOperator.CUSTOM)
        t.OperatorCodeAddCustomCode(builder, text)
        return int(t.OperatorCodeEnd(builder))

    monkeypatch.setattr(Graph, "_code", code)
    monkeypatch.setitem(tflite_builder._OPTIONS, "CUSTOM", "AddOptions")

    def whole(made: Made, _: int) -> int:
        return made.then("CUSTOM", [made.start(made.image())], made.image())

    path = Made(small_model()).save(tmp_path / "network_edgetpu.tflite", whole, None)

    with pytest.raises(Refused, match=r"\(edgetpu-custom-op\) is all that Coral's compiler left.* was given$"):
        tflite.read(path)


def test_a_git_lfs_pointer_is_named_with_the_command_that_fetches_the_file(tmp_path: Path) -> None:
    (tmp_path / "network.lite").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    from depthwise.interop import formats

    with pytest.raises(Refused, match="is a Git LFS pointer, not the file itself; run: git lfs pull"):
        formats.read(str(tmp_path / "network.lite"))


def test_an_int8_network_fed_with_real_numbers_is_kept_with_the_levels_that_its_first_operator_states(
    small_model: SmallModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for code, table in TABLES.items():
        monkeypatch.setitem(tflite_builder._OPTIONS, code, table)
    path = Made(small_model(padding="same")).save(tmp_path / "network.tflite", levels_of_unit, None)
    found = tflite.read(path, Given(labels=("a", "b", "c")))
    assert found.preprocessing.mean == (0.0,) * 3
    assert found.preprocessing.scale == pytest.approx((1 / 255,) * 3)
    assert json.loads(json.dumps(dict(found.provenance)))["preprocessing"]["pixels"] == "read"
