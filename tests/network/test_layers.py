"""The table of layers against the paper's Table 1, the padding rules of TensorFlow and PyTorch, and timm's names."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthwise.errors import Refused
from depthwise.network.layers import KINDS, Layer, Padding, Shape, layers
from depthwise.network.spec import PADDINGS, STRIDED, Spec
from depthwise.network.weights import expected_weights, weight_shape

SPECS = st.builds(
    Spec,
    width=st.floats(0.01, 2),
    resolution=st.integers(32, 400),
    classes=st.integers(2, 2000),
    channels=st.sampled_from([1, 3]),
    padding=st.sampled_from(PADDINGS),
    convolution=st.sampled_from(["separable", "standard"]),
    shallow=st.booleans(),
    unit_strides=st.lists(st.sampled_from(STRIDED)).map(tuple),
)

# arXiv:1704.04861 Table 1, body architecture, row by row as printed: stride, filters, input size. The stride of the
# last depthwise row is printed as 2, where the 7x7 sizes beside it need 1.
TABLE_1 = """
Conv    / s2   3x3x3x32       224x224x3
Conv dw / s1   3x3x32 dw      112x112x32
Conv    / s1   1x1x32x64      112x112x32
Conv dw / s2   3x3x64 dw      112x112x64
Conv    / s1   1x1x64x128     56x56x64
Conv dw / s1   3x3x128 dw     56x56x128
Conv    / s1   1x1x128x128    56x56x128
Conv dw / s2   3x3x128 dw     56x56x128
Conv    / s1   1x1x128x256    28x28x128
Conv dw / s1   3x3x256 dw     28x28x256
Conv    / s1   1x1x256x256    28x28x256
Conv dw / s2   3x3x256 dw     28x28x256
Conv    / s1   1x1x256x512    14x14x256
Conv dw / s1   3x3x512 dw     14x14x512
Conv    / s1   1x1x512x512    14x14x512
Conv dw / s1   3x3x512 dw     14x14x512
Conv    / s1   1x1x512x512    14x14x512
Conv dw / s1   3x3x512 dw     14x14x512
Conv    / s1   1x1x512x512    14x14x512
Conv dw / s1   3x3x512 dw     14x14x512
Conv    / s1   1x1x512x512    14x14x512
Conv dw / s1   3x3x512 dw     14x14x512
Conv    / s1   1x1x512x512    14x14x512
Conv dw / s2   3x3x512 dw     14x14x512
Conv    / s1   1x1x512x1024   7x7x512
Conv dw / s1   3x3x1024 dw    7x7x1024
Conv    / s1   1x1x1024x1024  7x7x1024
Pool    / s1   7x7            7x7x1024
FC      / s1   1024x1000      1x1x1024
"""

SIXTEEN = list(itertools.product([1.0, 0.75, 0.5, 0.25], [224, 192, 160, 128]))

# The names of timm 1.0.31's mobilenetv1_100: stages of 1, 2, 2, 6 and 2 blocks.
TIMM_BLOCKS = [f"blocks.{stage}.{index}" for stage, count in enumerate((1, 2, 2, 6, 2)) for index in range(count)]


def printed(layer: Layer, alpha: float) -> str:
    """A layer as the paper prints it, with the channels of the full width."""
    kind = {"stem": "Conv", "pointwise": "Conv", "depthwise": "Conv dw", "pool": "Pool", "classifier": "FC"}[layer.kind]

    def full(channels: int) -> int:
        return channels if channels == 3 else round(channels / alpha)

    inside, outside, K = full(layer.input.channels), full(layer.output.channels), layer.kernel
    filters = {
        "depthwise": f"{K}x{K}x{inside} dw",
        "pool": f"{K}x{K}",
        "classifier": f"{inside}x{layer.output.channels}",
    }.get(layer.kind, f"{K}x{K}x{inside}x{outside}")
    return f"{kind} / s{layer.stride} {filters} {layer.input.height}x{layer.input.width}x{inside}"


def scaled_row(row: str, resolution: int) -> list[str]:
    """A row of Table 1 with its sizes at another resolution; all of them are the resolution over a power of two."""
    *words, shape = row.split()
    height, _, channels = shape.split("x")
    size = 1 if height == "1" else int(height) * resolution // 224
    if words[0] == "Pool":
        words[-1] = f"{size}x{size}"
    return [*words, f"{size}x{size}x{channels}"]


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize(("alpha", "resolution"), SIXTEEN)
def test_all_sixteen_networks_have_the_shapes_of_the_papers_table_1(
    alpha: float, resolution: int, padding: str
) -> None:
    table = layers(Spec(width=alpha, resolution=resolution, padding=padding))

    assert [scaled_row(row, resolution) for row in TABLE_1.strip().splitlines()] == [
        printed(layer, alpha).split() for layer in table
    ]


@settings(max_examples=60)
@given(SPECS)
def test_each_layer_reads_what_the_one_before_it_writes(spec: Spec) -> None:
    table = layers(spec)

    assert Shape(height=spec.resolution, width=spec.resolution, channels=spec.channels) == table[0].input
    assert Shape(height=1, width=1, channels=spec.classes) == table[-1].output
    assert all(before.output == after.input for before, after in itertools.pairwise(table))
    assert {layer.kind for layer in table} <= set(KINDS)


@settings(max_examples=60)
@given(SPECS)
def test_names_are_unique_and_so_are_those_of_arrays(spec: Spec) -> None:
    table = layers(spec)
    names = [layer.name for layer in table] + [layer.norm for layer in table if layer.norm]

    assert len(set(names)) == len(names)
    assert {name.rsplit(".", 1)[0] for name in expected_weights(spec)} == set(names) - {"global_pool"}


def test_names_are_those_of_timm() -> None:
    expected = ["conv_stem", *(f"{block}.conv_{kind}" for block in TIMM_BLOCKS for kind in ("dw", "pw"))]
    norms = ["bn1", *(f"{block}.bn{number}" for block in TIMM_BLOCKS for number in (1, 2))]
    table = layers(Spec())

    assert [*expected, "global_pool", "classifier"] == [layer.name for layer in table]
    assert [*norms, "", ""] == [layer.norm for layer in table]


def test_the_twin_has_one_standard_convolution_in_the_place_of_each_block() -> None:
    spec = Spec(width=0.5, resolution=96)
    separable, twin = layers(spec), layers(spec.twin())
    blocks = zip(separable[1:-2:2], separable[2:-2:2], strict=True)

    assert (separable[0], *separable[-2:]) == (twin[0], *twin[-2:])
    assert [(dw.input, pw.output, dw.stride, dw.padding, 3, "standard") for dw, pw in blocks] == [
        (row.input, row.output, row.stride, row.padding, row.kernel, row.kind) for row in twin[1:-2]
    ]


def test_the_shallow_network_leaves_out_five_blocks_at_14x14x512_and_nothing_else() -> None:
    """Source: arXiv:1704.04861 section 4.1, Table 5."""
    deep, shallow = layers(Spec()), layers(Spec(shallow=True))
    left_out = [row for row in deep if row.name not in {kept.name for kept in shallow}]

    assert len(left_out) == 10
    assert {Shape(height=14, width=14, channels=512)} == {s for row in left_out for s in (row.input, row.output)}
    assert [row for row in deep if row not in left_out] == list(shallow)


# The strided layers are the stem and the first block of each stage but the first.
@pytest.mark.parametrize(
    ("number", "name"), list(zip(STRIDED, ["conv_stem", *(f"blocks.{s}.0.conv_dw" for s in (1, 2, 3, 4))], strict=True))
)
def test_a_unit_stride_changes_the_stride_of_its_own_layer_only(number: int, name: str) -> None:
    usual, changed = layers(Spec(resolution=64)), layers(Spec(resolution=64, unit_strides=(number,)))

    assert [name] == [a.name for a, b in zip(usual, changed, strict=True) if a.stride != b.stride]
    assert 2 * usual[-2].kernel == changed[-2].kernel
    assert expected_weights(Spec(resolution=64)) == expected_weights(Spec(resolution=64, unit_strides=(number,)))


# (size, stride) -> (output, zeros before, zeros after): what TensorFlow's SAME gives for a kernel of 3, from the rule
# in tensorflow/core/framework/kernel_shape_util.cc; 224 at stride 2 is the (0, 1) that Keras spells out.
@pytest.mark.parametrize(
    ("size", "stride", "expected"),
    [
        (224, 2, (112, 0, 1)),
        (225, 2, (113, 1, 1)),
        (224, 1, (224, 1, 1)),
        (7, 1, (7, 1, 1)),
        (7, 2, (4, 1, 1)),
        (2, 2, (1, 0, 1)),
    ],
)
def test_same_padding_is_tensorflows(size: int, stride: int, expected: tuple[int, int, int]) -> None:
    assert expected == convolution_at(size, stride, "same")


# One pixel never meets stride 2: 32 pixels, the fewest, are 2 before the last halving.
SIZES = [(size, stride) for stride in (1, 2) for size in (*range(stride, 20), 31, 112, 225)]


@pytest.mark.parametrize(("size", "stride"), SIZES)
def test_same_padding_is_the_least_that_covers_the_image_with_the_odd_zero_last(size: int, stride: int) -> None:
    out, before, after = convolution_at(size, stride, "same")

    assert math.ceil(size / stride) == out
    assert before + size + after == (out - 1) * stride + 3
    assert after - before in (0, 1)


@pytest.mark.parametrize(("size", "stride"), SIZES)
def test_symmetric_padding_is_pytorchs(size: int, stride: int) -> None:
    """Source: the shape rule in the documentation of torch.nn.Conv2d with kernel_size 3 and padding 1."""
    expected = math.floor((size + 2 * 1 - 1 * (3 - 1) - 1) / stride + 1)

    assert (expected, 1, 1) == convolution_at(size, stride, "symmetric")


@pytest.mark.parametrize(("size", "stride"), SIZES)
def test_end_padding_is_one_zero_behind_the_image_before_a_convolution_without_padding(size: int, stride: int) -> None:
    """Source: the shape rule of a window of 3 without padding, on an image that ZeroPadding2D((0, 1)) made longer."""
    expected = ((size + 1 - 3) // 2 + 1, 0, 1) if stride == 2 else (size, 1, 1)

    assert expected == convolution_at(size, stride, "end")


# What keras.applications.MobileNet of Keras 3.15 makes: its first convolution has padding "same", its blocks of stride
# 2 have a ZeroPadding2D of (0, 1) and padding "valid".
@pytest.mark.parametrize(
    ("resolution", "sides"),
    [
        (50, [25, 12, 6, 3, 1]),
        (100, [50, 25, 12, 6, 3]),
        (150, [75, 37, 18, 9, 4]),
        (200, [100, 50, 25, 12, 6]),
        (224, [112, 56, 28, 14, 7]),
        (299, [150, 75, 37, 18, 9]),
    ],
)
def test_keras_padding_gives_the_sides_that_keras_has(resolution: int, sides: list[int]) -> None:
    strided = [row for row in layers(Spec(resolution=resolution, padding="keras")) if row.stride == 2]

    assert sides == [row.output.height for row in strided]
    assert {(0, 1, 0, 1)} == {
        (row.padding.top, row.padding.bottom, row.padding.left, row.padding.right) for row in strided[1:]
    }


def test_end_padding_is_keras_padding_with_a_stem_that_is_padded_at_the_end_too() -> None:
    keras, end = (layers(Spec(resolution=99, padding=padding)) for padding in ("keras", "end"))

    assert (keras[0].padding, end[0].padding) == (Padding(top=1, bottom=1, left=1, right=1), Padding(bottom=1, right=1))
    assert layers(Spec(resolution=98, padding="keras")) == layers(Spec(resolution=98, padding="end"))


@pytest.mark.parametrize(("alpha", "first"), [(0.1, (3, 6, 12, 25, 51, 102)), (0.35, (11, 22, 44, 89, 179, 358))])
def test_cut_off_channels_are_those_that_keras_makes(alpha: float, first: tuple[int, ...]) -> None:
    """Source: `int(filters * alpha)` of keras.applications.MobileNet, for the channels of the paper's Table 1."""
    table = layers(Spec(width=alpha, rounding="cut-off"))
    made = [row.output.channels for row in table if row.kind in ("stem", "pointwise")]

    assert list(first) == sorted(set(made))
    assert first == tuple(int(filters * alpha) for filters in (32, 64, 128, 256, 512, 1024))


def convolution_at(size: int, stride: int, padding: str) -> tuple[int, int, int]:
    """Output size and padding of the first layer of that input size and stride, found in the tables of networks."""
    for resolution, unit in itertools.product(range(32, 260), ((), STRIDED)):
        for layer in layers(Spec(width=0.01, resolution=resolution, padding=padding, unit_strides=unit)):
            if (layer.kernel, layer.stride, layer.input.height) == (3, stride, size) and layer.kind != "pool":
                pad = layer.padding
                assert (pad.top, pad.bottom) == (pad.left, pad.right)
                assert layer.output.height == layer.output.width
                return layer.output.height, pad.top, pad.bottom
    raise AssertionError(f"no network up to 260 pixels has a 3x3 convolution of stride {stride} on {size} pixels")


def test_only_convolutions_of_three_by_three_are_padded() -> None:
    for layer in layers(Spec(padding="same")):
        if layer.kernel == 1 or layer.kind == "pool":
            assert Padding() == layer.padding


def test_weights_have_the_shapes_of_pytorch() -> None:
    """A convolution is (out, in / groups, height, width), a linear layer (out, in)."""
    shapes = expected_weights(Spec(width=0.5, classes=10, channels=1))
    twin = expected_weights(Spec(width=0.5, convolution="standard"))

    assert shapes["conv_stem.weight"] == (16, 1, 3, 3)
    assert shapes["blocks.0.0.conv_dw.weight"] == (16, 1, 3, 3)
    assert shapes["blocks.0.0.conv_pw.weight"] == (32, 16, 1, 1)
    assert twin["blocks.0.0.conv.weight"] == (32, 16, 3, 3)
    assert shapes["classifier.weight"] == (10, 512)
    assert shapes["classifier.bias"] == (10,)
    assert shapes["blocks.0.0.bn2.running_var"] == (32,)


def test_a_pool_has_no_weights_and_says_so() -> None:
    pool = layers(Spec())[-2]

    with pytest.raises(Refused, match=r"^layer global_pool: a pool has no weights$"):
        weight_shape(pool)
