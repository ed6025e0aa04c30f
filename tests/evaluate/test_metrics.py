"""Each figure against numbers done by hand, a published table, or the definition written down another way."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depthwise.evaluate.metrics import (
    LEAST,
    Share,
    calibration_error,
    class_figures,
    confused_pairs,
    confusion,
    log_loss,
    ranks,
    reliability,
)


# Newcombe, Two-sided confidence intervals for the single proportion, doi:10.1002/(SICI)1097-0258(19980430)17:8<857,
# Table I, method 3.
@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_that_of_the_published_table(count: int, of: int, low: float, high: float) -> None:
    found = Share(count, of).interval

    assert tuple(round(end, 4) for end in found) == (low, high)


@pytest.mark.parametrize(("count", "of"), [(0, 1), (1, 1), (1, 2), (7, 10), (239, 372), (9_999, 10_000)])
def test_at_the_ends_of_the_interval_the_share_lies_196_standard_deviations_away(count: int, of: int) -> None:
    low, high = Share(count, of).interval

    assert 0 <= low <= count / of <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert math.isclose(abs(count / of - end) / math.sqrt(end * (1 - end) / of), 1.959964, rel_tol=1e-6)


def test_ranks_are_places_in_a_stable_sort() -> None:
    rng = np.random.default_rng(0)
    # Few different values, so that many are equal.
    probabilities = rng.integers(0, 4, (200, 7)).astype(np.float32) / 4
    truth = rng.integers(0, 7, 200)

    expected = [
        [k for _, k in sorted((-share, k) for k, share in enumerate(row))].index(label)
        for row, label in zip(probabilities.tolist(), truth.tolist(), strict=True)
    ]

    assert ranks(probabilities, truth).tolist() == expected


def test_the_first_place_is_the_label_that_argmax_gives() -> None:
    probabilities = np.array([[0.4, 0.4, 0.2], [0.4, 0.4, 0.2], [0.1, 0.2, 0.7]], dtype=np.float32)

    assert ranks(probabilities, np.array([0, 1, 2])).tolist() == [0, 1, 0]
    assert probabilities.argmax(axis=1).tolist() == [0, 0, 2]


def test_rows_of_the_matrix_are_right_classes_and_columns_answers() -> None:
    truth, predicted = np.array([0, 0, 0, 2, 2]), np.array([0, 1, 1, 2, 0])

    assert confusion(truth, predicted, 4).tolist() == [[1, 2, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]


def test_precision_recall_and_f1_by_hand() -> None:
    matrix = np.array([[6, 2, 0, 0], [1, 3, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    matrix[3, 1] = 5

    a, b, c, d = class_figures(("a", "b", "c", "d"), matrix)

    assert (a.images, a.predicted, a.right) == (8, 7, 6)
    assert (a.precision, a.recall, a.f1) == (6 / 7, Share(6, 8), 12 / 15)
    assert (b.precision, b.recall, b.f1) == (3 / 10, Share(3, 4), 6 / 14)
    assert (c.precision, c.recall, c.f1) == (None, None, None)
    assert (d.precision, d.recall, d.f1) == (None, Share(0, 5), 0.0)


def test_f1_is_the_harmonic_mean() -> None:
    one, _ = class_figures(("a", "b"), np.array([[7, 4], [9, 1]]))
    assert one.precision is not None
    assert one.recall is not None
    assert one.f1 is not None

    assert math.isclose(1 / one.f1, (1 / one.precision + 1 / one.recall.share) / 2)


def test_pairs_come_by_number_then_by_share_and_without_right_answers() -> None:
    matrix = np.array([[90, 3, 0], [0, 5, 3], [4, 0, 1]])

    found = [(pair.true, pair.predicted, pair.images, pair.share) for pair in confused_pairs(matrix)]

    assert found == [(2, 0, 4, 4 / 5), (1, 2, 3, 3 / 8), (0, 1, 3, 3 / 93)]


def test_log_loss_by_hand() -> None:
    probabilities = np.array([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]], dtype=np.float32)

    assert math.isclose(log_loss(probabilities, np.array([0, 2])), (math.log(2) + math.log(4)) / 2)


def test_a_right_label_of_probability_zero_costs_much_but_not_all() -> None:
    found = log_loss(np.array([[1.0, 0.0]], dtype=np.float32), np.array([1]))

    assert found == pytest.approx(-math.log(LEAST))
    assert 87 < found < 88


def test_bins_hold_what_the_definition_says() -> None:
    """arXiv:1706.04599 section 2: the bin m of M holds confidences in ((m - 1) / M, m / M]."""
    rng = np.random.default_rng(1)
    confidence = np.concatenate([rng.uniform(0.05, 1, 500), [0.2, 1 / 3, 0.4, 2 / 3, 1.0, 1e-30]])
    right = rng.uniform(size=len(confidence)) < confidence

    found = reliability(confidence, right)

    assert len(found) == 15
    for m, entry in enumerate(found, start=1):
        inside = [
            (c, r) for c, r in zip(confidence.tolist(), right.tolist(), strict=True) if (m - 1) / 15 < c <= m / 15
        ]
        assert entry.images == len(inside)
        if inside:
            assert entry.confidence == pytest.approx(sum(c for c, _ in inside) / len(inside))
            assert entry.accuracy == pytest.approx(sum(r for _, r in inside) / len(inside))
        else:
            assert (entry.confidence, entry.accuracy) == (None, None)
    assert sum(entry.images for entry in found) == len(confidence)


def test_calibration_error_by_hand() -> None:
    # One bin claims 0.9 and holds 1 of 2, the other claims 0.5 and holds 1 of 1.
    bins = reliability(np.array([0.9, 0.9, 0.5]), np.array([True, False, True]))

    assert calibration_error(bins) == pytest.approx((2 * 0.4 + 1 * 0.5) / 3)


def test_a_network_that_is_right_as_often_as_it_says_has_no_calibration_error() -> None:
    confidence = np.repeat([0.25, 0.5, 0.75], 4)
    right = np.array([1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0], dtype=bool)

    assert calibration_error(reliability(confidence, right)) == pytest.approx(0)
