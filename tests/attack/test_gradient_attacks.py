"""Gradient attacks against closed forms, and what surrounds them against its own rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed; run: pip install 'depthwise[cloud]'")
import torch
from torch import Tensor, nn

from depthwise.attack.budget import Budget
from depthwise.attack.draws import Draws
from depthwise.attack.frame import Asked, attacked
from depthwise.attack.gradient.apgd import APGD
from depthwise.attack.gradient.fab import FAB, nearest_on_plane
from depthwise.attack.gradient.losses import best_wrong, cross_entropy, dlr, log_odds, targeted_dlr
from depthwise.attack.gradient.network import Differentiable, without_gradient
from depthwise.attack.gradient.walk import FGSM, PGD
from depthwise.cloud.attacked import Rounding, subject
from depthwise.network.random_int8 import random_quantized
from depthwise.network.reference_int8 import run
from depthwise.network.spec import Spec
from tools.toys import Away, Linear, images, shifted, subject_of

pytestmark = pytest.mark.usefixtures("torch_alone")
DRAWS = Draws(0, (0, 1, 2))
ZEROS = np.zeros(3, np.int64)
ROUNDINGS: tuple[Rounding, ...] = ("through", "smooth")


def test_the_int8_twin_gives_images_a_gradient() -> None:
    """It begins by rounding; without a gradient through that, projected gradient descent finds every network robust."""
    model = random_quantized(Spec(width=0.25, resolution=32, classes=3, shallow=True), seed=2)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)
    x, labels = torch.from_numpy(pixels.astype(np.float32)), torch.tensor([0, 1, 2, 0])

    for rounding in ROUNDINGS:
        twin = subject(model, rounding=rounding)
        assert twin.network is not None
        nothing, share = without_gradient(twin.network, x, labels, cross_entropy)

        assert nothing == 0
        assert share < 0.9
        assert (twin.scores(pixels) == run(model, pixels).logits).all()


@pytest.mark.parametrize(
    "attack", [FGSM, PGD, APGD, partial(APGD, loss="dlr"), partial(APGD, loss="targeted")], ids=repr
)
def test_the_worst_case_of_a_linear_network_is_found_exactly(attack: Any) -> None:
    pixels = images()
    network = shifted(Linear(), pixels)
    weight = network.w.detach().numpy().reshape(pixels.shape[1:]).astype(np.float64)
    budget = Budget(eps=7.3 / 255, whole=False)

    found = attacked(attack(budget=budget), subject_of(network), pixels, ZEROS, DRAWS)

    worst = np.clip(pixels + 7.3 * np.sign(weight), 0, 255)
    margins = [(x.astype(np.float64) * weight).sum(axis=(1, 2, 3)) + network.b.item() for x in (found.images, worst)]
    assert margins[0] == pytest.approx(margins[1], abs=1e-6 * 255)
    assert (found.fooled == (margins[1] > 0)).all()
    assert found.audit.faults == ()


class _Sure(nn.Module):
    """A network whose logits are so far apart that the right label's probability is 1 in float32."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.network(x)
        return logits * 3000


@pytest.mark.parametrize("attack", [FGSM, PGD, APGD], ids=repr)
def test_a_network_that_is_very_sure_is_fooled_as_one_that_is_not(attack: Any) -> None:
    pixels = images()
    network = shifted(Linear(), pixels)
    x = torch.from_numpy(pixels.astype(np.float32))
    assert torch.nn.functional.softmax(_Sure(network)(x), 1)[0, 0] == 1
    of_both = [
        attacked(attack(budget=Budget(eps=12 / 255)), subject_of(one), pixels, ZEROS, DRAWS)
        for one in (network, _Sure(network))
    ]

    assert of_both[0].fooled.any()
    assert (of_both[1].fooled == of_both[0].fooled).all()
    assert (of_both[1].images == of_both[0].images).all()


def test_odds_go_the_way_of_the_cross_entropy() -> None:
    logits = torch.randn((6, 5), generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 1, 2, 3, 4, 0])
    slopes = [torch.autograd.grad(loss(logits, labels).sum(), logits)[0] for loss in (cross_entropy, log_odds)]

    ratio = slopes[1] / slopes[0]
    assert torch.allclose(ratio, ratio[:, :1].expand_as(ratio))
    assert (ratio > 0).all()
    # log(1 + e^odds) is the cross-entropy.
    assert torch.allclose(log_odds(logits, labels).exp().log1p(), cross_entropy(logits, labels))


@pytest.mark.parametrize("classes", [2, 3, 4, 5])
def test_losses_are_above_0_just_where_the_answer_is_wrong_however_few_classes_there_are(classes: int) -> None:
    logits = torch.randn((40, classes), generator=torch.Generator().manual_seed(classes))
    labels = torch.arange(40) % classes
    wrong = logits.argmax(1) != labels
    to_best = torch.stack([labels, best_wrong(logits, labels, 0)], 1)

    assert ((dlr(logits, labels) > 0) == wrong).all()
    assert ((targeted_dlr(logits, to_best) > 0) == wrong).all()
    assert len({int(best_wrong(logits[:1], labels[:1], place)) for place in range(classes - 1)} - {0}) == classes - 1


def test_gradients_that_are_no_numbers_count_for_none() -> None:
    pixels = images()

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return logits[:, 1] * torch.tensor([1.0, torch.nan, torch.inf])

    network = Differentiable(Linear(), lambda levels: levels, together=3)
    x = torch.from_numpy(pixels.astype(np.float32))
    nothing, share = without_gradient(network, x, torch.tensor([0, 0, 0]), loss)

    assert nothing == 2
    assert share == pytest.approx(2 / 3)


def test_the_worst_case_of_a_linear_network_under_l2_is_found_exactly() -> None:
    pixels = images()
    network = shifted(Linear(), pixels)
    weight = network.w.detach().numpy().reshape(pixels.shape[1:]).astype(np.float64)
    budget = Budget(norm="l2", eps=0.1, whole=False)

    found = attacked(PGD(budget=budget, steps=40, step=1.0), subject_of(network), pixels, ZEROS, DRAWS)

    gained = ((found.images - pixels.astype(np.float64)) * weight).sum(axis=(1, 2, 3))
    assert gained == pytest.approx(np.full(3, 0.1 * 255 * np.linalg.norm(weight)), rel=1e-6)
    assert found.sizes == pytest.approx(np.full(3, 0.1), rel=1e-6)


def test_the_worst_case_of_a_quadratic_network_is_found_exactly() -> None:
    pixels = images(low=90, high=166)
    centre = torch.full(pixels.shape[1:], 128.0)
    pixels[np.abs(pixels.astype(int) - 128) < 8] = 150
    worst = np.clip(pixels + 4 * np.sign(pixels.astype(float) - 128), 0, 255)

    found = attacked(PGD(budget=Budget(eps=4 / 255)), subject_of(Away(centre)), pixels, ZEROS, DRAWS)

    assert (found.images == worst).all()


@dataclass(frozen=True)
class _Cheat:
    """An attack that leaves the budget, the range of pixels and the numbers."""

    budget: Budget = field(default_factory=lambda: Budget(eps=4 / 255))
    name: str = "cheat"
    asks: bool = True

    def __call__(self, model: Asked, images: Any, labels: Any, draws: Draws) -> Any:
        asked = model.scores(images, np.array([2, 0, 1]))
        assert asked.shape == (3, 2)
        proposed = images.astype(np.float32) + 300
        proposed[0, 0, 0, 0] = np.nan
        return proposed


def test_what_leaves_the_budget_is_clipped_judged_anew_and_told() -> None:
    pixels = images(high=255)
    network = shifted(Linear(), pixels)

    found = attacked(_Cheat(), subject_of(network), pixels, ZEROS, DRAWS)

    wanted = np.clip(pixels.astype(int) + 4, 0, 255)
    wanted[0, 0, 0, 0] = pixels[0, 0, 0, 0]
    assert (found.images == wanted).all()
    assert (found.fooled == (subject_of(network).scores(found.images).argmax(axis=1) != 0)).all()
    assert (found.audit.not_finite, found.audit.beyond) == (1, 3)
    assert len(found.audit.faults) == 1
    assert found.counts.tolist() == [1, 1, 1]


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_nearest_point_of_a_plane_is_as_near_as_pixels_allow(norm: str) -> None:
    """Against bisection: along the best direction the product grows with the length, so that it has one place."""
    rng = np.random.default_rng(1)
    x, slope = rng.uniform(0, 255, (6, 2, 2, 3)), rng.normal(size=(6, 2, 2, 3))
    wanted = np.array([3.0, -40.0, 90.0, -200.0, 1e6, 0.0])

    found = nearest_on_plane(torch.from_numpy(x), torch.from_numpy(slope), torch.from_numpy(wanted), norm).numpy()

    for one, w, goal, change in zip(x, slope, wanted, found, strict=True):
        way = np.sign(w) if norm == "linf" else w
        low, high = 0.0, 1e6
        for _ in range(100):
            middle = (low + high) / 2
            moved = np.clip(one + np.sign(goal) * middle * way, 0, 255) - one
            low, high = (low, middle) if abs((moved * w).sum()) >= abs(goal) else (middle, high)
        expected = np.clip(one + np.sign(goal) * high * way, 0, 255) - one
        assert change == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("norm", "dual"), [("linf", 1), ("l2", 2)])
def test_the_smallest_change_that_fools_a_linear_network_is_found(norm: Any, dual: int) -> None:
    pixels = images()
    network = shifted(Linear(), pixels)
    margin = -network(torch.from_numpy(pixels.astype(np.float32)))[:, 1].detach().numpy()
    nearest = margin / np.linalg.norm(network.w.detach().numpy(), dual) / 255
    attack = FAB(budget=Budget(norm=norm, eps=0.5, whole=False), steps=20)

    found = attacked(attack, subject_of(network), pixels, ZEROS, DRAWS)

    assert found.fooled.all()
    assert (found.sizes >= nearest * (1 - 1e-3)).all()
    assert found.sizes == pytest.approx(nearest, rel=0.06)  # the last step overshoots by at most 5%


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_budget_of_nothing_changes_nothing(norm: Any) -> None:
    pixels = images()
    network = shifted(Linear(), pixels)

    found = attacked(PGD(budget=Budget(norm=norm, eps=0), steps=3), subject_of(network), pixels, ZEROS, DRAWS)

    assert (found.images == pixels).all()
    assert not found.fooled.any()


def test_what_an_image_becomes_depends_on_no_other_image() -> None:
    pixels = images(5, side=8)
    attack = PGD(budget=Budget(eps=6 / 255, whole=False), steps=4, restarts=2, momentum=0.5)
    whole = subject_of(Linear(side=8))

    together = attacked(attack, whole, pixels, np.zeros(5, np.int64), Draws(3, (4, 9, 2, 7, 1)))
    apart = attacked(attack, whole, pixels[2:4], np.zeros(2, np.int64), Draws(3, (2, 7)))

    assert (together.images[2:4] == apart.images).all()


def test_walks_that_are_over_change_nothing_for_those_that_go_on() -> None:
    """One image is fooled at once and its walk ends; another, which stands, goes on as if it were alone."""
    near, toy = images(1), Linear()
    away = 20 * np.sign(toy.w.detach().numpy()).reshape(near.shape)
    pixels = np.concatenate([near, near - away]).astype(np.uint8)
    network = shifted(toy, near)
    attack = APGD(budget=Budget(eps=1 / 255), steps=40)

    both = attacked(attack, subject_of(network), pixels, np.zeros(2, np.int64), Draws(0, (0, 1)))
    alone = attacked(attack, subject_of(network), pixels[1:], np.zeros(1, np.int64), Draws(0, (1,)))

    assert both.fooled.tolist() == [True, False]
    assert (both.images[1:] == alone.images).all()


@pytest.mark.parametrize("attack", [partial(APGD, loss="targeted"), FAB], ids=repr)
def test_targets_tried_at_once_give_what_one_after_the_other_gives(
    attack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Rows(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sum(3).flatten(1)[:, :4] / 50

    pixels = images(6, seed=5)
    labels = subject_of(Rows()).scores(pixels).argmax(axis=1)
    found = []
    for full in (1, 12, 256):
        monkeypatch.setattr("depthwise.attack.gradient.steps.FULL", full)
        made = attack(budget=Budget(eps=9 / 255), steps=12, restarts=2)
        found.append(attacked(made, subject_of(Rows()), pixels, labels, Draws(0, tuple(range(6)))))

    assert 0 < found[0].fooled.sum() < 6
    assert all((one.images == found[0].images).all() for one in found[1:])


@pytest.mark.parametrize("activation", ["relu6", "relu"])
def test_a_network_with_its_norms_folded_in_answers_as_torch_does(activation: Any) -> None:
    from depthwise.cloud.module import Network, normalise, to_network, to_weights
    from depthwise.network.model import Model
    from depthwise.network.preprocessing import default_preprocessing

    torch.manual_seed(0)
    network = Network(Spec(width=0.25, resolution=32, classes=3, shallow=True, activation=activation)).train()
    pixels = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)
    levels, preprocessing = torch.from_numpy(pixels), default_preprocessing(32, 3)
    network(normalise(levels, preprocessing))  # so that norms have something to fold
    model = Model(spec=network.spec, labels=("a", "b", "c"), preprocessing=preprocessing, weights=to_weights(network))
    with torch.no_grad():
        wanted = to_network(model)(normalise(levels, preprocessing)).numpy()

    assert subject(model).scores(pixels) == pytest.approx(wanted, abs=1e-5)


def test_an_attack_leaves_the_network_as_it_is() -> None:
    from depthwise.cloud.attacked import attackable
    from depthwise.cloud.module import Network
    from depthwise.network.preprocessing import default_preprocessing

    network = Network(Spec(width=0.25, resolution=32, classes=3, shallow=True)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    seen = attackable(network, default_preprocessing(32, 3))
    slope, _, _ = seen.gradient(torch.full((2, 32, 32, 3), 100.0), torch.tensor([0, 1]), cross_entropy)

    assert slope.shape == (2, 32, 32, 3)
    assert network.training
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize(
    ("mode", "filter"), [("crop", "bilinear"), ("squash", "bilinear"), ("fit", "bilinear"), ("crop", "bicubic")]
)
def test_torch_prepares_frames_as_pillow_does_and_gives_them_a_gradient(mode: str, filter: str) -> None:
    from depthwise.attack.gradient.network import Differentiable
    from depthwise.attack.gradient.resize import through_resize
    from depthwise.attack.way import Way

    fill = (9, 9, 9) if mode == "fit" else ()
    way = Way(resize=14 if mode == "crop" else 12, crop=12, mode=mode, fill=fill, filter=filter)
    frame = np.random.default_rng(0).integers(0, 256, (1, 40, 31, 3)).astype(np.uint8)
    seen: list[torch.Tensor] = []

    class Keeps(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x.detach())
            return x.flatten(1)[:, :3]

    network = through_resize(Differentiable(Keeps(), lambda levels: levels), way, 40, 31)
    slope, _, _ = network.gradient(torch.from_numpy(frame.astype(np.float32)), torch.tensor([0]), cross_entropy)

    assert np.abs(seen[-1].numpy()[0] - way.square(frame[0])).max() <= 1
    assert (seen[-1].numpy()[0] == way.square(frame[0])).mean() > 0.98
    assert bool((slope != 0).any()) == (mode != "fit")  # the corner that is looked at is fill
