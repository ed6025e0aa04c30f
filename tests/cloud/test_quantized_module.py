"""What quantisation-aware training computes against the int8 oracle, on every byte of every layer."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from depthwise.cloud.module import normalise
from depthwise.cloud.quantized_module import QuantizedNetwork, to_quantized
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.reference_int8 import run, walk
from depthwise.network.requantize import Reach, requantize, thresholds
from depthwise.network.spec import Spec

CASES: list[tuple[dict[str, Any], dict[str, bool]]] = [
    ({"resolution": 32, "classes": 3}, {}),
    (
        {"resolution": 35, "classes": 4, "padding": "same"},
        {"hidden_zero_points": True, "rounded": True, "weight_zero_points": True},
    ),
    ({"resolution": 51, "padding": "keras", "width": 0.1, "rounding": "cut-off"}, {"hidden_zero_points": True}),
    ({"resolution": 33, "classes": 3, "channels": 1, "unit_strides": (0,)}, {}),
    ({"resolution": 32, "classes": 2, "convolution": "standard", "shallow": True}, {}),
    ({"resolution": 32, "classes": 2, "width": 1.25, "shallow": True}, {}),
]


def start_of(fields: dict[str, Any], hard: dict[str, bool]) -> tuple[QuantizedModel, np.ndarray]:
    spec = Spec(**{"width": 0.25, **fields})
    model = random_quantized(spec, seed=2, **hard)
    if not hard:
        model = model.replace(border=(128,) * spec.channels)
    pixels = np.random.default_rng(0).integers(0, 256, (3, spec.resolution, spec.resolution, spec.channels))
    return model, pixels.astype(np.uint8)


def assert_same_bytes(network: QuantizedNetwork, model: QuantizedModel, pixels: np.ndarray) -> None:
    with torch.no_grad():
        outputs = network.outputs(normalise(torch.from_numpy(pixels), model.preprocessing))
    for step in walk(model, pixels):
        found = outputs[step.layer.name].permute(0, 2, 3, 1).numpy()
        if step.layer.kind == "classifier":
            assert (found[:, 0, 0] == run(model, pixels).logits).all()
        else:
            assert step.output is not None
            assert (found == step.output).all(), step.layer.name


@pytest.mark.parametrize(("fields", "hard"), CASES, ids=repr)
def test_training_computes_every_byte_that_the_oracle_computes(fields: dict[str, Any], hard: dict[str, bool]) -> None:
    model, pixels = start_of(fields, hard)

    assert_same_bytes(QuantizedNetwork(model).train(), model, pixels)


@pytest.mark.parametrize(("fields", "hard"), CASES[:3], ids=repr)
def test_after_training_steps_it_is_byte_for_byte_the_model_that_it_gives(
    fields: dict[str, Any], hard: dict[str, bool]
) -> None:
    model, pixels = start_of(fields, hard)
    network = QuantizedNetwork(model).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    x = normalise(torch.from_numpy(pixels), model.preprocessing)
    labels = torch.arange(len(pixels)) % model.spec.classes
    for _ in range(3):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(x), labels).backward()
        for parameter in network.parameters():
            assert parameter.grad is not None
            # Steps as large as the weights' own, so that every layer changes.
            parameter.grad = (
                parameter.grad / parameter.grad.std().clamp_min(1e-20) * parameter.std().clamp_min(1e-2) / 20
            )
        optimizer.step()

    after = to_quantized(network, model)

    changed = [
        name for name in model.layers if not np.array_equal(model.layers[name].weight, after.layers[name].weight)
    ]
    assert len(changed) == len(model.layers) - 1  # all but the pool
    assert any((model.layers[name].bias != after.layers[name].bias).any() for name in changed)
    assert_same_bytes(network, after, pixels)


def test_sums_and_roundings_beyond_24_bits_are_those_of_the_oracle() -> None:
    """Float32 has no such whole numbers: sums must be exact before R1 rounds them, once, and R2 the product."""
    model, pixels = start_of({"resolution": 32, "classes": 2, "width": 2.0, "shallow": True}, {})
    name, before = "blocks.4.1.conv_pw", "blocks.4.1.conv_dw"
    numbers = model.layers[name]
    rng = np.random.default_rng(1)
    wide = dataclasses.replace(
        numbers,
        weight=rng.integers(100, 128, numbers.weight.shape).astype(np.int8),
        bias=rng.integers(-1000, 1000, numbers.bias.shape).astype(np.int32),
        multiplier=rng.uniform(1e-6, 5e-6, numbers.multiplier.shape).astype(np.float32),
    )
    bright = dataclasses.replace(model.layers[before], low=250)
    model = model.replace(layers={**model.layers, name: wide, before: bright})
    network = QuantizedNetwork(model)

    assert_same_bytes(network, model, pixels)
    acc = next(step.acc for step in walk(model, pixels) if step.layer.name == name)
    assert (acc > 2**24).all()
    part: Any = network.get_submodule(name)
    x = torch.from_numpy(pixels[:1, :1, :1, :1].astype(np.float32)).expand(1, 2048, 1, 1) * 0 + 250
    sums = (part._products(x, part.whole_weight())[0, :, 0, 0]).detach().numpy()
    assert (sums == wide.weight.astype(np.int64).sum(axis=(1, 2, 3)) * 250).all()
    # Close to where bytes change, every way to round shows.
    reach = Reach(np.full(2048, -(2**31)), np.full(2048, 2**31 - 1))
    many = np.concatenate([thresholds(wide.multiplier, reach)[1].T + beside for beside in range(-4, 4)])
    found = part._finish(torch.from_numpy(many.astype(np.float64))[:, :, None, None])[:, :, 0, 0].detach().numpy()
    assert (found == requantize(many.astype(np.int32), wide.multiplier, 0)).all()


def test_reduced_precision_changes_no_byte() -> None:
    model, pixels = start_of(*CASES[0])
    network = QuantizedNetwork(model)
    x = normalise(torch.from_numpy(pixels), model.preprocessing)

    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(x)

    assert (logits.numpy() == run(model, pixels).logits).all()


def test_gradients_are_those_of_the_float_network() -> None:
    """Where nothing is clamped and rounding is fine, the straight-through gradient is nearly the float one."""
    from depthwise.cloud.module import to_network
    from depthwise.network.model import Model, random_weights
    from depthwise.network.preprocessing import default_preprocessing
    from depthwise.quantize.quantize import quantize

    spec = Spec(width=0.25, resolution=32, classes=3)
    float_model = Model(
        spec=spec, weights=random_weights(spec), labels=("a", "b", "c"), preprocessing=default_preprocessing(32, 3)
    )
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 32, 3)).astype(np.uint8)
    network, twin = QuantizedNetwork(quantize(float_model, pixels).model), to_network(float_model)
    x = normalise(torch.from_numpy(pixels), float_model.preprocessing)

    for one in (network, twin):
        one(x).square().sum().backward()

    bias = network.get_parameter("classifier.bias").grad
    wanted = twin.get_parameter("classifier.bias").grad
    assert bias is not None
    assert wanted is not None
    assert torch.allclose(bias, wanted, rtol=0.1, atol=0.05 * float(wanted.abs().max()))
    # The last pointwise layer's bias is that of its batch normalisation.
    found = network.get_parameter("blocks.4.1.conv_pw.bias").grad
    wanted = twin.get_parameter("blocks.4.1.bn2.bias").grad
    assert found is not None
    assert wanted is not None
    assert float(torch.nn.functional.cosine_similarity(found, wanted, dim=0)) > 0.9


def test_a_copy_is_a_network_of_its_own() -> None:
    """As the moving average of weights is."""
    model, pixels = start_of(*CASES[0])
    network = QuantizedNetwork(model)
    other = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()

    assert_same_bytes(network, model, pixels)
    assert other.state_dict().keys() == network.state_dict().keys()
    other.load_state_dict(network.state_dict())
    assert_same_bytes(other, model, pixels)
