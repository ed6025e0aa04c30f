"""A student that learns from teachers: what they tell, how it is kept, and which teachers are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from depthwise.cloud.loader import Loader
from depthwise.cloud.optimise import teacher_loss
from depthwise.cloud.recipe import Recipe
from depthwise.cloud.request import Request
from depthwise.cloud.session import train
from depthwise.cloud.teach.heads import FOLDS, fit_heads, folds
from depthwise.data.folder import read_folder
from depthwise.data.store import training_store

Ask = Callable[..., Request]
ImageFolder = Callable[..., Path]

# Teachers without a weight: their numbers are the mean colours of a picture.
MODULE = """
from torch import nn

class Means(nn.Module):
    side = 8

    def forward(self, x):
        return x.mean((2, 3))

class Knows(Means):
    labels = ["dog", "cat"]

    def forward(self, x):
        return 5 * x.mean((2, 3))[:, :2]

means, knows = Means, Knows

def broken():
    raise ValueError("no weights here")

def number():
    return 3

class Tall(nn.Module):
    def forward(self, x):
        return x

tall = Tall
"""


@pytest.fixture
def teachers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module of teachers."""
    name = f"teachers_{tmp_path.parent.name}_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def kept(request: Request) -> np.ndarray[Any, Any]:
    """The logarithms that a run keeps."""
    from safetensors.numpy import load_file

    (file,) = request.run_folder.glob("lessons-*.safetensors")
    return load_file(file)["logarithms"].astype(np.float64)


def test_the_loss_is_the_divergence_of_both_at_the_temperature_times_its_square() -> None:
    rng = np.random.default_rng(0)
    logits, told = rng.normal(size=(2, 4, 3))
    temperature = 2.5
    p, q = (np.exp(x / temperature) / np.exp(x / temperature).sum(1, keepdims=True) for x in (told, logits))
    wanted = temperature**2 * (p * np.log(p / q)).sum(1).mean()

    found = teacher_loss(torch.from_numpy(logits), torch.from_numpy(p), temperature)

    assert float(found) == pytest.approx(wanted, rel=1e-6)


def test_what_teachers_say_of_a_mixed_picture_is_mixed_as_its_pixels_are(image_folder: ImageFolder) -> None:
    items = read_folder(image_folder(images=6)).train
    store = training_store(items, channels=3, side=32, tick=lambda: None)
    recipe = Recipe(batch=4, mixup=1.0, temperature=2.0, seed=3)
    logarithms = np.log(np.random.default_rng(1).dirichlet((1, 1), len(store))).astype(np.float16)

    batch = Loader(store=store, recipe=recipe, resolution=32, lessons=logarithms).batch(1, 0)

    rows = np.random.default_rng([0, 3, 1]).permutation(len(store))[:4]
    softened = np.exp(logarithms.astype(np.float64) / 2)
    softened /= softened.sum(1, keepdims=True)
    assert 0 < batch.share < 1
    assert batch.taught is not None
    # Which picture was mixed in is seen by where nothing else adds up.
    rest = (batch.taught.numpy() - batch.share * softened[rows]) / (1 - batch.share)
    assert all(np.abs(softened[rows] - row).sum(1).min() < 1e-4 for row in rest)


def test_no_picture_is_judged_by_a_head_that_has_seen_it() -> None:
    """Features that say nothing but which picture it is: a head knows its own by heart, and no other."""
    rng = np.random.default_rng(0)
    features = np.repeat(rng.normal(size=(200, 1, 300)), 2, axis=1).astype(np.float16)
    labels = rng.integers(2, size=200)
    fold = folds([f"{index}.jpg" for index in range(200)])

    told = fit_heads(features, labels, features[:0], fold, classes=2, seed=0, tick=lambda: None)

    assert np.bincount(fold, minlength=FOLDS).min() > 20
    assert float((told.train.argmax(1).numpy() == labels).mean()) < 0.65


def test_a_network_of_the_same_classes_teaches_by_its_answers_in_the_order_of_the_student(
    ask: Ask, image_folder: ImageFolder, heard: Any, teachers: str
) -> None:
    request = ask(image_folder(images=6), extra={"distill": f"{teachers}:knows"})
    train(request, heard)

    items = read_folder(request.data).train
    stores = training_store(items, channels=3, side=8, tick=lambda: None)
    for index, row in enumerate(kept(request)):
        means = stores[index].mean((0, 1)) / 255
        # The module gives a dog red and a cat green; folders are in the order of their names.
        assert row[1] - row[0] == pytest.approx(5 * (means[0] - means[1]), abs=0.05)
    assert f"teacher {teachers}:knows: validation top-1" in heard.text


def test_features_teach_through_a_head_and_several_teachers_by_their_mean(
    ask: Ask, image_folder: ImageFolder, heard: Any, teachers: str
) -> None:
    data = image_folder(images=6)
    both = ask(data, extra={"distill": f"{teachers}:means, {teachers}:knows"})
    alone = [ask(data, name, extra={"distill": f"{teachers}:{name}"}) for name in ("means", "knows")]
    for request in (both, *alone):
        train(request, heard)

    first, second = (np.exp(kept(request)) for request in alone)
    assert np.allclose(np.exp(kept(both)), (first + second) / 2, atol=2e-3)
    assert "their mean: validation top-1" in heard.text
