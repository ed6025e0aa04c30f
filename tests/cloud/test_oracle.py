"""The oracle against PyTorch: the same weights, the same pixels, the same numbers within 1e-5."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from depthwise.cloud.module import clamped, normalise, to_network, to_weights
from depthwise.edge.decoding import decode
from depthwise.edge.pixels import prepare
from depthwise.network import reference
from depthwise.network.layers import layers
from depthwise.network.model import Model
from depthwise.network.preprocessing import Preprocessing
from depthwise.network.spec import Spec

TOLERANCE = 1e-5
# A spread over everything that a spec may say, the whole size once.
SPREAD: dict[str, dict[str, Any]] = {
    "the paper's network": {"width": 1.0, "resolution": 224, "classes": 1000},
    "as Keras has it": {"resolution": 128, "padding": "same", "bn_epsilon": 1e-3, "classes": 1000},
    "smallest": {"width": 0.01, "resolution": 32, "classes": 2},
    "odd": {"resolution": 97, "width": 0.5},
    "odd, same": {"resolution": 101, "padding": "same", "width": 0.5},
    "odd, keras, cut off": {"resolution": 75, "padding": "keras", "width": 0.35, "rounding": "cut-off"},
    "odd, end": {"resolution": 75, "padding": "end"},
    "grey, relu": {"channels": 1, "activation": "relu", "resolution": 48},
    "small images": {"resolution": 64, "unit_strides": (0,), "width": 0.5},
    "every stride 1, shallow": {"resolution": 32, "unit_strides": (0, 2, 4, 6, 12), "shallow": True},
    "a width that rounds": {"width": 0.35, "resolution": 65},
    "wider than the paper's": {"width": 1.4, "resolution": 40, "shallow": True},
    "twin": {"convolution": "standard", "resolution": 49},
    "twin, same, grey": {"convolution": "standard", "resolution": 50, "padding": "same", "channels": 1},
}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small are slower on many threads, and far slower where the machine is busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def some_pixels(spec: Spec, images: int = 2) -> Any:
    shape = (images, spec.resolution, spec.resolution, spec.channels)
    return np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("fields", SPREAD.values(), ids=SPREAD)
def test_the_oracle_equals_pytorch(fields: dict[str, Any], small_model: Callable[..., Model]) -> None:
    """In 32 bits, and in 64, which leave rounding out: what is left would be a difference in meaning."""
    model = small_model(seed=2, **fields)
    pixels = some_pixels(model.spec)
    expected = reference.run(model, pixels)

    assert expected.probabilities.std() > 1e-5
    for dtype, tolerance in ((torch.float32, TOLERANCE), (torch.float64, 1e-12)):
        network = to_network(model).to(dtype)
        with torch.inference_mode():
            features = network.features(normalise(torch.from_numpy(pixels), model.preprocessing).to(dtype))
            logits = network.classifier(features)
            probabilities = F.softmax(logits, dim=1)
        for ours, theirs in (
            (expected.features, features),
            (expected.logits, logits),
            (expected.probabilities, probabilities),
        ):
            np.testing.assert_allclose(theirs.numpy(), ours, rtol=tolerance, atol=tolerance, err_msg=str(dtype))


def written_out(model: Model, pixels: Any) -> dict[str, Any]:
    """The same network from PyTorch's own functions, without our module, layer by layer in float64."""
    spec, weights = model.spec, {name: torch.from_numpy(array).double() for name, array in model.weights.items()}
    mean, scale = (torch.tensor(v, dtype=torch.float64) for v in (model.preprocessing.mean, model.preprocessing.scale))
    x = ((torch.from_numpy(pixels).double() - mean) * scale).permute(0, 3, 1, 2)
    found = {}
    for layer in layers(spec):
        if layer.kind == "pool":
            x = F.adaptive_avg_pool2d(x, 1)
        elif layer.kind == "classifier":
            x = F.linear(x.flatten(1), weights["classifier.weight"], weights["classifier.bias"])[:, :, None, None]
        else:
            pad = layer.padding
            x = nn.ZeroPad2d((pad.left, pad.right, pad.top, pad.bottom))(x)
            groups = layer.input.channels if layer.kind == "depthwise" else 1
            x = F.conv2d(x, weights[f"{layer.name}.weight"], stride=layer.stride, groups=groups)
            mean, variance, scale, shift = (
                weights[f"{layer.norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
            )
            x = F.batch_norm(x, mean, variance, scale, shift, eps=spec.bn_epsilon)
            x = F.relu6(x) if spec.activation == "relu6" else F.relu(x)
        found[layer.name] = x.permute(0, 2, 3, 1).numpy()
    return found


@pytest.mark.parametrize("fields", list(SPREAD.values())[2:], ids=list(SPREAD)[2:])
def test_every_layer_of_the_oracle_equals_pytorchs_own_functions(
    fields: dict[str, Any], small_model: Callable[..., Model]
) -> None:
    model = small_model(seed=4, **fields)
    pixels = some_pixels(model.spec)
    activations = reference.run(model, pixels, keep=True).activations

    for name, theirs in written_out(model, pixels).items():
        np.testing.assert_allclose(theirs, activations[name], rtol=0, atol=1e-11, err_msg=name)


def test_same_padding_is_what_pytorch_itself_calls_same_where_it_has_it(small_model: Callable[..., Model]) -> None:
    """PyTorch has padding="same" for stride 1 only; there it is symmetric."""
    model = small_model(padding="same", unit_strides=(0,))
    x = reference.normalise(some_pixels(model.spec), model.preprocessing)
    stem = layers(model.spec)[0]
    weight = model.weights["conv_stem.weight"].astype(np.float64)
    theirs = F.conv2d(torch.from_numpy(x).permute(0, 3, 1, 2), torch.from_numpy(weight), padding="same")

    ours = reference.convolution(x, weight, stem.stride, stem.padding)
    np.testing.assert_allclose(theirs.permute(0, 2, 3, 1).numpy(), ours, rtol=0, atol=1e-12)


def test_normalised_pixels_are_those_of_training(small_model: Callable[..., Model]) -> None:
    model = small_model()
    record = Preprocessing(resize=37, crop=32, mean=(123.675, 116.28, 103.53), scale=(0.0171, 0.0175, 0.0174))
    pixels = some_pixels(model.spec)
    theirs = normalise(torch.from_numpy(pixels), record).permute(0, 2, 3, 1).numpy()

    np.testing.assert_array_equal(reference.normalise(pixels, record, np.float32), theirs)
    np.testing.assert_allclose(theirs, reference.normalise(pixels, record), rtol=1e-6, atol=1e-6)


def test_weights_go_into_the_module_and_come_back_unchanged(small_model: Callable[..., Model]) -> None:
    model = small_model(convolution="standard", width=0.1)
    back = to_weights(to_network(model))

    assert set(model.weights) == set(back)
    assert all(np.array_equal(array, back[name]) for name, array in model.weights.items())


def test_the_oracle_equals_pytorch_on_photos(
    data_pack: Callable[[str], Path], small_model: Callable[..., Model]
) -> None:
    files = sorted(data_pack("odd-sizes").glob("*.[jJ]*"))[:12]
    model = small_model(width=0.5, resolution=96, classes=10)
    record = model.preprocessing
    pixels = np.stack([prepare(decode(file), resize=record.resize, crop=record.crop) for file in files])
    with torch.inference_mode():
        logits = to_network(model)(normalise(torch.from_numpy(pixels), record)).numpy()

    assert len(files) == 12
    np.testing.assert_allclose(logits, reference.run(model, pixels).logits, rtol=TOLERANCE, atol=TOLERANCE)


def test_values_are_clamped_in_place_with_the_gradient_of_hardtanh() -> None:
    """At the bounds themselves there is no gradient, in torch's own as in ours."""
    x = torch.tensor([-1.0, 0.0, 0.5, 5.9, 6.0, 7.0])
    found, gradients = [], []
    for clamp in (clamped, lambda values: F.hardtanh(values, 0.0, 6.0)):
        leaf = x.clone().requires_grad_()
        out = clamp(leaf * 1)
        (out * torch.arange(1.0, 7.0)).sum().backward()
        found.append(out.detach())
        assert leaf.grad is not None
        gradients.append(leaf.grad.tolist())

    assert found[0].tolist() == found[1].tolist() == [0.0, 0.0, 0.5, pytest.approx(5.9), 6.0, 6.0]
    assert gradients[0] == gradients[1] == [0, 0, 3, 4, 0, 0]
