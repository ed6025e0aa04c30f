"""Random changes, and the batches that are made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from depthwise.cloud import augment
from depthwise.cloud.loader import Loader
from depthwise.cloud.recipe import Recipe
from depthwise.data.folder import Item
from depthwise.data.store import Store, training_store
from depthwise.errors import Refused

# Nothing is changed: each picture is its middle square.
PLAIN: dict[str, Any] = {"crop": 1.0, "flip": False, "colour": 0.0}


def store_of(pictures: list[np.ndarray], labels: list[int] | None = None) -> Store:
    """A store that holds given pixels."""
    items = [Item(Path(str(place)), label) for place, label in enumerate(labels or [0] * len(pictures))]
    return Store(items, lambda item, _: pictures[int(str(item.path))], lambda: None)


@pytest.fixture(scope="module")
def store() -> Store:
    rng = np.random.default_rng(5)
    sizes = [(40, 33), (33, 60), (90, 40), (64, 64), (1, 1), (3, 200), *[(40, 40)] * 15]
    return store_of([rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes], list(range(21)))


RECIPE = Recipe(batch=12, mixup=0.4, cutmix=1.0, seed=3)


def batches(store: Store, recipe: Recipe, epoch: int, steps: range, *, rank: int = 0, world: int = 1) -> list[Any]:
    loader = Loader(store=store, recipe=recipe, resolution=32, rank=rank, world=world)
    made = [loader.batch(epoch, step) for step in steps]
    return [[b.pixels.numpy(), b.labels.numpy(), b.partners.numpy(), b.share] for b in made]


def same(first: list[Any], second: list[Any]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_batch_is_a_function_of_seed_epoch_and_step_alone(store: Store) -> None:
    recipe = Recipe(batch=4, mixup=0.4, cutmix=1.0, seed=3)
    forwards = batches(store, recipe, 2, range(5))
    np.random.seed(99)
    backwards = batches(store, recipe, 2, range(4, -1, -1))[::-1]

    assert all(same(a, b) for a, b in zip(forwards, backwards, strict=True))
    assert not same(forwards[0], forwards[1])
    assert not same(forwards[0], batches(store, recipe, 3, range(1))[0])
    assert not same(forwards[0], batches(store, Recipe(batch=4, mixup=0.4, cutmix=1.0, seed=4), 2, range(1))[0])


def test_batches_made_ahead_come_in_order_from_any_step_on(store: Store) -> None:
    loader = Loader(store=store, recipe=Recipe(batch=4, seed=3), resolution=32)
    assert loader.steps == 5

    for first in (0, 3, 5):
        found = [b.pixels.numpy() for b in loader.epoch(1, first)]

        assert len(found) == 5 - first
        for step, pixels in zip(range(first, 5), found, strict=True):
            np.testing.assert_array_equal(loader.batch(1, step).pixels.numpy(), pixels)


def test_an_epoch_shows_every_image_once_in_an_order_of_its_own() -> None:
    first, second = augment.order(7, 0, 50), augment.order(7, 1, 50)

    assert sorted(first) == sorted(second) == list(range(50))
    assert not np.array_equal(first, second)
    assert not first.flags.writeable


@pytest.mark.parametrize("world", [2, 3, 4])
def test_the_rows_of_all_processes_are_the_batch_of_one(store: Store, world: int) -> None:
    (whole,) = batches(store, RECIPE, 1, range(1))
    parts = [batches(store, RECIPE, 1, range(1), rank=rank, world=world)[0] for rank in range(world)]

    for field in range(3):
        together = np.empty_like(whole[field])
        for rank, part in enumerate(parts):
            together[rank::world] = part[field]
        np.testing.assert_array_equal(whole[field], together)
    assert {part[3] for part in parts} == {whole[3]}


def test_a_batch_that_cannot_be_shared_evenly_is_refused(store: Store) -> None:
    with pytest.raises(Refused, match="--batch 32 cannot be shared among 3 processes evenly; give a multiple"):
        Loader(store=store, recipe=Recipe(batch=32), resolution=32, world=3)
    with pytest.raises(Refused, match="21 training images for 22 processes; start fewer"):
        Loader(store=store, recipe=Recipe(batch=44), resolution=32, world=22)


def test_fewer_images_than_a_batch_are_one_batch(store: Store) -> None:
    loader = Loader(store=store, recipe=Recipe(batch=64), resolution=32, world=2)

    assert (loader.global_batch, loader.steps) == (20, 1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (37, 91), (224, 224), (3, 4)])
def test_random_crops_lie_within_the_image_and_have_the_form_drawn(shape: tuple[int, int]) -> None:
    changes = augment.draw(Recipe(crop=0.01, seed=1), 0, 0, 500, 32)

    for row in range(500):
        left, top, right, bottom = augment._box((*shape, 3), changes, row)
        assert 0 <= left < right <= shape[1]
        assert 0 <= top < bottom <= shape[0]
        # Neither more than was drawn, nor a side that could have been longer.
        area = (right - left) * (bottom - top) / (shape[0] * shape[1])
        assert area <= changes.area[row] * (1 + 1e-9)
        if right - left < shape[1] and bottom - top < shape[0]:
            assert area == pytest.approx(changes.area[row])
            assert (right - left) / (bottom - top) == pytest.approx(changes.aspect[row])


def test_crops_are_spread_over_the_range_of_areas_and_places() -> None:
    changes = augment.draw(Recipe(crop=0.25), 0, 0, 4000, 32)

    for values, low, high in ((changes.area, 0.25, 1), (changes.across, 0, 1), (changes.down, 0, 1)):
        assert values.min() >= low
        assert values.max() <= high
        assert values.mean() == pytest.approx((low + high) / 2, abs=0.02)
    assert changes.mirrored.mean() == pytest.approx(0.5, abs=0.03)


def test_without_changes_a_picture_is_its_middle_square_as_pillow_resizes_it(store: Store) -> None:
    recipe = Recipe(batch=21, **PLAIN)
    pixels, labels, _, share = batches(store, recipe, 0, range(1))[0]

    assert share == 1
    for got, label in zip(pixels, labels, strict=True):
        image = Image.fromarray(store[int(label)])
        side = min(image.size)
        left, top = (image.width - side) / 2, (image.height - side) / 2
        square = image.resize((32, 32), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
        np.testing.assert_array_equal(np.asarray(square), got)


def test_half_of_the_pictures_are_mirrored() -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (32, 32, 3), dtype=np.uint8) for _ in range(40)]
    store = store_of(pictures, list(range(40)))
    plain = batches(store, Recipe(batch=40, **PLAIN), 0, range(1))[0]
    flipped = batches(store, Recipe(batch=40, **{**PLAIN, "flip": True}), 0, range(1))[0]
    changes = augment.draw(Recipe(batch=40, **{**PLAIN, "flip": True}), 0, 0, 40, 32)

    assert 10 < changes.mirrored.sum() < 30
    for row, mirrored in enumerate(changes.mirrored):
        expected = plain[0][row][:, ::-1] if mirrored else plain[0][row]
        np.testing.assert_array_equal(expected, flipped[0][row])


def test_colour_changes_are_brightness_contrast_and_saturation_in_real_numbers() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(60, 190, (32, 32, 3), dtype=np.uint8)
    recipe = Recipe(batch=2, **{**PLAIN, "colour": 0.2})
    found = batches(store_of([picture, picture]), recipe, 0, range(1))[0][0]
    factors = augment.draw(recipe, 0, 0, 2, 32).colour.astype(float)

    for got, (brightness, contrast, saturation) in zip(found, factors, strict=True):
        x = picture * brightness
        x = (x - x.mean()) * contrast + x.mean()
        grey = (x * (0.299, 0.587, 0.114)).sum(-1, keepdims=True)
        x = (x - grey) * saturation + grey
        assert np.abs(x.clip(0, 255) - got).max() <= 0.51
    assert (factors >= 0.8).all()
    assert (factors <= 1.2).all()


def test_mixup_blends_pixels_by_the_share_of_the_labels() -> None:
    dark, light = (np.full((32, 32, 3), value, np.uint8) for value in (0, 250))
    loader = Loader(
        store=store_of([dark, light] * 4, [0, 1] * 4), recipe=Recipe(batch=8, mixup=1.0, **PLAIN), resolution=32
    )

    shares = []
    for epoch in range(40):
        batch = loader.batch(epoch, 0)
        shares.append(float(batch.share))
        expected = 250 * (batch.share * batch.labels + (1 - batch.share) * batch.partners)
        for got, wanted in zip(batch.pixels.numpy(), expected.tolist(), strict=True):
            assert (np.abs(got - wanted) <= 0.51).all()
    # Beta(1, 1) is uniform.
    assert np.mean(shares) == pytest.approx(0.5, abs=0.15)
    assert min(shares) < 0.2
    assert max(shares) > 0.8


@pytest.mark.parametrize("side", [32, 40, 72])
def test_cutmix_shares_are_the_shares_of_the_pixels(side: int) -> None:
    dark, light = (np.full((side, side, 3), value, np.uint8) for value in (0, 1))
    loader = Loader(
        store=store_of([dark, light] * 4, [0, 1] * 4), recipe=Recipe(batch=8, cutmix=1.0, **PLAIN), resolution=side
    )

    for epoch in range(40):
        batch = loader.batch(epoch, 0)
        for row in range(8):
            light_share = batch.pixels[row].double().mean().item()
            expected = batch.share * batch.labels[row].item() + (1 - batch.share) * batch.partners[row].item()
            assert light_share == pytest.approx(expected, abs=1e-12)


def test_the_last_epochs_show_pictures_whole_and_at_full_size_where_that_is_asked_for() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    recipe = Recipe(
        batch=2, epochs=4, crop=0.3, flip=False, colour=0.0, side=48, small=32, full_share=0.5, whole_share=0.25
    )
    loader = Loader(store=store_of([picture] * 2), recipe=recipe, resolution=64)

    found = [loader.batch(epoch, 0).pixels.numpy() for epoch in range(4)]

    assert [pixels.shape[1] for pixels in found] == [32, 32, 48, 64]
    for pixels in found[3]:
        np.testing.assert_array_equal(picture, pixels)


def test_small_pictures_are_made_small() -> None:
    picture = np.zeros((90, 90, 3), np.uint8)
    recipe = Recipe(batch=2, epochs=4, small=32, small_share=0.5, full_share=0.5)
    loader = Loader(store=store_of([picture] * 2), recipe=recipe, resolution=64)

    assert [loader.batch(epoch, 0).pixels.shape[1] for epoch in range(4)] == [32, 32, 64, 64]


def test_grey_images_stay_grey(image_folder: Callable[..., Path]) -> None:
    folder = image_folder()
    items = [Item(path, 0) for path in sorted(folder.glob("*/*"))]
    store = training_store(items, channels=1, side=40, tick=lambda: None)

    batch = Loader(store=store, recipe=Recipe(batch=8, cutmix=0.5), resolution=32).batch(0, 0)

    assert tuple(batch.pixels.shape) == (8, 32, 32, 1)


def test_without_resampling_a_picture_is_a_square_cut_out_of_it_pixel_for_pixel() -> None:
    # Each pixel's value is its place, so that a cut tells where it is from.
    picture = np.arange(40 * 40, dtype=np.uint16).view(np.uint8).reshape(40, 40, 2)[:, :, [0, 1, 1]]
    recipe = Recipe(batch=64, resample=False, flip=False, colour=0.0, side=36)
    loader = Loader(store=store_of([picture] * 64), recipe=recipe, resolution=40)

    found = loader.batch(0, 0).pixels.numpy()

    places = set()
    for pixels in found:
        place = int(pixels[0, 0, 0]) + 256 * int(pixels[0, 0, 1])
        top, left = divmod(place, 40)
        places.add((top, left))
        np.testing.assert_array_equal(picture[top : top + 36, left : left + 36], pixels)
    assert {0, 4} <= {top for top, _ in places}
    assert {0, 4} <= {left for _, left in places}


def test_a_square_that_would_show_less_than_the_least_area_is_a_scaled_crop_instead() -> None:
    # Each pixel's value is its column; a square of 32 pixels shows 64% of the area.
    picture = np.repeat(np.arange(40, dtype=np.uint8)[None, :, None], 40, axis=0).repeat(3, axis=2)

    def widths(crop: float) -> set[int]:
        recipe = Recipe(batch=8, resample=False, flip=False, colour=0.0, side=32, small=32, crop=crop)
        pixels = Loader(store=store_of([picture] * 8), recipe=recipe, resolution=40).batch(0, 0).pixels.numpy()
        return {int(one[0, -1, 0]) - int(one[0, 0, 0]) for one in pixels}

    assert widths(0.5) == {31}
    assert max(widths(0.9)) > 31
