"""The oracle against loops that anyone can check by eye. tests/cloud/test_oracle.py compares it with PyTorch."""

from __future__ import annotations

import itertools
import math
import tracemalloc
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest

from depthwise.errors import Refused
from depthwise.network import layers as table
from depthwise.network import reference
from depthwise.network.layers import Layer, Padding, layers
from depthwise.network.model import Model
from depthwise.network.preprocessing import Preprocessing
from depthwise.network.reference import INPUT, TOGETHER
from depthwise.network.spec import Spec

PADDINGS = [
    Padding(),
    Padding(top=1, bottom=1, left=1, right=1),
    Padding(bottom=1, right=1),
    # No network has this one; it shows a mistaken side.
    Padding(top=2, bottom=0, left=1, right=3),
]
SPECS = {
    "usual": {},
    "odd, grey, relu": {"resolution": 33, "channels": 1, "activation": "relu"},
    "same": {"padding": "same", "bn_epsilon": 1e-3},
    "same, odd, shallow": {"padding": "same", "resolution": 35, "shallow": True},
    "keras, odd, cut off": {"padding": "keras", "resolution": 51, "width": 0.1, "rounding": "cut-off"},
    "unit strides": {"unit_strides": (0, 12), "shallow": True},
    "standard": {"convolution": "standard", "width": 0.1},
    "standard, same, grey": {"convolution": "standard", "width": 0.1, "padding": "same", "channels": 1},
}


def naive_convolution(x: Any, weight: Any, stride: int, pad: Padding, groups: int) -> Any:
    """The textbook's sum, one output at a time: out(y, x, n) = sum of in(y s + i, x s + j, c) w(n, c, i, j)."""
    B, H, W, _ = x.shape
    N, per_group, K, _ = weight.shape
    height, width = (H + pad.top + pad.bottom - K) // stride + 1, (W + pad.left + pad.right - K) // stride + 1
    out = np.zeros((B, height, width, N))
    for b, y, column, n in itertools.product(range(B), range(height), range(width), range(N)):
        first = n // (N // groups) * per_group
        for c, i, j in itertools.product(range(per_group), range(K), range(K)):
            row, col = y * stride + i - pad.top, column * stride + j - pad.left
            if 0 <= row < H and 0 <= col < W:
                out[b, y, column, n] += x[b, row, col, first + c] * weight[n, c, i, j]
    return out


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", PADDINGS, ids=str)
@pytest.mark.parametrize(("height", "width", "kernel"), [(5, 7, 3), (4, 6, 3), (3, 3, 1), (3, 8, 3)])
def test_a_convolution_is_the_sum_of_the_textbook(
    height: int, width: int, kernel: int, padding: Padding, stride: int
) -> None:
    rng = np.random.default_rng(height * width)
    x, weight = rng.normal(size=(2, height, width, 3)), rng.normal(size=(4, 3, kernel, kernel))

    expected = naive_convolution(x, weight, stride, padding, groups=1)
    np.testing.assert_allclose(reference.convolution(x, weight, stride, padding), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", PADDINGS, ids=str)
@pytest.mark.parametrize(("height", "width"), [(5, 7), (4, 6), (3, 8)])
def test_a_depthwise_convolution_is_the_sum_of_the_textbook_in_each_channel_alone(
    height: int, width: int, padding: Padding, stride: int
) -> None:
    rng = np.random.default_rng(height * width)
    x, weight = rng.normal(size=(2, height, width, 5)), rng.normal(size=(5, 1, 3, 3))

    expected = naive_convolution(x, weight, stride, padding, groups=5)
    np.testing.assert_allclose(reference.depthwise(x, weight, stride, padding), expected, rtol=0, atol=1e-13)


def naive_network(model: Model, pixels: Any) -> dict[str, Any]:
    """Every layer, each number by itself, in Python's own floats where that is not too slow."""
    weights = {name: array.astype(np.float64) for name, array in model.weights.items()}
    mean, scale = model.preprocessing.mean, model.preprocessing.scale
    x = np.stack([(pixels[..., c] - mean[c]) * scale[c] for c in range(len(mean))], axis=-1)
    found = {INPUT: x}
    for layer in layers(model.spec):
        weight = weights.get(f"{layer.name}.weight")
        if layer.kind == "pool":
            flat = x.reshape(len(x), -1, x.shape[-1])
            x = np.array(
                [[math.fsum(flat[b, :, c]) / flat.shape[1] for c in range(x.shape[-1])] for b in range(len(x))]
            )
            x = x[:, None, None]
        elif layer.kind == "classifier":
            x = np.array([[math.fsum(image[0, 0] * row) for row in weights["classifier.weight"]] for image in x])[
                :, None, None
            ]
            x = x + weights["classifier.bias"]
        else:
            x = direct_convolution(x, weight, layer)
            for c in range(layer.output.channels):
                gamma, beta, average, variance = (
                    float(weights[f"{layer.norm}.{part}"][c])
                    for part in ("weight", "bias", "running_mean", "running_var")
                )
                y = gamma * (x[..., c] - average) / math.sqrt(variance + model.spec.bn_epsilon) + beta
                x[..., c] = np.where(y > 0, np.where((y > 6) & (model.spec.activation == "relu6"), 6, y), 0)
        found[layer.name] = x
    return found


def direct_convolution(x: Any, weight: Any, layer: Layer) -> Any:
    """One output pixel at a time, with the sum over its window as one product of arrays."""
    pad, stride, K = layer.padding, layer.stride, layer.kernel
    out = np.zeros((len(x), layer.output.height, layer.output.width, layer.output.channels))
    for y, column in itertools.product(range(layer.output.height), range(layer.output.width)):
        for i, j in itertools.product(range(K), range(K)):
            row, col = y * stride + i - pad.top, column * stride + j - pad.left
            if not (0 <= row < x.shape[1] and 0 <= col < x.shape[2]):
                continue
            if layer.kind == "depthwise":
                out[:, y, column] += x[:, row, col] * weight[:, 0, i, j]
            else:
                out[:, y, column] += np.einsum("bc,nc->bn", x[:, row, col], weight[:, :, i, j])
    return out


@pytest.mark.parametrize("fields", SPECS.values(), ids=SPECS)
def test_every_layer_of_every_form_of_network_equals_plain_loops(
    fields: dict[str, Any], small_model: Callable[..., Model]
) -> None:
    model = small_model(seed=3, **fields)
    pixels = some_pixels(model.spec, 2)
    expected = naive_network(model, pixels)
    result = reference.run(model, pixels, keep=True)

    assert list(expected) == list(result.activations)
    for name, activation in expected.items():
        np.testing.assert_allclose(result.activations[name], activation, rtol=0, atol=1e-10, err_msg=name)


def test_answers_are_the_logits_their_softmax_and_the_pooled_features(small_model: Callable[..., Model]) -> None:
    model = small_model(resolution=40, classes=5, width=0.5)
    result = reference.run(model, some_pixels(model.spec, 3), keep=True)
    powers = [[math.exp(logit) for logit in row] for row in result.logits]

    assert result.logits.shape == (3, 5)
    assert result.features.shape == (3, 512)
    np.testing.assert_allclose(result.probabilities, [[p / sum(row) for p in row] for row in powers], atol=1e-15)
    np.testing.assert_array_equal(result.features, result.activations["global_pool"][:, 0, 0])
    np.testing.assert_array_equal(result.logits, result.activations["classifier"][:, 0, 0])


def test_activations_are_kept_only_when_asked_for(small_model: Callable[..., Model]) -> None:
    model = small_model()

    assert reference.run(model, some_pixels(model.spec, 1)).activations == {}


def test_a_batch_gives_what_its_images_give_alone(small_model: Callable[..., Model]) -> None:
    model = small_model()
    pixels = some_pixels(model.spec, TOGETHER + 1)
    alone = np.concatenate([reference.run(model, image[None]).logits for image in pixels])

    np.testing.assert_allclose(reference.run(model, pixels).logits, alone, rtol=0, atol=1e-13)


@pytest.mark.parametrize("fields", SPECS.values(), ids=SPECS)
def test_float32_agrees_with_the_definition_to_its_own_rounding(
    fields: dict[str, Any], small_model: Callable[..., Model]
) -> None:
    model = small_model(**fields)
    pixels = some_pixels(model.spec, 2)
    exact, rounded = reference.run(model, pixels), reference.run(model, pixels, dtype=np.float32)

    assert {rounded.logits.dtype, rounded.probabilities.dtype, rounded.features.dtype} == {np.dtype(np.float32)}
    np.testing.assert_allclose(rounded.probabilities, exact.probabilities, rtol=0, atol=1e-5)


def test_each_channel_has_its_own_mean_and_scale() -> None:
    record = Preprocessing(resize=32, crop=32, mean=(10, 20, 30), scale=(0.5, 0.25, 2))
    pixels = np.array([[[[0, 0, 0], [10, 20, 30], [255, 24, 31]]]], np.uint8)

    assert reference.normalise(pixels, record).tolist() == [[[[-5, -5, -60], [0, 0, 0], [122.5, 1, 2]]]]


def test_pixels_are_normalised_before_they_are_padded(small_model: Callable[..., Model]) -> None:
    """A frame of zeros stands round the normalised image: an image of the mean is zero everywhere, border included."""
    model = small_model().replace(
        preprocessing=Preprocessing(resize=37, crop=32, mean=(10, 20, 30), scale=(0.5, 0.25, 2))
    )
    result = reference.run(model, np.broadcast_to(np.array([10, 20, 30], np.uint8), (1, 32, 32, 3)), keep=True)
    stem = result.activations["conv_stem"]

    assert not result.activations[INPUT].any()
    assert (stem == stem[0, 0, 0]).all()


@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        ([0.0, 0.0], [0.5, 0.5]),
        ([1000.0, 1000.0, 1000.0 + math.log(2)], [0.25, 0.25, 0.5]),
        ([-1e4, 0.0], [0.0, 1.0]),
    ],
)
def test_softmax_does_not_overflow(logits: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(reference.softmax(np.array([logits])), [expected], rtol=1e-12)


@pytest.mark.parametrize(
    ("x", "relu6", "relu"), [(-1.0, 0.0, 0.0), (0.0, 0.0, 0.0), (5.5, 5.5, 5.5), (6.0, 6.0, 6.0), (7.0, 6.0, 7.0)]
)
def test_activations_clip_where_their_names_say(x: float, relu6: float, relu: float) -> None:
    assert relu6 == reference.activate(np.array([x]), "relu6")[0]
    assert relu == reference.activate(np.array([x]), "relu")[0]


def test_an_activation_of_another_name_is_refused() -> None:
    with pytest.raises(Refused, match=r"^activation is 'swish'; the oracle knows relu6 and relu$"):
        reference.activate(np.zeros(1), "swish")


@pytest.mark.parametrize(
    ("pixels", "found"),
    [
        (np.zeros((1, 32, 32, 3), np.float32), r"float32 of shape \(1, 32, 32, 3\)"),
        (np.zeros((32, 32, 3), np.uint8), r"uint8 of shape \(32, 32, 3\)"),
        (np.zeros((1, 3, 32, 32), np.uint8), r"uint8 of shape \(1, 3, 32, 32\)"),
        (np.zeros((0, 32, 32, 3), np.uint8), r"uint8 of shape \(0, 32, 32, 3\)"),
    ],
)
def test_pixels_of_another_shape_or_type_are_refused(
    pixels: Any, found: str, small_model: Callable[..., Model]
) -> None:
    with pytest.raises(Refused, match=f"^pixels are {found}; this network takes .* shape \\(images, 32, 32, 3\\)$"):
        reference.run(small_model(), pixels)


def test_another_type_to_compute_in_is_refused(small_model: Callable[..., Model]) -> None:
    with pytest.raises(Refused, match=r"^dtype is float16; the oracle computes in float32 or float64$"):
        reference.run(small_model(), np.zeros((1, 32, 32, 3), np.uint8), dtype=np.float16)


def test_a_kind_that_the_oracle_does_not_know_is_refused_by_name(
    small_model: Callable[..., Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    strange: Any = "attention"
    stranger = table.Layer(
        name="attention", kind=strange, input=layers(Spec())[0].input, output=layers(Spec())[0].output
    )
    monkeypatch.setattr(reference, "layers", lambda spec: (stranger,))

    with pytest.raises(Refused, match=r"^layer attention: the oracle has no form for kind attention$"):
        reference.run(small_model(), np.zeros((1, 32, 32, 3), np.uint8))


def test_every_kind_of_layer_occurs_in_the_networks_tested_here(small_model: Callable[..., Model]) -> None:
    kinds = {layer.kind for fields in SPECS.values() for layer in layers(small_model(**fields).spec)}

    assert set(get_args(table.Kind)) == kinds == set(table.KINDS)


def some_pixels(spec: Spec, images: int) -> Any:
    shape = (images, spec.resolution, spec.resolution, spec.channels)
    return np.random.default_rng(images).integers(0, 256, shape, dtype=np.uint8)


# ---- memory


@pytest.mark.parametrize("fields", [{"width": 1.0, "resolution": 128}, {"width": 0.25, "convolution": "standard"}])
def test_no_more_memory_is_taken_than_is_counted_on(small_model: Callable[..., Model], fields: dict[str, Any]) -> None:
    model = small_model(**{"resolution": 256, **fields})
    side, channels = model.spec.resolution, model.spec.channels
    largest = max(layer.input.size + layer.output.size for layer in layers(model.spec))
    weights = sum(array.nbytes for array in model.weights.values())
    tracemalloc.start()
    reference.run(model, np.zeros((1, side, side, channels), np.uint8))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < reference.COPIES * largest * 8 + 3 * weights


def test_a_network_whose_answers_would_take_gigabytes_is_refused() -> None:
    assert reference.together(Spec()) == TOGETHER
    assert 1 <= reference.together(Spec(resolution=512)) < TOGETHER
    with pytest.raises(Refused, match=r"at 4096 pixels and width 0.01 would take 3\.\d GB of memory"):
        reference.together(Spec(resolution=4096, width=0.01))
