"""The record, and the document and tables that are made from it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from depthwise.data.folder import Item
from depthwise.data.store import Unreadable
from depthwise.evaluate.document import document
from depthwise.evaluate.report import Report
from depthwise.evaluate.tables import MOST_CLASSES, tables
from depthwise.evaluate.text import advice, sureness, top5_meaning, where
from tools.answers import report_of

LABELS = ("ant", "bee", "cat", "dog", "elk", "fox", "gnu")


def small() -> Report:
    """Six images of two of seven classes; two are wrong, one of them with the right label in the sixth place."""
    return report_of(
        [
            [0.70, 0.30, 0, 0, 0, 0, 0],
            [0.90, 0.10, 0, 0, 0, 0, 0],
            [0.20, 0.80, 0, 0, 0, 0, 0],
            [0.00, 0.60, 0.1, 0.1, 0.1, 0.1, 0],
            [0.10, 0.15, 0.25, 0.25, 0.20, 0, 0.05],
            [0.05, 0.95, 0, 0, 0, 0, 0],
        ],
        [0, 0, 0, 1, 6, 1],
        LABELS,
        unreadable=(Unreadable(Item(Path("images/bee/x.png"), 1), "images/bee/x.png: is empty"),),
    )


def test_the_figures_by_hand() -> None:
    found = small()

    assert (found.top1.count, found.top5.count, found.images) == (4, 5, 6)
    assert found.balanced_top1 == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert found.macro_f1 == pytest.approx((4 / 5 + 4 / 5 + 0) / 3)
    assert found.mean_confidence == pytest.approx((0.7 + 0.9 + 0.8 + 0.6 + 0.25 + 0.95) / 6)
    assert found.images_per_second == 12


def test_mistakes_come_with_the_most_confident_first() -> None:
    found = [(m.index, m.true, m.predicted) for m in small().mistakes]

    assert found == [(2, 0, 1), (4, 6, 2)]
    assert small().mistakes[0].probability == pytest.approx(0.8)
    assert small().mistakes[0].true_probability == pytest.approx(0.2)


def test_the_document_is_json_and_holds_the_figures() -> None:
    found = json.loads(json.dumps(document(small(), least_top1=0.6), allow_nan=False))

    assert found["schema"] == 1
    assert (found["images"], found["top1"]["right"], found["top1"]["share"]) == (6, 4, 4 / 6)
    assert found["top1"]["interval95"] == pytest.approx([0.3000, 0.9032], abs=1e-4)
    assert found["unreadable"] == [{"image": "bee/x.png", "class": "bee", "reason": "images/bee/x.png: is empty"}]
    assert found["classes"][2] == {
        "label": "cat", "images": 0, "predicted": 1, "right": 0,
        "precision": 0, "recall": None, "recall_interval95": None, "f1": 0,
    }  # fmt: skip
    assert [sum(row) for row in found["confusion"]] == [3, 2, 0, 0, 0, 0, 1]
    assert sum(entry["images"] for entry in found["calibration"]["bins"]) == 6
    assert found["confused_pairs"][0] == {"true": "gnu", "predicted": "cat", "images": 1, "share": 1}
    assert found["mistakes"][0]["image"] == "ant/002.png"
    assert found["gate"] == {"min_top1": 0.6, "holds": True}
    assert document(small())["gate"] is None


def test_a_gate_that_is_met_exactly_holds() -> None:
    assert document(small(), least_top1=4 / 6)["gate"]["holds"]
    assert not document(small(), least_top1=math.nextafter(4 / 6, 1))["gate"]["holds"]


def test_the_tables_show_the_figures_of_the_document() -> None:
    headline, classes, matrix, pairs = tables(small())

    cells = {row[0]: row[1] for row in headline.rows}
    assert (cells["top-1"], cells["top-5"], cells["balanced top-1"]) == ("66.67%", "83.33%", "55.56%")
    assert classes.rows[0] == ("ant", "3", "100.0%", "66.7%", "20.8% to 93.9%", "80.0%")
    assert classes.rows[2] == ("cat", "0", "0.0%", "–", "–", "0.0%")
    assert matrix.rows[0] == ("1 ant", "2", "1", "·", "·", "·", "·", "·")
    assert pairs.rows == (("gnu", "cat", "1", "100.0%"), ("ant", "bee", "1", "33.3%"))


def test_of_many_classes_the_weakest_are_listed() -> None:
    names = tuple(f"c{number:03}" for number in range(60))
    rows = [[0.0] * 60 for _ in range(60)]
    for number, row in enumerate(rows):
        row[0 if number == 41 else number] = 1.0

    found = tables(report_of(rows, list(range(60)), names))

    assert [table.title for table in found] == ["", f"The {MOST_CLASSES} weakest of 60 classes", "Most confused"]
    assert found[1].rows[0][0] == "c041"
    assert len(found[1].rows) == MOST_CLASSES


def test_plain_words_say_which_way_it_errs() -> None:
    assert "too sure" in sureness(small())
    assert "too modest" in sureness(report_of([[0.6, 0.4]] * 2, [0, 0], ("a", "b")))
    assert "as often as it is right" in sureness(report_of([[1, 0]] * 2, [0, 0], ("a", "b")))
    assert advice(small()) == ("commonest mistake: gnu taken for cat, 1 of 1", "weakest class: gnu, 0 of 1 found")
    assert advice(report_of([[1, 0]], [0], ("a", "b"))) == ()
    assert where(small()) == "6 images of 3 of its 7 classes from images"
    assert "only 2 classes" in top5_meaning(report_of([[1, 0]], [0], ("a", "b")))
