"""The page: readable offline, safe with any name, bounded in size, and with the right images behind each cell."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthwise.evaluate import pictures
from depthwise.evaluate.page import page
from depthwise.evaluate.report import Report
from depthwise.evaluate.thumbnails import GALLERY, LONGEST_SIDE, MOST_RIGHT, MOST_WRONG, choose
from depthwise.progress import Silent
from tools.answers import report_of

HOSTILE = (
    "</script><script>alert(1)</script>",
    "\"'&{{ 7 * 7 }}<!--",
    "🐳\u2028<img src=x onerror=alert(1)>",
)
VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Checks that tags close in order, and gathers texts, attributes and scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.tags: dict[str, int] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += [(key, value or "") for key, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(key, value or "") for key, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"]:
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif self.open[-1:] != ["style"]:
            self.text += data


def measured(
    folder: Path, labels: tuple[str, ...], *, images: int, size: tuple[int, int] = (40, 30), seed: int = 0
) -> Report:
    """A report with files behind it; about half of the answers are wrong."""
    rng = np.random.default_rng(seed)
    truth = [number % len(labels) for number in range(images)]
    probabilities = rng.dirichlet(np.full(len(labels), 0.4), images)
    probabilities[np.arange(images), truth] += 0.9 / len(labels)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    report = report_of(probabilities.tolist(), truth, labels, folder=folder)
    for number, item in enumerate(report.predictions.items):
        if not item.path.parent.is_dir():
            item.path.parent.mkdir(parents=True)
        # The colour says which image it is.
        Image.new("RGB", size, (number % 16 * 17, number // 16 % 16 * 17, 90)).save(item.path)
    return report


def number_of(uri: str) -> int:
    """Which image a data URI shows, by the colour that `measured` gave it."""
    kind, content = uri.split(",", 1)
    assert kind == "data:image/webp;base64"
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        red, green, _ = np.asarray(image.convert("RGB"), dtype=float).mean(axis=(0, 1))
    return int(round(red / 17) + 16 * round(green / 17))


def data_of(read: Reader) -> dict[str, object]:
    [text] = [text for attributes, text in read.scripts if attributes.get("type") == "application/json"]
    found: dict[str, object] = json.loads(text)
    return found


@pytest.fixture
def many(tmp_path: Path) -> Report:
    """More classes than have numbers in the matrix."""
    return measured(tmp_path, tuple(f"class {number}" for number in range(31)), images=250)


@pytest.fixture
def few(tmp_path: Path) -> Report:
    return measured(tmp_path, ("ant", "bee", "cat"), images=90)


def test_pages_are_well_formed_and_load_nothing(few: Report, many: Report) -> None:
    for report in (few, many):
        text = page(report, Silent())
        read = Reader(text)

        assert read.open == []
        links = [value for key, value in read.attributes if key in ("src", "href", "srcset", "data", "action")]
        assert links
        assert all(link.startswith("data:image/webp;base64,") for link in links)
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg\")|url\(|@import|<link", text)


def test_only_the_pages_own_script_may_run(few: Report) -> None:
    read = Reader(page(few, Silent()))

    [policy] = [value for _, value in read.attributes if value.startswith("default-src")]
    [script] = [text for attributes, text in read.scripts if not attributes]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert not [key for key, _ in read.attributes if key.startswith("on")]


def test_hostile_labels_are_shown_and_do_nothing(tmp_path: Path) -> None:
    report = report_of([[0.1, 0.8, 0.1], [0.2, 0.2, 0.6]], [0, 1], HOSTILE, folder=tmp_path)

    plain = Reader(page(report_of([[0.1, 0.8, 0.1], [0.2, 0.2, 0.6]], [0, 1], ("a", "b", "c")), Silent()))
    read = Reader(page(report, Silent()))

    assert read.tags == plain.tags
    assert data_of(read)["labels"] == list(HOSTILE)
    for label in HOSTILE:
        assert label in read.text


def test_every_cell_opens_its_own_images_the_most_confident_first(few: Report) -> None:
    data = data_of(Reader(page(few, Silent())))
    assert isinstance(data["cells"], list)
    assert isinstance(data["images"], dict)

    truth, predicted = few.predictions.truth, few.predicted
    assert sum(count for _, _, count, _ in data["cells"]) == few.images
    for t, p, count, images in data["cells"]:
        assert count == ((truth == t) & (predicted == p)).sum()
        assert len(images) == min(count, MOST_RIGHT if t == p else MOST_WRONG)
        assert all((truth[i], predicted[i]) == (t, p) for i in images)
        sureness = [few.confidence[i] for i in images]
        assert sureness == sorted(sureness, reverse=t != p)
    for index, (picture, name, probability, of_true) in data["images"].items():
        assert name == few.predictions.name(few.predictions.items[int(index)])
        assert probability == pytest.approx(few.confidence[int(index)])
        assert of_true == pytest.approx(few.predictions.probabilities[int(index), truth[int(index)]])
        if picture is not None:
            assert number_of(picture) == int(index)


def test_the_gallery_shows_the_most_confident_mistakes(many: Report) -> None:
    text = page(many, Silent())

    shown = re.findall(r'<img id="image-(\d+)" src="([^"]+)"', text)
    assert [int(index) for index, _ in shown] == [entry.index for entry in many.mistakes[:GALLERY]]
    assert len(shown) == GALLERY
    assert [number_of(picture) for _, picture in shown] == [int(index) for index, _ in shown]


def test_pictures_are_small_and_together_bounded(tmp_path: Path) -> None:
    report = measured(tmp_path, ("ant", "bee"), images=30, size=(700, 500))

    every = choose(report, Silent())
    half = choose(report, Silent(), most_bytes=sum(map(len, every.pictures.values())) // 2)

    assert len(every.pictures) > 10
    for picture in every.pictures.values():
        with Image.open(io.BytesIO(base64.b64decode(picture.split(",")[1]))) as image:
            assert max(image.size) == LONGEST_SIDE
    assert 0 < len(half.pictures) < len(every.pictures)
    # What is left out is not referred to, and the gallery has the first claim.
    assert half.gallery == every.gallery[: len(half.gallery)]
    assert {index for indices in half.cells.values() for index in indices} <= set(half.pictures)
    Reader(page(report, Silent(), most_bytes=0))


def test_a_file_that_has_gone_is_left_out_of_the_page(few: Report) -> None:
    gone = few.mistakes[0].index
    few.predictions.items[gone].path.unlink()

    chosen = choose(few, Silent())

    assert gone not in chosen.pictures
    assert chosen.gallery[0] == few.mistakes[1].index


def test_the_page_states_the_figures_and_every_class(few: Report) -> None:
    text = Reader(page(few, Silent())).text

    for share in (few.top1, few.top5):
        assert f"{100 * share.share:.1f}%" in text
    for one in few.classes:
        assert one.recall is not None
        assert one.precision is not None
        assert f"{100 * one.recall.share:.1f}%" in text
        assert f"{100 * one.precision:.1f}%" in text
    assert text.count("ant") > 3


def test_a_network_without_a_mistake_has_a_page_too(tmp_path: Path) -> None:
    text = Reader(page(report_of([[0.9, 0.1]], [0], ("a", "b"), folder=tmp_path), Silent())).text

    assert "100.0%" in text
    assert "most confident mistakes" not in text


def test_cells_of_the_matrix_have_their_numbers_and_shades(few: Report) -> None:
    found = pictures.matrix(few)

    assert len(found.cells) == np.count_nonzero(few.confusion)
    for cell in found.cells:
        assert cell.count == few.confusion[cell.true, cell.predicted]
        assert 0 < cell.opacity <= 1
    deepest = max(found.cells, key=lambda cell: cell.opacity)
    assert deepest.count / few.classes[deepest.true].images == max(
        cell.count / few.classes[cell.true].images for cell in found.cells
    )


def test_bars_of_the_reliability_diagram_are_to_scale(few: Report) -> None:
    bins = [entry for entry in few.bins if entry.images]

    for column, entry in zip(pictures.reliability(few), bins, strict=True):
        assert column.x / pictures.CHART == pytest.approx(entry.low)
        assert column.height / pictures.CHART == pytest.approx(entry.accuracy)
        assert column.at / pictures.CHART == pytest.approx(entry.confidence)
    assert max(column.count for column in pictures.reliability(few)) == pictures.BARS
