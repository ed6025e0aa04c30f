"""A folder through a network: what is measured, what is left out, and what is refused."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthwise.errors import Refused
from depthwise.evaluate.predictions import predict_folder
from depthwise.evaluate.predictor import TOGETHER
from depthwise.evaluate.report import Report
from depthwise.progress import Silent
from tools.answers import Colours

RED, GREEN, BLUE = (200, 30, 20), (10, 180, 40), (20, 30, 220)


class Listener(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self.total = self.done = 0

    def begin(self, title: str, total: int, done: int = 0) -> None:
        self.total = total

    def advance(self, **figures: str) -> None:
        self.done += 1

    def notice(self, text: str) -> None:
        self.notices.append(text)


def put(folder: Path, colour: tuple[int, int, int], count: int = 1, first: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        Image.new("RGB", (12, 10), colour).save(folder / f"{number:03}.png")


def test_labels_are_matched_to_folders_by_name_and_some_classes_are_enough(tmp_path: Path) -> None:
    put(tmp_path / "blue", BLUE, 3)
    put(tmp_path / "green", RED, 2)

    found = predict_folder(Colours(("red", "green", "blue")), tmp_path, Silent())

    assert found.truth.tolist() == [1, 1, 2, 2, 2]
    assert Report(subject="", kind="model", predictions=found).predicted.tolist() == [0, 0, 2, 2, 2]
    for item, row in zip(found.items, found.probabilities, strict=True):
        with Image.open(item.path) as image:
            colour = np.array(image.getpixel((0, 0)), dtype=np.float64)
        assert row == pytest.approx(colour / colour.sum(), rel=1e-6)


def test_a_class_that_the_network_lacks_is_refused_by_name(tmp_path: Path) -> None:
    put(tmp_path / "red", RED)
    put(tmp_path / "mauve", BLUE)

    with pytest.raises(Refused, match="class 'mauve' is not one of the classes"):
        predict_folder(Colours(), tmp_path, Silent())


@pytest.mark.parametrize("split", ["test", "val"])
def test_the_split_that_was_not_trained_on_is_measured_and_named(tmp_path: Path, split: str) -> None:
    put(tmp_path / "train" / "red", RED, 5)
    put(tmp_path / split / "red", RED, 2)

    found = predict_folder(Colours(), tmp_path, Silent())

    assert (len(found.items), found.split) == (2, split)
    assert found.name(found.items[0]) == f"{split}/red/000.png"


def test_a_plain_folder_of_classes_has_no_split(tmp_path: Path) -> None:
    put(tmp_path / "red", RED)
    put(tmp_path / "green" / "deep" / "down", GREEN)

    found = predict_folder(Colours(), tmp_path, Silent())

    assert found.split == ""
    assert [found.name(item) for item in found.items] == ["red/000.png", "green/deep/down/000.png"]


def test_a_label_that_is_a_path_reads_nothing_outside_the_folder(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", BLUE)
    put(tmp_path / "data" / "red", RED)
    labels = ("red", "../elsewhere", str(tmp_path / "elsewhere"))

    found = predict_folder(Colours(labels), tmp_path / "data", Silent())

    assert [item.path.name for item in found.items] == ["000.png"]
    assert found.truth.tolist() == [0]


def test_unreadable_images_are_named_counted_and_not_measured(tmp_path: Path) -> None:
    put(tmp_path / "red", RED, 2)
    for number in range(7):
        (tmp_path / "red" / f"broken{number}.jpg").write_bytes(b"\xff\xd8\xff nothing")
    listener = Listener()

    found = predict_folder(Colours(), tmp_path, listener)

    assert (len(found.items), len(found.unreadable)) == (2, 7)
    assert "7 images cannot be read" in listener.notices[0]
    assert "broken0.jpg" in listener.notices[1]
    assert listener.notices[-1].strip().startswith("and 2 more")
    assert (listener.done, listener.total) == (9, 9)


def test_a_folder_without_a_readable_image_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "red").mkdir()
    (tmp_path / "red" / "a.png").write_bytes(b"")

    with pytest.raises(Refused, match=r"none of its 1 images can be used; the first: .*a\.png: is empty"):
        predict_folder(Colours(), tmp_path, Silent())


def test_images_go_through_the_network_in_bounded_batches_and_in_order(tmp_path: Path) -> None:
    put(tmp_path / "blue", BLUE, TOGETHER + 3)
    put(tmp_path / "red", RED, 2)
    (tmp_path / "blue" / "001.png").write_bytes(b"")
    network = Colours()

    found = predict_folder(network, tmp_path, Silent())

    assert network.batches == [TOGETHER - 1, 5]
    assert found.probabilities.argmax(axis=1).tolist() == [0] * 2 + [2] * (TOGETHER + 2)


class Broken(Colours):
    """Gives what is no probability."""

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        return super().predict(pixels) * np.float32(math.nan)


def test_answers_that_are_no_probabilities_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "red", RED)

    with pytest.raises(Refused, match="not probabilities"):
        predict_folder(Broken(), tmp_path, Silent())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file names that are not Unicode")
def test_a_file_name_that_is_not_utf8_can_be_written_down(tmp_path: Path) -> None:
    put(tmp_path / "red", RED)
    try:
        (tmp_path / "red" / "000.png").rename(os.fsdecode(os.fsencode(tmp_path / "red") + b"/\xff.png"))
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")

    found = predict_folder(Colours(), tmp_path, Silent())

    assert found.name(found.items[0]) == "red/\\xff.png"
