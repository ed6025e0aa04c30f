"""Training against attacks: what pictures become, what is learned from them, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from depthwise.cloud import adversarial
from depthwise.cloud.learner import Learner
from depthwise.cloud.loader import Batch
from depthwise.cloud.module import Network, normalise
from depthwise.cloud.perturbed import perturbed
from depthwise.cloud.processes import World
from depthwise.cloud.recipe import Recipe
from depthwise.cloud.request import Request
from depthwise.cloud.session import train
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.spec import Spec

Ask = Callable[..., Request]
ImageFolder = Callable[..., Path]
SPEC = Spec(width=0.25, resolution=32, classes=3, shallow=True)
PREPROCESSING = default_preprocessing(32, 3)
HARD = ("fast", "pgd", "trades")
ALONE = World(rank=0, size=1, device=torch.device("cpu"))


def learner_of(**recipe: Any) -> Learner:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    settings = {"precision": "float32", "average": 0.0, "eps": 6 / 255, "smoothing": 0.0, **recipe}
    learner = Learner(
        Network(SPEC),
        Recipe(**settings),
        PREPROCESSING,
        steps=10,
        counts=[2, 2, 2],
        world=ALONE,
    )
    learner.prepare(frozen=False)
    return learner


def batch_of(taught: torch.Tensor | None = None) -> Batch:
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3)).astype(np.uint8))
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    return Batch(pixels=pixels, labels=labels, partners=labels, share=1.0, taught=taught)


@pytest.mark.parametrize("method", HARD)
def test_pictures_stay_within_the_bound_and_are_harder_and_the_network_stays_as_it_is(method: str) -> None:
    learner, batch = learner_of(adversarial=method), batch_of()
    images = batch.pixels.float()
    before = {name: value.clone() for name, value in learner.network.state_dict().items() if "batches" not in name}
    calm = learner._logits(images).detach() if method == "trades" else None
    learner.network.load_state_dict(before, strict=False)

    def loss(logits: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(logits, batch.labels) if calm is None else adversarial.distance(logits, calm)

    made = [
        adversarial.against(learner.network, images, loss, learner._logits, learner.recipe, draw) for draw in (3, 3, 4)
    ]

    assert float((made[0] - images).abs().max()) <= (18 if method == "fast" else 6) + 1e-4
    assert (float(made[0].min()), float(made[0].max())) == (0, 255)
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
    after = learner.network.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    # One step as long as the bound may go too far on random weights; the next test holds it to plain torch.
    with torch.no_grad(), adversarial.still(learner.network):
        assert method == "fast" or loss(learner._logits(made[0])) > loss(learner._logits(images))


def test_one_fast_step_is_that_of_plain_torch() -> None:
    """N-FGSM by hand: noise of twice the bound, one step of the bound along the sign, cut to valid pixels alone."""
    learner, plain, batch = learner_of(adversarial="fast"), learner_of().network, batch_of()
    images, radius = batch.pixels.float(), 6.0
    noise = (2 * torch.rand(images.shape, generator=torch.Generator().manual_seed(0)) - 1) * 2 * radius
    x = (images + noise).clamp(0, 255).requires_grad_(True)
    for norm in (module for module in plain.modules() if isinstance(module, torch.nn.BatchNorm2d)):
        norm.momentum = 0.0
    F.cross_entropy(plain(normalise(x, PREPROCESSING)), batch.labels).backward()
    assert x.grad is not None
    hard = (x.detach() + radius * x.grad.sign()).clamp(0, 255)
    for norm in (module for module in plain.modules() if isinstance(module, torch.nn.BatchNorm2d)):
        norm.momentum = 0.1
    wanted = F.cross_entropy(plain(normalise(hard, PREPROCESSING)), batch.labels)

    found = learner.step(batch)

    assert float(found[0]) == pytest.approx(6 * wanted.item(), rel=1e-6)
    mean = "bn1.running_mean"
    assert torch.allclose(learner.network.state_dict()[mean], plain.state_dict()[mean], atol=1e-6)


def test_with_teachers_both_pictures_are_to_be_answered_as_they_answer() -> None:
    """RSLAD: a sixth of the loss is of the picture, five sixths of what it was changed to."""
    taught = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]] * 2)
    learner, batch = learner_of(adversarial="pgd", attack_steps=2), batch_of(taught)

    hard, loss = (part.detach() for part in learner._against(batch.pixels, batch.labels, batch)())

    assert hard.shape == (6, 3)
    changed = learner._loss(hard, batch.labels, batch)
    clean = (loss - changed * 5 / 6) * 6
    assert 0 < float(clean) < float(changed)


def test_weights_are_moved_up_the_slope_by_a_share_of_their_length_and_back() -> None:
    layer = torch.nn.Linear(3, 2)
    images = torch.tensor([[1.0, 2.0, 3.0]])
    weight, bias = (part.detach().clone() for part in (layer.weight, layer.bias))

    with perturbed(layer, lambda: layer(images)[0, 1], 0.1):
        moved = layer.weight.detach() - weight
        layer(images).sum().backward()

    # The slope of the second output: the images in its row, and nothing in the other.
    assert torch.allclose(moved[1], 0.1 * weight.norm() * images[0] / images.norm())
    assert (moved[0] == 0).all()
    assert (layer.weight == weight).all()
    assert (layer.bias == bias).all()
    assert layer.weight.grad is not None


def test_a_step_with_moved_weights_learns_by_the_gradient_that_is_there() -> None:
    plain, moved = (learner_of(adversarial="fast", perturbation=size) for size in (0.0, 0.05))
    mean = moved.network.get_submodule("bn1").running_mean
    with perturbed(moved.network, lambda: moved._logits(batch_of().pixels).square().sum(), 0.05):
        assert not mean.any()

    losses = [float(learner.step(batch_of())[0]) for learner in (plain, moved)]

    assert losses[1] > losses[0]
    weights = [learner.network.state_dict()["conv_stem.weight"] for learner in (plain, moved)]
    assert not torch.equal(*weights)


@pytest.mark.parametrize(
    ("robust", "best", "learned", "fallen"),
    [
        (0.02, 0.30, 0.60, True),
        (0.28, 0.30, 0.60, False),
        (0.02, 0.30, 0.03, False),
        (0.0, 0.0, 0.75, True),  # as on CIFAR-10 in the first epoch that was measured
        (0.10, 0.0, 0.30, False),
    ],
)
def test_a_network_that_beats_its_own_attack_alone_has_collapsed(
    robust: float, best: float, learned: float, fallen: bool
) -> None:
    assert adversarial.has_collapsed(robust, best, learned) is fallen


def test_the_epoch_that_withstands_best_is_kept_and_all_is_told(
    ask: Ask, image_folder: ImageFolder, heard: Any, monkeypatch: pytest.MonkeyPatch, log_of: Any
) -> None:
    """Of epochs under attack at 0.6, 0.9 and 0.1, the second is kept, and the third has collapsed."""
    shares = iter((0.6, 0.9, 0.1))
    monkeypatch.setattr("depthwise.cloud.train.withstood", lambda *_: {"robust_top1": next(shares), "robust_images": 4})
    request = ask(image_folder(images=6), epochs=3, adversarial="fast", eps=2 / 255, spec={"shallow": True})

    model = train(request, heard)

    assert model.provenance["epochs"] == 2
    assert model.accuracy["validation"]["robust_top1"] == 0.9
    epochs = [line for line in log_of(request) if line["event"] == "epoch"]
    assert [line["robust_top1"] for line in epochs] == [0.6, 0.9, 0.1]
    assert "under PGD-10 90.00%" in heard.text
    assert ("collapsed" in epochs[2]) == ("catastrophic overfitting" in heard.text)


def test_a_short_attack_is_measured_on_validation_images() -> None:
    """On images of one colour each, told apart by a linear rule, it is what the largest change allows."""

    class Colours(Network):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean((2, 3)) * 64

    labels = np.array([0, 1, 2, 0])
    pixels = np.full((4, 32, 32, 3), 100, np.uint8)
    pixels[np.arange(4), :, :, labels] += np.array([4, 40, 8, 20], np.uint8)[:, None, None]
    recipe = Recipe(adversarial="fast", eps=6 / 255)
    found = adversarial.withstood(Colours(SPEC), _Held(pixels, labels), PREPROCESSING, ALONE, recipe)  # type: ignore[arg-type]

    assert found == {"robust_top1": 0.5, "robust_images": 4}


def test_catastrophic_overfitting_is_provoked_and_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """One step without a random start, a wide bound and few images: what is learned is to beat that one step."""
    monkeypatch.setitem(adversarial.START, "fast", 0.0)
    rng = np.random.default_rng(0)
    colours = rng.normal(0, 30, (4, 8, 8, 3)).repeat(4, 1).repeat(4, 2)
    labels = np.arange(96) % 4
    pixels = np.clip(128 + colours[labels] + rng.normal(0, 40, (96, 32, 32, 3)), 0, 255).astype(np.uint8)
    torch.manual_seed(0)
    network = Network(Spec(width=0.25, resolution=32, classes=4, shallow=True))
    recipe = Recipe(
        adversarial="fast",
        eps=16 / 255,
        optimizer="sgd",
        rate=0.1,
        decay=0,
        warmup=0,
        smoothing=0,
        average=0,
        precision="float32",
    )
    learner = Learner(network, recipe, PREPROCESSING, steps=60, counts=[16] * 4, world=ALONE)
    learner.prepare(frozen=False)
    shares, learned = [], 0.0
    for epoch in range(14):
        sums = torch.zeros(3, dtype=torch.float64)
        for part in (slice(0, 32), slice(32, 64)):
            truth = torch.from_numpy(labels[part])
            batch = Batch(pixels=torch.from_numpy(pixels[part]), labels=truth, partners=truth, share=1.0)
            sums += learner.step(batch)
        learned = float(sums[1] / sums[2])
        if epoch in (0, 13):
            held = _Held(pixels[64:], labels[64:])
            shares.append(adversarial.withstood(network, held, PREPROCESSING, ALONE, recipe)["robust_top1"])  # type: ignore[arg-type]

    assert learned > 0.4
    assert shares[1] < 0.05
    assert adversarial.has_collapsed(shares[1], shares[0], learned)


class _Held:
    """Images in memory, as a store has them."""

    def __init__(self, pixels: np.ndarray, labels: np.ndarray) -> None:
        self.pixels, self.labels = pixels, labels

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, part: Any) -> np.ndarray:
        return self.pixels[list(part)]
