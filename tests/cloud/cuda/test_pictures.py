"""Pictures that are made on a device, here the CPU, against those that augment.py makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from depthwise.cloud.cuda.pictures import DevicePictures
from depthwise.cloud.loader import Loader
from depthwise.cloud.recipe import Recipe
from depthwise.data.folder import Item
from depthwise.data.store import Pixels, Store, resized

SIZES = [(40, 33), (33, 60), (90, 40), (64, 64), (1, 1), (3, 200), (300, 280), *[(40, 40)] * 5]


@pytest.fixture(scope="module")
def store() -> Store:
    rng = np.random.default_rng(5)
    pictures = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in SIZES]
    items = [Item(Path(str(place)), place % 3) for place in range(len(pictures))]
    return Store(items, lambda item, _: pictures[int(str(item.path))], lambda: None)


def across_then_down(image: Pixels, size: tuple[int, int], box: Any = None) -> Pixels:
    """`resized`, in the order of docs/preprocessing.md P4 and P5 with any version of Pillow."""
    left, top, right, bottom = box or (0, 0, image.shape[1], image.shape[0])
    rows = resized(image, (size[0], image.shape[0]), box=(left, 0, right, image.shape[0]))
    return resized(rows, size, box=(0, top, size[0], bottom))


def batches(store: Store, side: int, **settings: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """What the CPU makes of twelve images, and what the device does."""
    recipe = Recipe(batch=12, seed=3, **settings)
    made = DevicePictures(store, torch.device("cpu"))
    plain = Loader(store=store, recipe=recipe, resolution=side)
    ours = Loader(store=store, recipe=recipe, resolution=side, make=made)
    return plain.batch(1, 0).pixels, ours.batch(1, 0).pixels


WAYS: dict[str, dict[str, Any]] = {
    "crops": {},
    "middles": {"crop": 1.0},
    "parts as they are": {"resample": False, "crop": 0.2},
    "mixup": {"mixup": 0.4},
    "cutmix": {"cutmix": 1.0},
}


@pytest.mark.parametrize("settings", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("side", [32, 72])
def test_pictures_without_colours_have_the_bytes_of_the_rule(
    store: Store, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], side: int
) -> None:
    monkeypatch.setattr("depthwise.cloud.augment.resized", across_then_down)
    wanted, found = batches(store, side, colour=0.0, **settings)

    assert torch.equal(found, wanted)


def test_pictures_are_off_by_one_at_most_where_pillow_takes_columns_first(store: Store) -> None:
    wanted, found = batches(store, 32, colour=0.0)
    off = (found.int() - wanted.int()).abs()

    assert off.max() <= 1
    assert (off > 0).double().mean() < 0.05


def test_colours_are_off_by_one_level_in_few_values(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depthwise.cloud.augment.resized", across_then_down)
    wanted, found = batches(store, 72, colour=0.3)
    off = (found.int() - wanted.int()).abs()

    assert off.max() <= 1
    assert (off > 0).double().mean() < 1e-3


def test_each_process_makes_its_own_rows(store: Store) -> None:
    recipe = Recipe(batch=12, seed=3, mixup=0.4, colour=0.0)
    made = DevicePictures(store, torch.device("cpu"))
    whole = Loader(store=store, recipe=recipe, resolution=32, make=made).batch(0, 0).pixels
    part = Loader(store=store, recipe=recipe, resolution=32, make=made, rank=1, world=2).batch(0, 0).pixels

    assert torch.equal(part, whole[1::2])
