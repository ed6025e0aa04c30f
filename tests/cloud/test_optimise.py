"""Optimizer, learning rate, moving average and loss, against their formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from depthwise.cloud.module import Network
from depthwise.cloud.optimise import (
    class_weights,
    make_average,
    make_optimizer,
    make_schedule,
    set_frozen,
    soft_loss,
)
from depthwise.cloud.recipe import Recipe
from depthwise.network.layers import layers
from depthwise.network.spec import Spec


def tiny(**fields: object) -> Network:
    torch.manual_seed(0)
    return Network(Spec(**{"width": 0.25, "resolution": 32, "classes": 3, **fields}))  # type: ignore[arg-type]


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("fields", [{}, {"channels": 1}, {"convolution": "standard"}])
def test_decay_spares_biases_batch_norm_and_depthwise_weights(optimizer: str, fields: dict[str, object]) -> None:
    network = tiny(**fields)
    made = make_optimizer(network, Recipe(optimizer=optimizer, decay=0.3))

    decays = {id(weight): group["weight_decay"] for group in made.param_groups for weight in group["params"]}
    found = {name: decays[id(weight)] for name, weight in network.named_parameters()}

    decayed = {f"{layer.name}.weight" for layer in layers(network.spec) if layer.kind not in ("depthwise", "pool")}
    assert found == {name: 0.3 if name in decayed else 0.0 for name in found}
    assert len(decays) == len(list(network.parameters()))


@pytest.mark.parametrize(("warmup", "steps"), [(0.1, 200), (0.0, 50), (0.5, 7), (0.9, 1)])
def test_the_rate_rises_in_a_line_and_falls_as_half_a_cosine(warmup: float, steps: int) -> None:
    optimizer = make_optimizer(tiny(), Recipe(rate=0.4))
    schedule = make_schedule(optimizer, Recipe(rate=0.4, warmup=warmup), steps)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()

    rising = max(1, round(warmup * steps))
    for step, rate in enumerate(rates):
        if step < rising:
            expected = 0.4 * (0.001 + 0.999 * step / rising)
        else:
            expected = 0.2 * (1 + math.cos(math.pi * (step - rising) / (steps - rising)))
        assert rate == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert {group["lr"] for group in optimizer.param_groups} == {optimizer.param_groups[0]["lr"]}


def test_class_weights_are_inverse_to_frequency_with_mean_one_over_the_images() -> None:
    counts = [10, 20, 70]

    full = class_weights(counts, 1.0).double()
    half = class_weights(counts, 0.5).double()

    np.testing.assert_allclose(full[0] / full, [1, 2, 7], rtol=1e-6)
    np.testing.assert_allclose(half[0] / half, [1, 2**0.5, 7**0.5], rtol=1e-6)
    for weights in (full, half):
        assert (weights * torch.tensor(counts)).sum() == pytest.approx(100)
    np.testing.assert_allclose(class_weights(counts, 0.0), 1)


def test_the_loss_of_a_mixed_batch_is_its_formula() -> None:
    rng = np.random.default_rng(0)
    logits, weights = rng.normal(size=(5, 3)), np.array([0.5, 1.0, 2.0])
    labels, partners = rng.integers(0, 3, 5), rng.integers(0, 3, 5)
    logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))

    def one(wanted: np.ndarray) -> float:
        target = 0.9 * np.eye(3)[wanted] + 0.1 / 3
        return float(-(weights * target * logs).sum(1).mean())

    drawn, own, others = (torch.from_numpy(values) for values in (logits, labels, partners))
    found = soft_loss(drawn, own, others, 0.3, smoothing=0.1, weights=torch.from_numpy(weights))

    assert found.item() == pytest.approx(0.3 * one(labels) + 0.7 * one(partners))
    plain = soft_loss(drawn, own, others, 1.0, smoothing=0.0, weights=None)
    assert plain.item() == pytest.approx(F.cross_entropy(drawn, own).item())


@pytest.mark.parametrize(("steps", "longest"), [(1000, 0.9), (100, 0.8)])
def test_the_moving_average_is_its_recurrence_over_a_twentieth_of_the_run_at_most(steps: int, longest: float) -> None:
    network = tiny()
    average = make_average(network, Recipe(average=0.9), steps)
    assert average is not None
    rng = np.random.default_rng(0)
    expected: dict[str, np.ndarray] = {}
    for step in range(30):
        with torch.no_grad():
            for tensor in network.state_dict().values():
                if tensor.is_floating_point():
                    tensor.copy_(torch.from_numpy(rng.normal(size=tuple(tensor.shape))))
        average.update_parameters(network)
        decay = 0.0 if step == 0 else min(longest, (1 + step) / (10 + step))
        for name, tensor in network.state_dict().items():
            value = tensor.double().numpy()
            expected[name] = decay * expected.get(name, value) + (1 - decay) * value

    for name, tensor in average.module.state_dict().items():
        if tensor.is_floating_point():
            np.testing.assert_allclose(expected[name], tensor.numpy(), rtol=0, atol=1e-5)


def test_no_average_is_made_where_none_is_wanted() -> None:
    assert make_average(tiny(), Recipe(average=0.0), 10) is None


def test_freezing_leaves_the_classifier_alone_to_train() -> None:
    network = tiny()
    set_frozen(network, True)
    assert [name for name, weight in network.named_parameters() if weight.requires_grad] == [
        "classifier.weight",
        "classifier.bias",
    ]
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network(torch.randn(4, 3, 32, 32))
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())

    set_frozen(network, False)
    assert all(weight.requires_grad for weight in network.parameters())
    network(torch.randn(4, 3, 32, 32))
    assert not torch.equal(before["bn1.running_mean"], network.state_dict()["bn1.running_mean"])
