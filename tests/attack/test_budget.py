"""What a budget allows, against plain arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from depthwise.attack.budget import Budget, parse_eps
from depthwise.attack.draws import Draws
from depthwise.errors import Refused

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, 6, 5, 3)).astype(np.uint8)


@pytest.mark.parametrize(("text", "levels"), [("4/255", 4), ("0.03", 7), ("1/300", 0), ("1", 255), ("8/255", 8)])
def test_a_bound_that_is_no_whole_level_is_the_one_below_it(text: str, levels: int) -> None:
    assert Budget(eps=parse_eps(text)).radius == levels


@pytest.mark.parametrize("text", ["", "x", "-1/255", "4/0", "nan", "1/2/3", "inf"])
def test_a_bound_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=r"--eps is .*such as 4/255"):
        parse_eps(text)


def test_a_bound_beyond_the_range_of_pixels_is_refused() -> None:
    with pytest.raises(Refused, match=r"eps is 2; it must be from 0 to 1"):
        Budget(eps=2)


def test_whole_bytes_stay_within_either_budget_and_use_it() -> None:
    wild = IMAGES + RNG.normal(0, 9, IMAGES.shape)
    for budget, least in ((Budget(eps=0.03), 7 / 255), (Budget(norm="l2", eps=0.2), 0.19)):
        clipped = budget.clip(IMAGES, wild)

        assert (clipped == np.rint(clipped)).all()
        assert clipped.min() >= 0
        assert clipped.max() <= 255
        assert (budget.size(IMAGES, clipped) <= budget.eps + 1e-12).all()
        assert (budget.size(IMAGES, clipped) >= least).all()


def test_what_is_within_the_budget_stays_as_it_is() -> None:
    near = np.clip(IMAGES + RNG.integers(-3, 4, IMAGES.shape), 0, 255).astype(np.float32)
    for budget in (Budget(eps=3 / 255), Budget(norm="l2", eps=9), Budget(norm="l2", eps=9, whole=False)):
        assert budget.clip(IMAGES, near) == pytest.approx(near, abs=1e-4)


def test_draws_of_an_image_depend_on_seed_and_number_alone() -> None:
    many = Draws(5, (3, 8, 1))
    alone, other = Draws(5, (8,)), many.of([2, 0])

    assert (many.uniform("a", (2, 2))[1] == alone.uniform("a", (2, 2))[0]).all()
    assert (many.normal("a", (4,))[1] == alone.normal("a", (4,))[0]).all()
    assert (many.integers("a", (3,), 9)[0] == other.integers("a", (3,), 9)[1]).all()
    assert (many.uniform("a", (9,)) != many.uniform("b", (9,))).any()
    assert (many.uniform("a", (9,)) != Draws(6, many.numbers).uniform("a", (9,))).any()
