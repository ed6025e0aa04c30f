"""The page: readable offline, safe with any name, and with the figures of the report."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser

import pytest

from depthwise.cost import pictures
from depthwise.cost.page import page
from depthwise.cost.report import report
from depthwise.cost.text import millions, whole
from depthwise.network.spec import Spec

SPECS = {
    "paper": Spec(),
    "standard": Spec(width=0.5, convolution="standard"),
    "shallow": Spec(width=0.3, resolution=100, classes=10, shallow=True),
    "small images": Spec(width=0.25, resolution=32, classes=10, channels=1, unit_strides=(0, 2)),
    "largest": Spec(width=8, resolution=4096, classes=1_000_000),
    "thinnest": Spec(width=0.001, resolution=32, classes=2),
}


class Reader(HTMLParser):
    """Checks that tags close in order, and gathers texts and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("name", SPECS)
def test_the_page_of_every_network_is_well_formed_and_loads_nothing(name: str) -> None:
    text = page(report(SPECS[name], precision="int8"))
    read = Reader(text)

    assert read.open == []
    assert not [value for key, value in read.attributes if key in ("src", "href", "srcset", "data", "action")]
    assert not re.search(r"https?:|url\(|@import|<script|<link", text)
    numbers = [value for key, value in read.attributes if key in ("x", "y", "width", "height") and value]
    assert all(math.isfinite(float(value)) and float(value) >= 0 for value in numbers if value[-1].isdigit())


def test_the_page_states_every_count_of_the_report() -> None:
    found = report(Spec())
    text = " ".join(Reader(page(found)).texts)

    for row in found.rows:
        assert row.layer.name in text
        assert {whole(row.macs), whole(row.parameters), whole(row.weight_bytes)} <= set(re.findall(r"[\d,]+", text))
    for kind in found.kinds:
        assert f"{float(100 * kind.macs_share):.3f} %" in text or kind.kind == "pool"
    for member in found.sweep:
        assert whole(member.totals.macs) in text
    for figure in ("4,867,293,184", "462,422,016", "1/512 + 1/9 = 521/4608 = 0.11306", "196 × 4,608"):
        assert figure in text


def test_a_hostile_name_is_shown_and_does_nothing() -> None:
    name = "<script>alert(1)</script>\"'&{{ 7 * 7 }}"

    text = page(report(Spec()), name=name)

    assert "<script" not in text
    assert name in "".join(Reader(text).texts)


def test_the_bars_of_shares_fill_the_width_in_proportion() -> None:
    found = report(Spec())

    for line, share in zip(pictures.shares(found), ("macs_share", "weights_share"), strict=True):
        assert math.isclose(sum(bar.length for bar in line.bars), pictures.WIDTH)
        for bar, kind in zip(line.bars, found.kinds, strict=True):
            assert math.isclose(bar.length / pictures.WIDTH, getattr(kind, share), abs_tol=1e-12)


@pytest.mark.parametrize("name", SPECS)
def test_pictures_are_to_scale_and_within_the_page(name: str) -> None:
    found = report(SPECS[name])
    lines = pictures.depth(found)

    for track in range(3):
        lengths = [line.bars[track].length for line in lines]
        assert math.isclose(max(lengths), 132)
        assert min(lengths) >= 0
    first, most = lines[0].bars[0].length, max(row.macs for row in found.rows)
    assert math.isclose(first / 132, found.rows[0].macs / most)
    for line in pictures.pairs(found):
        standard, depthwise, pointwise = line.bars
        assert math.isclose(pointwise.x, depthwise.x + depthwise.length)
        assert (depthwise.length + pointwise.length) / standard.length < 0.24
    own = [cell for cell in pictures.family_map(found).cells if cell.is_own]
    assert len(own) == 1
    assert own[0].lines[0] == millions(found.nominal.macs)


def test_the_block_for_the_formulas_is_the_one_that_comes_most_often() -> None:
    assert pictures.example(report(Spec())).place == "blocks.3.1"
    assert pictures.split(pictures.example(report(Spec()))) == (903_168, 51_380_224)
