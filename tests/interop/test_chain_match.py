"""Chains against the table of layers: which network they are, and the first layer that does not fit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from depthwise.errors import Refused
from depthwise.interop.chain import (
    Affine,
    Chain,
    Clamp,
    Convolution,
    Dense,
    Levels,
    Norm,
    Pad,
    Pool,
    Reshape,
    Saturation,
    Softmax,
)
from depthwise.interop.match import to_model, width_of
from depthwise.interop.norms import EXACT_EPSILON, EXACT_VARIANCE
from depthwise.interop.source import Given, Source
from depthwise.network import reference
from depthwise.network.layers import Padding, layers
from depthwise.network.model import Model
from depthwise.network.spec import BLOCKS, STEM_CHANNELS, Spec, scaled
from depthwise.network.weights import NORM_FIELDS
from tools.foreign import pixels, same_weights

SOURCE = Source(name="a file", format="onnx", sha256="0" * 64)
SmallModel = Callable[..., Model]


def chain_of(model: Model, *, norms: bool = True) -> Chain:
    """The chain that a file with this network would be read into."""
    spec = model.spec
    chain = Chain(height=spec.resolution, width=spec.resolution, channels=spec.channels)
    for place, row in enumerate(layers(spec)):
        where = f"operator {place}"
        if row.norm:
            weight = model.weights[f"{row.name}.weight"]
            depthwise = row.kind == "depthwise"
            stride = (row.stride, row.stride)
            chain.add(Convolution(where=where, weight=weight, stride=stride, padding=row.padding, depthwise=depthwise))
            if norms:
                weight, bias, mean, variance = (model.weights[f"{row.norm}.{part}"] for part in NORM_FIELDS)
                epsilon = spec.bn_epsilon
                chain.add(Norm(where=where, weight=weight, bias=bias, mean=mean, variance=variance, epsilon=epsilon))
            chain.add(Clamp(where=where, low=0, high=6 if spec.activation == "relu6" else math.inf))
        elif row.kind == "pool":
            chain.add(Pool(where=where))
        else:
            weight, bias = model.weights["classifier.weight"], model.weights["classifier.bias"]
            chain.add(Dense(where=where, weight=weight, bias=bias))
    chain.add(Softmax(where="the last operator"))
    return chain


def changed(model: Model, place: int, **fields: Any) -> Chain:
    """The chain of a model with one operation changed."""
    chain = chain_of(model)
    chain.operations[place] = replace(chain.operations[place], **fields)
    return chain


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"width": 0.35, "resolution": 75},
        {"width": 0.3333, "channels": 1},
        {"width": 1.75, "shallow": True},
        {"padding": "same", "resolution": 75},
        {"padding": "keras", "resolution": 99, "width": 0.35, "rounding": "cut-off"},
        {"padding": "end", "resolution": 51, "width": 0.1, "rounding": "cut-off"},
        {"convolution": "standard"},
        {"convolution": "standard", "shallow": True, "activation": "relu"},
        {"unit_strides": (0, 2), "resolution": 33},
        {"bn_epsilon": 1e-3, "activation": "relu", "classes": 2},
    ],
)
def test_a_chain_of_every_form_becomes_its_own_network_with_the_same_weights(
    small_model: SmallModel, fields: dict[str, Any]
) -> None:
    model = small_model(seed=1, **fields)
    found = to_model(chain_of(model), SOURCE)
    assert layers(found.spec) == layers(model.spec)
    assert replace(found.spec, width=model.spec.width) == model.spec
    assert same_weights(found, model)


@pytest.mark.parametrize("width", [0.03, 0.25, 0.3, 0.35, 0.5, 0.58, 0.75, 1.0, 1.25, 1.4, 2.0, 7.9])
def test_a_width_of_two_digits_is_found_again_or_one_that_makes_the_same_channels(width: float) -> None:
    bases = [STEM_CHANNELS, *(channels for _, channels in BLOCKS)]
    found = width_of([(base, scaled(base, width)) for base in bases])
    assert [scaled(base, found) for base in bases] == [scaled(base, width) for base in bases]
    assert len(f"{found:g}") <= len(f"{width:g}")


def test_channels_that_no_width_makes_are_refused_at_the_first_layer_that_differs(small_model: SmallModel) -> None:
    model = small_model()
    rng = np.random.default_rng(0)
    # 11 channels are Keras's 32 * 0.35, cut off; but then the blocks would have other channels, too.
    chain = changed(model, 0, weight=rng.normal(0, 1, (11, 3, 3, 3)).astype(np.float32))
    with pytest.raises(Refused, match=r"operator 0: its weight has shape \(8,\)"):
        to_model(chain, SOURCE)
    first = chain.operations[1]
    assert isinstance(first, Norm)
    eleven = np.ones(11, np.float32)
    chain.operations[1] = replace(first, weight=eleven, bias=eleven, mean=eleven, variance=eleven)
    with pytest.raises(
        Refused, match=r"operator 1 is a 3x3 .* to 8 channels .*; at blocks.0.0.conv_dw MobileNet V1 has"
    ):
        to_model(chain, SOURCE)


def test_folded_batch_normalisation_becomes_one_that_does_nothing_exactly(small_model: SmallModel) -> None:
    model = small_model()
    found = to_model(chain_of(model, norms=False), SOURCE)
    assert found.spec.bn_epsilon == EXACT_EPSILON
    # In float32 as in float64, and for whatever computes 1 / sqrt(variance + epsilon).
    assert np.float32(EXACT_VARIANCE) + np.float32(EXACT_EPSILON) == np.float32(1)
    assert np.float64(np.float32(EXACT_VARIANCE)) + EXACT_EPSILON == 1.0
    ones = found.weights["bn1.weight"]
    assert (ones == 1).all()
    assert (found.weights["bn1.running_var"] == np.float32(EXACT_VARIANCE)).all()
    assert np.array_equal(found.weights["conv_stem.weight"], model.weights["conv_stem.weight"])


def test_a_bias_before_batch_normalisation_goes_into_its_mean_and_a_scale_after_it_into_its_weight(
    small_model: SmallModel,
) -> None:
    model = small_model()
    rng = np.random.default_rng(5)
    bias, scale, shift = (rng.uniform(0.5, 1.5, 8).astype(np.float32) for _ in range(3))
    chain = changed(model, 0, bias=bias)
    chain.operations.insert(2, Affine(where="a scale", scale=scale, shift=shift))
    found = to_model(chain, SOURCE)
    norm = {part: model.weights[f"bn1.{part}"].astype(np.float64) for part in NORM_FIELDS}
    assert np.allclose(found.weights["bn1.running_mean"], norm["running_mean"] - bias, rtol=1e-6)
    assert np.allclose(found.weights["bn1.weight"], norm["weight"] * scale, rtol=1e-6)
    assert np.allclose(found.weights["bn1.bias"], norm["bias"] * scale + shift, rtol=1e-6)


def test_two_epsilons_in_one_file_become_one_without_changing_what_is_computed(small_model: SmallModel) -> None:
    model = small_model()
    chain = changed(model, 4, epsilon=1e-2)
    found = to_model(chain, SOURCE)
    assert found.spec.bn_epsilon == 1e-5
    x = np.random.default_rng(0).normal(0, 1, (1, 4, 4, 8))
    doubles = {name: array.astype(np.float64) for name, array in model.weights.items()}
    ours = {name: array.astype(np.float64) for name, array in found.weights.items()}
    expected = reference.normalise_batch(x, doubles, "blocks.0.0.bn1", 1e-2)
    assert np.allclose(reference.normalise_batch(x, ours, "blocks.0.0.bn1", 1e-5), expected, rtol=1e-6)


def test_a_pad_before_a_convolution_is_its_padding(small_model: SmallModel) -> None:
    model = small_model(padding="same", resolution=96)
    chain = changed(model, 0, padding=Padding())
    chain.operations.insert(0, Pad(where="a pad", padding=Padding(bottom=1, right=1)))
    assert to_model(chain, SOURCE).spec.padding == "same"


@pytest.mark.parametrize("sides", [(1, 0, 1, 0), (1, 1, 1, 1)])
def test_zeros_that_no_window_meets_do_not_make_another_network(
    small_model: SmallModel, sides: tuple[int, int, int, int]
) -> None:
    """A window of 3 at stride 2 that begins one before an image of 64 never reaches the row behind it."""
    top, bottom, left, right = sides
    chain = changed(small_model(resolution=64), 0, padding=Padding(top=top, bottom=bottom, left=left, right=right))
    assert to_model(chain, SOURCE).spec.padding == "symmetric"


def test_a_file_without_classifier_gets_one_of_zeros_and_says_so(small_model: SmallModel) -> None:
    chain = chain_of(small_model())
    del chain.operations[-2:]
    found = to_model(chain, replace(SOURCE, given=Given(labels=("a", "b", "c", "d"))))
    assert (found.spec.classes, found.labels) == (4, ("a", "b", "c", "d"))
    assert not found.weights["classifier.weight"].any()
    assert "train" in found.provenance["classifier"]
    assert to_model(chain, SOURCE).spec.classes == 2


@pytest.mark.parametrize(("reach", "activation"), [(5.9998, "relu6"), (11.0, "relu"), (3.0, "relu")])
def test_quantised_ranges_stand_for_the_activation_where_there_is_none(
    small_model: SmallModel, reach: float, activation: str
) -> None:
    chain = chain_of(small_model())
    chain.operations = [
        Saturation(where=operation.where, levels=Levels(scale=reach / 255, zero=0))
        if isinstance(operation, Clamp)
        else operation
        for operation in chain.operations
    ]
    assert to_model(chain, SOURCE).spec.activation == activation


def test_operations_before_the_first_convolution_are_the_preprocessing(small_model: SmallModel) -> None:
    chain = chain_of(small_model())
    chain.operations.insert(0, Affine(where="a scale", scale=np.array(1 / 127.5), shift=np.array(-1.0)))
    found = to_model(chain, SOURCE).preprocessing
    assert found.mean == pytest.approx((127.5,) * 3)
    assert found.scale == pytest.approx((1 / 127.5,) * 3)
    # Means and deviations of pixels from 0 to 1, as torchvision has them.
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    chain.operations[0] = Affine(where="a scale", scale=1 / deviation, shift=-mean / deviation)
    found = to_model(chain, SOURCE).preprocessing
    assert found.mean == pytest.approx(tuple(mean * 255))
    assert found.scale == pytest.approx(tuple(1 / deviation / 255))


def test_what_the_user_gives_comes_before_what_the_file_says(small_model: SmallModel) -> None:
    given = Given(labels=("x", "y", "x"), mean=(10.0,), scale=(0.5, 0.25, 0.125))
    source = replace(SOURCE, given=given, labels=("a", "b", "c"), mean=(1.0,), scale=(1.0,))
    found = to_model(chain_of(small_model()), source)
    assert found.labels == ("x (0)", "y", "x (2)")
    assert found.preprocessing.mean == (10.0, 10.0, 10.0)
    assert found.preprocessing.scale == (0.5, 0.25, 0.125)
    assert to_model(chain_of(small_model()), replace(source, given=Given())).labels == ("a", "b", "c")


REFUSED: list[tuple[int, dict[str, Any], str]] = [
    (0, {"stride": (1, 2)}, r"operator 0 is a 3x3 convolution of 3 channels to 8 channels with stride 1x2"),
    (3, {"depthwise": False}, r"operator 1 is a 3x3 convolution of 1 channels"),
    (3, {"stride": (2, 2)}, r"operator 1 is a 3x3 depthwise .* stride 2x2; at blocks.0.0.conv_dw MobileNet V1 has"),
    (0, {"padding": Padding()}, r"operator 0 pads 0, 0, 0, 0 .*; at conv_stem MobileNet V1 pads 1, 1, 1, 1"),
    (5, {"high": 3}, r"operator 1 has an activation from 0 to 3; MobileNet V1 has ReLU6 or ReLU"),
    (5, {"high": math.inf}, r"operator 1 has relu where those before have relu6"),
    (1, {"epsilon": 0.0}, r"operator 0 has epsilon 0.0; it must be above 0"),
    (-3, {"kernel": (3, 3)}, r"operator 27 is over 3x3; MobileNet V1 takes the mean of the whole 1x1"),
    (-2, {"weight": np.zeros((3, 5), np.float32)}, r"operator 28 takes 5 features and the last block gives 256"),
    (-2, {"bias": np.zeros(4, np.float32)}, r"operator 28: its bias has shape \(4,\) for 3 channels"),
]


@pytest.mark.parametrize(("place", "fields", "sentence"), REFUSED)
def test_the_first_operation_that_does_not_fit_is_named(
    small_model: SmallModel, place: int, fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        to_model(changed(small_model(), place, **fields), SOURCE)


def test_operations_out_of_place_are_named(small_model: SmallModel) -> None:
    def refusal(place: int, operation: Any) -> str:
        chain = chain_of(small_model())
        chain.operations.insert(place, operation)
        with pytest.raises(Refused) as refused:
            to_model(chain, SOURCE)
        return str(refused.value)

    assert "a turn stands before the global average pool" in refusal(3, Reshape(where="a turn"))
    assert "a limit stands outside the convolutions" in refusal(0, Clamp(where="a limit", low=0, high=6))
    assert "a mean stands twice" in refusal(len(chain_of(small_model()).operations), Pool(where="a mean"))
    assert "a pad pads what is no convolution's input" in refusal(2, Pad(where="a pad", padding=Padding(top=1)))
    late = Affine(where="a scale", scale=np.array(2.0), shift=np.array(0.0))
    assert "a scale stands after the activation of operator 0" in refusal(3, late)
    assert "a limit is an activation behind operator 28" in refusal(-1, Clamp(where="a limit", low=0, high=6))
    assert "is a second softmax behind" in refusal(len(chain_of(small_model()).operations), Softmax(where="a softmax"))


def test_a_file_that_ends_early_or_late_names_the_layer(small_model: SmallModel) -> None:
    model = small_model()
    chain = chain_of(model)
    del chain.operations[72:]
    with pytest.raises(Refused, match=r"the file ends before layer blocks.4.0.conv_pw, a 1x1 convolution"):
        to_model(chain, SOURCE)
    with pytest.raises(Refused, match="the file holds no convolution before a pool"):
        to_model(Chain(height=32, width=32, channels=3), SOURCE)


def test_images_that_are_not_square_and_contradicting_resolutions_are_refused(small_model: SmallModel) -> None:
    chain = chain_of(small_model())
    with pytest.raises(Refused, match="the file takes images of 32 pixels, not 64"):
        to_model(chain, replace(SOURCE, given=Given(resolution=64)))
    chain.width = 48
    with pytest.raises(Refused, match="the input is 32x48"):
        to_model(chain, SOURCE)
    chain.width = chain.height = None
    assert to_model(chain, SOURCE).spec.resolution == 224
    assert to_model(chain, replace(SOURCE, given=Given(resolution=64))).spec.resolution == 64


def test_a_spec_that_this_project_wrote_keeps_its_spelling_only_where_it_is_the_same_network(
    small_model: SmallModel,
) -> None:
    model = small_model(width=0.3333)
    own = {"spec": model.spec.to_dict()}
    assert to_model(chain_of(model), SOURCE).spec.width != 0.3333
    assert to_model(chain_of(model), replace(SOURCE, own=own)).spec == model.spec
    lying = {"spec": Spec(width=0.5, resolution=32, classes=3).to_dict()}
    assert to_model(chain_of(model), replace(SOURCE, own=lying)).spec.width != 0.5


def test_the_imported_network_computes_what_the_chain_says(small_model: SmallModel) -> None:
    model = small_model(width=0.5, resolution=40)
    found = to_model(chain_of(model), replace(SOURCE, given=Given(mean=(128.0,), scale=(1 / 64,))))
    images = pixels(model, 2)
    assert np.array_equal(reference.run(found, images).logits, reference.run(model, images).logits)
