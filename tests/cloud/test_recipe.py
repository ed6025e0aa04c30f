"""Settings of a training run."""

from __future__ import annotations

from typing import Any

import pytest

from depthwise.cloud.recipe import Recipe
from depthwise.errors import Refused


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"epochs": 0}, "epochs is 0; it must be from 1 to 100,000"),
        ({"batch": 1}, "batch is 1; it must be from 2"),
        ({"rate": float("nan")}, "rate is nan; it must be from"),
        ({"crop": 0}, "crop is 0; it must be from 0.01 to 1"),
        ({"average": 1.0}, "average is 1.0"),
        ({"small": 16}, "small is 16; it must be from 32 to 4,096, or 0 for none"),
        ({"optimizer": "lion"}, "optimizer is 'lion'; it must be one of sgd, adamw"),
        ({"precision": "float16"}, "precision is 'float16'; it must be one of auto, float32, bfloat16"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        Recipe(**settings)


def test_a_recipe_comes_back_from_its_fields_and_unknown_ones_are_refused() -> None:
    recipe = Recipe(epochs=3, mixup=0.2, flip=False)

    assert Recipe.from_dict(recipe.to_dict()) == recipe
    with pytest.raises(Refused, match="unknown settings 'lookahead'; update depthwise"):
        Recipe.from_dict({**recipe.to_dict(), "lookahead": 1})


def test_pictures_grow_from_small_to_full_in_steps_of_eight() -> None:
    recipe = Recipe(epochs=10, small=32, small_share=0.4, full_share=0.3)

    sides = [recipe.resolution(epoch, 64) for epoch in range(10)]

    assert sides[:4] == [32] * 4
    assert sides[7:] == [64] * 3
    assert sides == sorted(sides)
    assert all(32 < side < 64 and side % 8 == 0 for side in sides[4:7])


@pytest.mark.parametrize("epochs", [1, 2, 3, 30])
@pytest.mark.parametrize("full_share", [0.0, 0.01, 1.0])
@pytest.mark.parametrize("small_share", [0.0, 1.0])
def test_the_last_epoch_is_at_full_size_whatever_the_shares(epochs: int, full_share: float, small_share: float) -> None:
    recipe = Recipe(epochs=epochs, small=32, small_share=small_share, full_share=full_share)

    assert recipe.resolution(epochs - 1, 96) == 96


def test_small_pictures_are_never_larger_than_full_ones() -> None:
    assert {Recipe(epochs=4, small=128).resolution(epoch, 64) for epoch in range(4)} == {64}
    assert {Recipe(epochs=4).resolution(epoch, 64) for epoch in range(4)} == {64}
