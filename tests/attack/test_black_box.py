"""Attacks that only ask, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from depthwise.attack.blackbox.rays import RayS
from depthwise.attack.blackbox.square import Square
from depthwise.attack.budget import Budget, Floats, Images
from depthwise.attack.draws import Draws
from depthwise.attack.frame import attacked
from depthwise.attack.subject import FunctionSubject
from depthwise.errors import Refused

ZEROS = np.zeros(3, np.int64)
DRAWS = Draws(1, (5, 6, 7))


def linear(side: int, offset: float) -> tuple[FunctionSubject, np.ndarray]:
    """Scores 0 and `w x - offset` of images around 128, and w."""
    weight = np.random.default_rng(side).normal(size=(side, side, 3)) / side**2

    def scores(images: Images) -> Floats:
        value = ((images.astype(np.float64) - 128) * weight).sum(axis=(1, 2, 3)) - offset
        return np.stack([np.zeros_like(value), value], 1).astype(np.float32)

    return FunctionSubject("linear", scores), weight


def pixels(side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(100, 157, (3, side, side, 3)).astype(np.uint8)


@pytest.mark.parametrize(("side", "queries"), [(4, 1000), (8, 5000)])
def test_square_reaches_the_worst_case_of_a_linear_network_of_small_images(side: int, queries: int) -> None:
    subject, weight = linear(side, offset=30.0)

    found = attacked(Square(budget=Budget(eps=4 / 255), queries=queries), subject, pixels(side), ZEROS, DRAWS)

    assert (found.images == pixels(side) + 4 * np.sign(weight)).all()
    assert found.counts.tolist() == [queries] * 3
    assert found.until.tolist() == [0, 0, 0]


def test_square_stops_at_the_question_that_fools_and_says_which_that_was() -> None:
    subject, _ = linear(4, offset=8.0)

    found = attacked(Square(budget=Budget(eps=20 / 255), queries=400), subject, pixels(4), ZEROS, DRAWS)

    assert found.fooled.all()
    assert (found.counts == found.until).all()
    assert 0 < found.counts.max() < 400


def test_the_search_along_rays_finds_the_nearest_level_of_a_linear_network_by_its_labels() -> None:
    subject, weight = linear(4, offset=12.0)
    # How far all pixels must go, each on its best way, until the other label is said.
    nearest = -subject.scores(pixels(4))[:, 1] / np.abs(weight).sum()

    found = attacked(RayS(budget=Budget(eps=1), queries=1000), subject, pixels(4), ZEROS, DRAWS)

    assert found.fooled.all()
    assert (found.sizes * 255 > nearest).all()
    assert (found.sizes * 255 < nearest + 1.2).all()


def test_what_is_drawn_for_an_image_does_not_depend_on_the_others() -> None:
    subject, _ = linear(8, offset=2.0)
    for attack in (Square(budget=Budget(eps=6 / 255), queries=60), RayS(budget=Budget(eps=6 / 255), queries=60)):
        whole = attacked(attack, subject, pixels(8), ZEROS, DRAWS)
        alone = attacked(attack, subject, pixels(8)[1:2], ZEROS[:1], Draws(1, (6,)))

        assert (whole.images[1] == alone.images[0]).all()
        assert whole.counts[1] == alone.counts[0]


def test_what_needs_bounds_of_pixels_is_refused_under_l2() -> None:
    for attack in (Square, RayS):
        with pytest.raises(Refused, match="which only --norm linf has"):
            attack(budget=Budget(norm="l2", eps=0.5))
