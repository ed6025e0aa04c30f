"""What provably never changes: ranges against the oracle, and networks without dead channels byte for byte."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthwise.network import reference, reference_int8
from depthwise.network.folding import fold
from depthwise.network.layers import layers
from depthwise.network.live import Live, live
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.requantize import requantize
from depthwise.network.shrink import fold_without_dead, without_dead
from depthwise.network.spec import Spec

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

SPECS = [
    Spec(width=0.25, resolution=33, classes=3, channels=1, padding="same"),
    Spec(width=0.25, resolution=32, classes=5, unit_strides=(0, 2)),
    Spec(width=0.25, resolution=38, classes=2, convolution="standard", shallow=True),
]
VWW = "vww_96_int8.tflite"


def images(spec: Spec, count: int = 3, seed: int = 0) -> Pixels:
    """Noise, and the extremes: all 0, all 255, and chequered at one and at three pixels."""
    shape = (spec.resolution, spec.resolution, spec.channels)
    rows, columns = np.indices(shape[:2])
    boards = [((rows // side + columns // side) % 2 * 255)[..., None].repeat(spec.channels, 2) for side in (1, 3)]
    noise = np.random.default_rng(seed).integers(0, 256, (count, *shape))
    return np.concatenate([noise, np.stack([np.zeros(shape), np.full(shape, 255), *boards])]).astype(np.uint8)


def with_dead_channels(model: QuantizedModel, seed: int = 0) -> QuantizedModel:
    """The same with a third of all channels far below their clamp, far above it, or with weights of 0."""
    rng = np.random.default_rng(seed)
    made = {}
    for layer in layers(model.spec):
        numbers, N = model.layers[layer.name], layer.output.channels
        fate = rng.choice(4, N, p=[2 / 3, 1 / 9, 1 / 9, 1 / 9])
        weight, bias = numbers.weight.copy(), numbers.bias.copy()
        if layer.kind not in ("pool", "classifier"):
            reach = 255 * 128 * max(1, weight[0].size) + 2**20
            bias[fate == 1], bias[fate == 2] = -reach, reach
            weight[fate == 3] = 0
        made[layer.name] = dataclasses.replace(numbers, weight=weight, bias=bias)
    return model.replace(layers=made)


def assert_same_bytes(model: QuantizedModel, pixels: Pixels) -> Live:
    """Walk the whole network and the smaller one, and compare every byte that is kept, and the logits."""
    found = live(model)
    small = without_dead(model, found)
    x, border = pixels, model.border
    for row, step in zip(found.layers, reference_int8.walk(model, pixels), strict=True):
        numbers = small[row.layer.name]
        acc = reference_int8.accumulate(row.layer, numbers, x, border)
        if step.output is None:
            assert np.array_equal(
                reference_int8.logits(numbers, acc), reference_int8.logits(step.numbers, step.acc)[..., row.outputs]
            )
            continue
        x = requantize(acc, numbers.multiplier, numbers.zero_point, low=numbers.low, high=numbers.high)
        border = (numbers.zero_point,) * row.layer.output.channels
        assert np.array_equal(x, step.output[..., row.outputs]), row.layer.name
        assert row.layer.output.channels == len(row.outputs)
    return found


def assert_ranges_of_the_oracle(model: QuantizedModel) -> None:
    """Every range, from the oracle's own sums: of positive weights over the one end, negative ones over the other."""
    found = live(model)
    spec, border = model.spec, model.border
    ends = [np.full((1, spec.resolution, spec.resolution, spec.channels), end, np.uint8) for end in (0, 255)]
    for layer, row in zip(layers(spec), found.layers, strict=True):
        numbers = model.layers[layer.name]
        no_bias = dataclasses.replace(numbers, bias=np.zeros_like(numbers.bias))
        positive = dataclasses.replace(numbers, weight=np.maximum(numbers.weight, 0))
        negative = dataclasses.replace(no_bias, weight=np.minimum(numbers.weight, 0))
        reached = []
        for one, other in (ends, ends[::-1]):
            acc = reference_int8.accumulate(layer, positive, one, border)
            if layer.kind != "pool":
                acc = acc + reference_int8.accumulate(layer, negative, other, border)
            reached.append(acc)
        assert np.array_equal(row.sums.low, reached[0].min(axis=(0, 1, 2))), layer.name
        assert np.array_equal(row.sums.high, reached[1].max(axis=(0, 1, 2))), layer.name
        shape = (1, layer.output.height, layer.output.width, layer.output.channels)
        ends = [np.broadcast_to(end, shape).astype(np.uint8) for end in row.values]
        border = (numbers.zero_point,) * layer.output.channels


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_ranges_are_those_of_the_oracles_sums(spec: Spec) -> None:
    assert_ranges_of_the_oracle(random_quantized(spec, 6, hidden_zero_points=True, rounded=True))
    assert_ranges_of_the_oracle(with_dead_channels(random_quantized(spec, 6)))


def assert_within(model: QuantizedModel, pixels: Pixels, found: Live) -> None:
    """Every accumulator and byte of the whole network lies in the range that is claimed for its channel."""
    for row, step in zip(found.layers, reference_int8.walk(model, pixels), strict=True):
        assert (step.acc >= row.sums.low).all(), row.layer.name
        assert (step.acc <= row.sums.high).all(), row.layer.name
        if step.output is not None:
            assert (step.output >= row.values.low).all(), row.layer.name
            assert (step.output <= row.values.high).all(), row.layer.name


@pytest.mark.parametrize("spec", SPECS, ids=repr)
@pytest.mark.parametrize("shifted", [False, True], ids=["zero points 0", "any zero points"])
def test_a_network_without_its_dead_channels_gives_the_same_bytes(spec: Spec, shifted: bool) -> None:
    model = with_dead_channels(random_quantized(spec, 5, hidden_zero_points=shifted, rounded=shifted), seed=1)
    found = assert_same_bytes(model, images(spec))

    assert_within(model, images(spec), found)
    kept, whole = (sum(row.output.channels for row in table) for table in (found.table, layers(spec)))
    assert kept < (0.9 if shifted else 0.75) * whole
    assert [row.kind for row in found.table] == [row.kind for row in layers(spec)]
    assert all(after.input == before.output for before, after in zip(found.table, found.table[1:], strict=False))


def test_random_weights_lose_nothing() -> None:
    spec = SPECS[1]

    assert live(random_quantized(spec, 2)).table == layers(spec)


@pytest.mark.parametrize("name", [VWW, "person_detect.tflite", "vww_96_int8_qdq.onnx"])
def test_published_networks_without_their_dead_channels_give_the_same_bytes(
    name: str, data_pack: Callable[[str], Path]
) -> None:
    model = published(name, data_pack)
    found = assert_same_bytes(model, np.concatenate([images(model.spec), photos(model, data_pack)]))

    assert_within(model, images(model.spec, seed=1), found)
    assert_ranges_of_the_oracle(model)


def test_visual_wake_words_keeps_half_of_its_multiply_adds(data_pack: Callable[[str], Path]) -> None:
    model = published(VWW, data_pack)
    table = live(model).table
    macs = [sum(row.output.size * row.kernel**2 * factor(row) for row in rows) for rows in (layers(model.spec), table)]

    assert macs == [7_489_664, 3_727_313]
    assert table[-1].input.channels == 22
    assert table[0].output.channels == 8


def factor(row: Any) -> int:
    """Input channels under one kernel; a pool has no products."""
    return int({"pool": 0, "depthwise": 1}.get(row.kind, row.input.channels))


def published(name: str, data_pack: Callable[[str], Path]) -> QuantizedModel:
    """A published int8 network, kept to the integer."""
    for needed in ("tflite", "onnx"):
        pytest.importorskip(needed, reason=f"{needed} is not installed; published networks are not read")
    from depthwise.interop.formats import read_int8
    from depthwise.interop.source import Given

    path = data_pack("models") / name
    if not path.is_file():
        pytest.skip(f"{name} is not among the published networks; its dead channels are not checked")
    return read_int8(str(path), Given())


def photos(model: QuantizedModel, data_pack: Callable[[str], Path], count: int = 8) -> Pixels:
    """Real photographs as the network's pixels."""
    from PIL import Image

    spec = model.spec
    files = sorted(data_pack("photos").glob("*.JPEG"))[:count]
    made = [
        np.asarray(Image.open(file).convert("RGB" if spec.channels == 3 else "L").resize((spec.resolution,) * 2))
        for file in files
    ]
    return np.stack(made).reshape(-1, spec.resolution, spec.resolution, spec.channels)


def test_the_ends_of_the_first_layers_ranges_are_reached_by_an_image() -> None:
    spec = Spec(width=0.25, resolution=32, classes=2)
    model = random_quantized(spec, 3)
    row, numbers = live(model).layers[0], model.layers["conv_stem"]
    for channel in range(row.layer.output.channels):
        weight = numbers.weight[channel].transpose(1, 2, 0)
        pixels = np.zeros((2, 32, 32, 3), np.uint8)
        # Under the kernel of output (5, 5), the pixel that pulls each weight's way.
        pixels[0, 9:12, 9:12] = np.where(weight > 0, 255, 0)
        pixels[1, 9:12, 9:12] = np.where(weight < 0, 255, 0)
        high, low = reference_int8.accumulate(layers(spec)[0], numbers, pixels, model.border)[:, 5, 5, channel]

        # Places on the border meet other bytes and may reach further.
        assert high <= row.sums.high[channel]
        assert low >= row.sums.low[channel]
        inside = dataclasses.replace(model, border=(0, 0, 0))
        assert live(inside).layers[0].sums.high[channel] == high


def test_a_constant_that_differs_from_the_border_is_kept_where_a_kernel_meets_the_border() -> None:
    spec = Spec(width=0.25, resolution=32, classes=2)
    model = random_quantized(spec, 3)
    stem = model.layers["conv_stem"]
    bias, weight = stem.bias.copy(), stem.weight.copy()
    weight[:2] = 0
    # Channel 0 is always 255, channel 1 always 0, which is also the byte of the border.
    bias[:2] = 10**6, -(10**6)
    changed = model.replace(layers={**model.layers, "conv_stem": dataclasses.replace(stem, weight=weight, bias=bias)})
    found = live(changed)

    assert found.layers[0].values.low[:2].tolist() == [255, 0]
    assert found.layers[0].outputs.tolist() == [0, 2, 3, 4, 5, 6, 7]
    assert 1 not in found.layers[1].outputs
    assert_same_bytes(changed, images(spec))


def test_a_channel_that_can_change_by_one_step_is_kept() -> None:
    """Its lowest sum gives 0 and its highest just 1: one bias less, and it is constant."""
    spec = Spec(width=0.25, resolution=32, classes=2)
    model = random_quantized(spec, 3)
    name = "blocks.0.0.conv_pw"
    layer, row = model.layers[name], live(model).layers[2]
    multiplier = np.full_like(layer.multiplier, 2.0**-20)
    bias = layer.bias.copy()
    # 2**19 is the half that goes to the even 0, one more goes to 1.
    bias[3] += 2**19 + 1 - row.sums.high[3]

    def outputs(step: int) -> list[int]:
        moved = bias.copy()
        moved[3] += step
        layer_ = dataclasses.replace(layer, multiplier=multiplier, bias=moved)
        changed = live(model.replace(layers={**model.layers, name: layer_})).layers[2]
        return [int(changed.values.low[3]), int(changed.values.high[3]), int(3 in changed.outputs)]

    assert outputs(0) == [0, 1, 1]
    assert outputs(-1) == [0, 0, 0]


def test_what_feeds_only_weights_of_zero_is_dropped() -> None:
    spec = Spec(width=0.25, resolution=32, classes=4, unit_strides=(0, 2))
    model = random_quantized(spec, 4)
    name = "blocks.4.1.conv_pw"
    weight = model.layers[name].weight.copy()
    weight[:, 1:] = 0
    changed = model.replace(layers={**model.layers, name: dataclasses.replace(model.layers[name], weight=weight)})
    found = assert_same_bytes(changed, images(spec))

    assert [row.input.channels for row in found.table[-4:-2]] == [1, 1]
    assert found.table[-5].output.channels == 1


def test_features_that_no_label_reads_are_kept_because_a_user_may() -> None:
    spec = Spec(width=0.25, resolution=32, classes=4, unit_strides=(0, 2))
    model = random_quantized(spec, 4)
    last = model.layers["classifier"]
    weight = last.weight.copy()
    weight[:, 1:] = 0
    changed = model.replace(layers={**model.layers, "classifier": dataclasses.replace(last, weight=weight)})

    assert live(changed).table[-1].input.channels == live(model).table[-1].input.channels == 256


def test_a_network_whose_answer_never_changes_is_still_a_chain() -> None:
    spec = Spec(width=0.25, resolution=32, classes=4, unit_strides=(0, 2))
    model = random_quantized(spec, 4)
    name = "blocks.4.1.conv_pw"
    weight = np.zeros_like(model.layers[name].weight)
    changed = model.replace(layers={**model.layers, name: dataclasses.replace(model.layers[name], weight=weight)})
    found = assert_same_bytes(changed, images(spec))

    assert [row.output.channels for row in found.table[-4:]] == [1, 1, 1, 4]


# In float32 ------------------------------------------------------------------------------------------------------


def float_model(small_model: Callable[..., Model], **fields: Any) -> Model:
    """Random weights, where a third of all channels is far below 0, or has a normalisation of nothing but 0."""
    model = small_model(3, classes=4, labels=tuple("abcd"), **fields)
    rng = np.random.default_rng(9)
    weights = dict(model.weights)
    for layer in layers(model.spec):
        if layer.norm:
            fate = rng.choice(3, layer.output.channels, p=[0.7, 0.2, 0.1])
            shift, scale = (weights[f"{layer.norm}.{part}"].copy() for part in ("bias", "weight"))
            shift[fate == 1] = -1000 * rng.uniform(1, 2, (fate == 1).sum())
            shift[fate == 2], scale[fate == 2] = 0, 0
            weights |= {f"{layer.norm}.bias": shift, f"{layer.norm}.weight": scale}
    return model.replace(weights=weights)


@pytest.mark.parametrize("activation", ["relu6", "relu"])
@pytest.mark.parametrize("convolution", ["separable", "standard"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropped_channels_of_a_float_network_are_exactly_zero_or_unread(
    small_model: Callable[..., Model], activation: str, convolution: str, dtype: str
) -> None:
    model = float_model(small_model, activation=activation, convolution=convolution)
    found = live(model)
    answer = reference.run(model, images(model.spec), dtype=dtype, keep=True)

    dropped = 0
    for row in found.layers:
        activations = answer.activations[row.layer.name]
        assert (activations >= row.values.low).all()
        assert (activations <= row.values.high).all()
        zero = (row.values.low == 0) & (row.values.high == 0)
        assert not activations[..., zero].any()
        dropped += activations.shape[-1] - len(row.outputs)
    assert dropped > 100


@pytest.mark.parametrize("convolution", ["separable", "standard"])
def test_a_float_network_without_its_dead_channels_gives_the_same_logits(
    small_model: Callable[..., Model], convolution: str
) -> None:
    model = float_model(small_model, convolution=convolution)
    found = live(model)
    small = fold_without_dead(model, found)
    pixels = images(model.spec)
    x: Any = pixels - np.array(model.preprocessing.mean)
    for layer in found.table:
        if layer.kind == "pool":
            x = reference.pool(x)
            continue
        weight, bias = small[layer.name]
        if layer.kind == "classifier":
            x = x @ weight.T + bias
            continue
        compute = reference.depthwise if layer.kind == "depthwise" else reference.convolution
        x = reference.activate(compute(x, weight, layer.stride, layer.padding) + bias, model.spec.activation)

    expected = reference.run(model, pixels).logits
    assert np.abs(expected - x[:, 0, 0]).max() <= 1e-10 * np.abs(expected).max()


def test_a_float_channel_that_rounding_could_lift_above_zero_is_kept(small_model: Callable[..., Model]) -> None:
    """The shift takes away the highest sum: in real numbers it is never above 0, in float32 it may be."""
    model = small_model(3)
    high = live(model).layers[0].sums.high[2]

    exact = sums_of_the_stem(model)[2]
    assert high > exact

    def is_zero(shift: float) -> bool:
        bias = model.weights["bn1.bias"].astype(np.float64)
        bias[2] -= shift
        moved = {**model.weights, "bn1.bias": bias.astype(np.float32)}
        return bool(live(model.replace(weights=moved)).layers[0].values.high[2] == 0)

    assert not is_zero(exact)
    assert not is_zero(exact * (1 + 1e-6))
    assert is_zero(exact * (1 + 1e-4))


def sums_of_the_stem(model: Model) -> np.ndarray[Any, Any]:
    """(N,) the highest sum of each channel away from the border, in real numbers."""
    weight, bias = fold(model)["conv_stem"]
    mean = np.array(model.preprocessing.mean)[None, :, None, None]
    best: np.ndarray[Any, Any] = np.maximum(weight * (255 - mean), weight * -mean).sum(axis=(1, 2, 3)) + bias
    return best


def test_a_positive_constant_of_a_float_network_is_kept(small_model: Callable[..., Model]) -> None:
    """Folding it would round the bias that takes it up in another way."""
    model = small_model(3)
    shift = model.weights["blocks.0.0.bn1.bias"].copy()
    shift[5] = 10_000
    found = live(model.replace(weights={**model.weights, "blocks.0.0.bn1.bias": shift}))

    assert (found.layers[1].values.low[5], found.layers[1].values.high[5]) == (6, 6)
    assert 5 in found.layers[1].outputs
