"""Whole trainings of very small networks, in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from depthwise.cloud.device import faster_precision
from depthwise.cloud.learner import Learner
from depthwise.cloud.loader import Batch
from depthwise.cloud.module import Network
from depthwise.cloud.outcome import versions
from depthwise.cloud.processes import World
from depthwise.cloud.recipe import Recipe
from depthwise.cloud.request import Request
from depthwise.cloud.session import train
from depthwise.errors import Refused
from depthwise.network.model import Model
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.quantized import QuantizedModel
from depthwise.network.spec import Spec

Ask = Callable[..., Request]
ImageFolder = Callable[..., Path]


def test_training_learns_and_the_model_says_how_it_came_about(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    data = image_folder(classes=("cat", "dog", "owl"), images=16, splits=("train", "val", "test"))
    settings = {"epochs": 12, "optimizer": "sgd", "rate": 0.05, "warmup": 0.0, "crop": 0.8, "colour": 0.1}
    request = ask(data, **settings, extra={"command": "depthwise train x"})

    model = train(request, heard)
    assert isinstance(model, Model)

    assert model.accuracy["test"]["top1"] > 0.9
    loaded = Model.load(request.out)
    assert loaded.labels == ("cat", "dog", "owl")
    assert loaded.spec == replace(request.spec, classes=3)
    assert all(np.array_equal(loaded.weights[name], array) for name, array in model.weights.items())
    assert loaded.provenance["images"] == {"train": 48, "validation": 48, "test": 48}
    # Which kernels "auto" came to be is kept with the rest.
    assert loaded.provenance["recipe"] == replace(request.recipe, kernels="torch").to_dict()
    assert loaded.provenance["command"] == "depthwise train x"
    assert loaded.provenance["versions"] == versions()
    assert str(data.parent) not in (request.out / "model.json").read_text()


def weights_of(model: Model | QuantizedModel) -> Mapping[str, np.ndarray]:
    assert isinstance(model, Model)
    return model.weights


def test_the_same_request_gives_the_same_weights_and_another_seed_others(
    ask: Ask, image_folder: ImageFolder, heard: Any
) -> None:
    data = image_folder(images=12)
    first, second, other = (
        weights_of(train(ask(data, name, epochs=2, seed=seed), heard))
        for name, seed in (("first", 0), ("second", 0), ("other", 1))
    )

    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["conv_stem.weight"], other["conv_stem.weight"])


def test_early_stopping_ends_the_run_and_the_best_epoch_is_restored(
    ask: Ask, image_folder: ImageFolder, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The validation is played: it is best after the second epoch. What was kept is what the network was then."""
    seen: list[dict[str, np.ndarray]] = []

    def played(network: Network, *_: Any, **__: Any) -> dict[str, float]:
        seen.append({name: tensor.numpy().copy() for name, tensor in network.state_dict().items()})
        top1 = (0.3, 0.6, 0.5, 0.6, 0.1)[len(seen) - 1]
        return {"validation_loss": 1.0, "top1": top1, "top5": 1.0}

    monkeypatch.setattr("depthwise.cloud.train.validate", played)
    request = ask(image_folder(images=12), epochs=20, patience=3)

    model = train(request, heard)
    assert isinstance(model, Model)

    assert len(seen) == 5
    assert model.provenance["epochs"] == 2
    assert model.accuracy["validation"]["top1"] == 0.6
    for name, array in model.weights.items():
        np.testing.assert_array_equal(seen[1][name], array)


def test_of_epochs_of_the_same_accuracy_the_one_of_the_least_loss_is_kept(
    ask: Ask, image_folder: ImageFolder, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter((0.9, 0.4, 0.7))
    monkeypatch.setattr(
        "depthwise.cloud.train.validate",
        lambda *_, **__: {"validation_loss": next(losses), "top1": 0.5, "top5": 1.0},
    )

    assert train(ask(image_folder(images=6), epochs=3), heard).provenance["epochs"] == 2


def test_a_diverged_loss_is_refused_with_what_to_do(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    request = ask(
        image_folder(images=12), epochs=30, optimizer="sgd", rate=100.0, warmup=0.0, spec={"activation": "relu"}
    )

    with pytest.raises(Refused, match=r"loss is no longer finite in epoch \d+; remove .* a lower --rate \(it is 100\)"):
        train(request, heard)

    assert not request.out.exists()
    assert heard.open == 0


def test_class_weights_move_the_answer_to_the_rare_class(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    """The classes look alike, so that only their frequency can be learned."""
    data = image_folder(classes=("many",), images=24)
    rare = data / "rare"
    rare.mkdir()
    for number, path in enumerate(sorted((data / "many").iterdir())[:6]):
        pixels = np.asarray(Image.open(path)).copy()
        pixels[0, 0] = number
        Image.fromarray(pixels).save(rare / path.name)

    def bias(name: str, balance: float) -> float:
        settings = {"epochs": 8, "optimizer": "sgd", "rate": 0.2, "warmup": 0.0, "smoothing": 0.0, "frozen": 8}
        model = train(ask(data, name, balance=balance, **settings), heard)
        many, few = weights_of(model)["classifier.bias"]
        return float(many - few)

    assert bias("plain", 0.0) > 2 * abs(bias("balanced", 1.0))


def test_settings_that_would_be_refused_at_the_end_are_refused_at_the_start(
    ask: Ask, image_folder: ImageFolder, heard: Any
) -> None:
    request = ask(image_folder(), extra={"preprocessing": default_preprocessing(64, 3)})

    with pytest.raises(Refused, match="preprocessing crops to 64 pixels and the network takes 32"):
        train(request, heard)

    assert not any(stage[0].startswith("epoch") for stage in heard.stages)


def test_grey_networks_train_too(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    model = train(ask(image_folder(images=6), spec={"channels": 1}), heard)

    assert weights_of(model)["conv_stem.weight"].shape[1] == 1


def test_bfloat16_trains_and_keeps_its_weights_in_float32(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    model = train(ask(image_folder(images=6), precision="bfloat16"), heard)

    arrays = weights_of(model).values()
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
    assert any((array.view(np.uint32) & 0xFFFF).any() for array in arrays)


def test_auto_precision_is_decided_and_recorded(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    model = train(ask(image_folder(images=6), precision="auto"), heard)

    chosen = model.provenance["recipe"]["precision"]
    assert chosen in ("float32", "bfloat16")
    assert f"training in {chosen}, the faster by a short measurement" in heard.notices


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ([(2.0, 1.0)] * 4, "bfloat16"),
        # What else runs slows both of a trial: side by side they can still be compared.
        ([(2.0, 1.0), (9.0, 5.0), (2.0, 1.0), (6.0, 3.0)], "bfloat16"),
        ([(2.0, 1.0), (2.0, 1.0), (2.0, 1.8), (2.0, 1.0)], "float32"),
        ([(1.0, 1.0)] * 4, "float32"),
    ],
)
def test_bfloat16_is_taken_only_where_every_trial_side_by_side_is_clearly_quicker(
    monkeypatch: pytest.MonkeyPatch, seconds: list[tuple[float, float]], chosen: str
) -> None:
    trials = iter([1.0, 1.0, *(one for pair in seconds for one in pair)])
    monkeypatch.setattr("depthwise.cloud.device._seconds", lambda *_: next(trials))

    assert faster_precision(torch.nn.Linear(1, 1), 32, 3, 2, torch.device("cpu")) == chosen


def test_one_step_is_the_step_of_plain_torch() -> None:
    """SGD without momentum in its first step: the weight less the rate times the gradient of the loss."""
    torch.manual_seed(0)
    spec = Spec(width=0.25, resolution=32, classes=3)
    recipe = Recipe(optimizer="sgd", rate=0.1, decay=0.0, warmup=0.0, smoothing=0.0, average=0.0, precision="float32")
    world = World(rank=0, size=1, device=torch.device("cpu"))
    learner = Learner(Network(spec), recipe, default_preprocessing(32, 3), steps=10, counts=[1, 1, 1], world=world)
    twin = Network(spec)
    twin.load_state_dict(learner.network.state_dict())
    pixels = torch.randint(0, 256, (6, 32, 32, 3), dtype=torch.uint8)
    labels = torch.tensor([0, 1, 2, 0, 1, 2])

    learner.prepare(frozen=False)
    rate = learner.rate
    loss, _, images = learner.step(Batch(pixels, labels, labels, 1.0)).tolist()

    logits = twin.train()((pixels.permute(0, 3, 1, 2) - 128.0) / 64)
    expected = torch.nn.functional.cross_entropy(logits, labels)
    expected.backward()
    assert images == 6
    assert loss == pytest.approx(6 * expected.item(), rel=1e-5)
    found = dict(learner.network.named_parameters())
    for name, weight in twin.named_parameters():
        assert weight.grad is not None
        # Nesterov's first step with momentum 0.9 goes 1.9 times the gradient.
        wanted = weight.detach() - rate * 1.9 * weight.grad
        torch.testing.assert_close(found[name].detach(), wanted, rtol=1e-3, atol=2e-5)


def test_epochs_in_between_are_measured_on_a_part_and_are_not_kept(
    ask: Ask, image_folder: ImageFolder, heard: Any, log_of: Callable[[Request], list[dict[str, Any]]], monkeypatch: Any
) -> None:
    monkeypatch.setattr("depthwise.cloud.train.PART", 2)
    request = ask(image_folder(images=16, splits=("train", "val")), epochs=3, validate_every=2)

    model = train(request, heard)

    measured = [line["validation_images"] for line in log_of(request) if line["event"] == "epoch"]
    assert measured == [2, 32, 32]
    assert model.provenance["epochs"] in (2, 3)
    assert model.accuracy["validation"]["images"] == 32
