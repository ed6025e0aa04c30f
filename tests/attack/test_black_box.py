"""Attacks that only ask, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from depthwise.attack.blackbox.hills import hill_and_valley
from depthwise.attack.blackbox.rays import RayS
from depthwise.attack.blackbox.square import Square
from depthwise.attack.budget import Budget, Floats, Images
from depthwise.attack.draws import Draws
from depthwise.attack.frame import attacked
from depthwise.attack.subject import FunctionSubject

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
    l2 = Budget(norm="l2", eps=0.2)
    linf = Budget(eps=6 / 255)
    for attack in (*(kind(budget=budget, queries=60) for kind in (Square, RayS) for budget in (linf, l2)),):
        whole = attacked(attack, subject, pixels(8), ZEROS, DRAWS)
        alone = attacked(attack, subject, pixels(8)[1:2], ZEROS[:1], Draws(1, (6,)))

        assert (whole.images[1] == alone.images[0]).all()
        assert whole.counts[1] == alone.counts[0]


def test_square_under_l2_comes_near_the_worst_case_of_a_linear_network_of_small_images() -> None:
    weight = np.full((4, 4, 3), 0.01)
    weight[:, 2:] *= -1

    def scores(images: Images) -> Floats:
        value = ((images.astype(np.float64) - pixels(4)) * weight).sum(axis=(1, 2, 3)) - 1000
        return np.stack([np.zeros_like(value), value], 1).astype(np.float32)

    budget, subject = Budget(norm="l2", eps=0.2, whole=False), FunctionSubject("linear", scores)
    found = attacked(Square(budget=budget, queries=400), subject, pixels(4), ZEROS, DRAWS)

    gained = ((found.images - pixels(4)) * weight).sum(axis=(1, 2, 3))
    assert found.sizes == pytest.approx([0.2] * 3, rel=1e-3)
    # No change of a length gains more than the one along the weights; one drawn at random gains a seventh of that.
    assert (gained > 0.7 * 0.2 * 255 * np.linalg.norm(weight)).all()


def test_square_under_l2_asks_about_whole_bytes_no_further_away_than_allowed() -> None:
    subject, _ = linear(8, offset=100.0)
    asked: list[np.ndarray] = []

    def scores(images: Images) -> Floats:
        asked.append(images.copy())
        return subject.scores(images)

    found = attacked(
        Square(budget=Budget(norm="l2", eps=0.1), queries=80), FunctionSubject("kept", scores), pixels(8), ZEROS, DRAWS
    )

    changes = [one.astype(int) - pixels(8) for one in asked if len(one) == 3]
    assert {one.dtype for one in asked[:-1]} == {np.dtype(np.uint8)}
    assert max(float((change**2).sum(axis=(1, 2, 3)).max()) for change in changes) <= (0.1 * 255) ** 2
    assert found.audit.beyond == 0
    assert found.sizes.min() > 0.09


@pytest.mark.parametrize("side", [1, 2, 5, 6])
def test_a_hill_and_its_valley_are_those_of_the_paper(side: int) -> None:
    def height_at(r: int, s: int, tall: int, wide: int) -> float:
        n = tall // 2
        last = n - max(abs(r - n - 1), abs(s - wide // 2 - 1))
        return sum(1 / (n + 1 - k) ** 2 for k in range(last + 1))

    left = side // 2
    expected = [
        [height_at(r, s, side, left) for s in range(1, left + 1)]
        + [-height_at(r, s, side, side - left) for s in range(1, side - left + 1)]
        for r in range(1, side + 1)
    ]
    assert hill_and_valley(side) == pytest.approx(np.array(expected))


def test_the_search_along_rays_leaves_out_what_does_not_help_under_l2() -> None:
    # Only one value in six matters.
    weight = np.zeros((4, 4, 3))
    weight[::2, :, 0] = [[0.1, -0.1, 0.1, 0.1], [-0.1, 0.1, 0.1, -0.1]]

    def scores(images: Images) -> Floats:
        value = ((images.astype(np.float64) - pixels(4)[: len(images)]) * weight).sum(axis=(1, 2, 3)) - 8
        return np.stack([np.zeros_like(value), value], 1).astype(np.float32)

    subject = FunctionSubject("linear", scores)
    budget = Budget(norm="l2", eps=1)
    found = attacked(RayS(budget=budget, queries=1500), subject, pixels(4)[:1], ZEROS[:1], Draws(1, (5,)))

    nearest = 8 / np.linalg.norm(weight) / 255
    assert found.fooled.all()
    assert nearest < found.sizes[0] < 1.05 * nearest
