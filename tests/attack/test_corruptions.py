"""What happens to pictures without an enemy."""

from __future__ import annotations

import numpy as np
import pytest

from depthwise.attack.corruptions import STRENGTHS, corrupted, measure
from depthwise.attack.draws import Draws
from depthwise.attack.subject import FunctionSubject
from depthwise.progress import Silent

# A slope of grey, so that every kind of change shows.
SLOPE = np.tile(np.linspace(40, 215, 32)[:, None, None], (1, 32, 3)).astype(np.uint8)
IMAGES = np.stack([SLOPE, SLOPE[::-1]])
DRAWS = Draws(0, (3, 4))


@pytest.mark.parametrize("kind", STRENGTHS)
def test_a_stronger_change_changes_more_and_is_the_same_again(kind: str) -> None:
    rough = np.random.default_rng(0).integers(40, 216, (2, 32, 32, 3)).astype(np.uint8)
    made = [corrupted(kind, strength, rough, DRAWS) for strength in (1, 5)]
    change = [float(np.abs(one.astype(int) - rough).mean()) for one in made]

    assert made[0].shape == rough.shape
    assert change[0] > 0
    assert change[0] < change[1] or kind in ("rotation", "shift")
    assert (corrupted(kind, 5, rough[1:], Draws(0, (4,)))[0] == made[1][1]).all()


def test_light_and_place_change_as_they_say() -> None:
    brighter = corrupted("brightness", 2, IMAGES, DRAWS).astype(int) - IMAGES
    flatter = corrupted("contrast", 2, IMAGES, DRAWS)
    shifted = corrupted("shift", 5, IMAGES, DRAWS)

    assert set(np.abs(brighter).ravel()) == {35}
    assert flatter.std() == pytest.approx(0.55 * IMAGES.std(), rel=0.02)
    middle = slice(8, 24)
    assert np.abs(shifted[0, middle].astype(int) - IMAGES[0, middle]).mean() == pytest.approx(7 * 175 / 31, rel=0.05)


def test_accuracy_is_measured_for_every_kind_and_strength() -> None:
    """Of a network that looks which half is brighter: no change of light or noise turns that round."""
    judge = FunctionSubject(
        "halves", lambda x: np.stack([x[:, 16:].mean((1, 2, 3)), x[:, :16].mean((1, 2, 3))], 1).astype(np.float32)
    )

    found = measure(judge, IMAGES, np.array([0, 1]), DRAWS, Silent())

    assert found.clean.share == 1
    assert set(found.shares) == set(STRENGTHS)
    assert all(len(shares) == 5 for shares in found.shares.values())
    assert found.mean == 1
