"""Whether a warning says that images were trained on."""

from __future__ import annotations

from typing import Any

import pytest

from answers import report_of
from depthwise.evaluate.report import Report
from depthwise.evaluate.seen import seen

TRAINED: dict[str, Any] = {"data": "images", "images": {"train": 61, "validation": 11, "test": 0}}


def of_a_folder_named_images(split: str = "") -> Report:
    return report_of([[0.7, 0.3], [0.2, 0.8]], [0, 1], ("ant", "bee"), split=split)


@pytest.mark.parametrize(
    "provenance", [TRAINED, {"quantized_from": {"provenance": TRAINED}}], ids=["float", "quantised from it"]
)
def test_the_folder_that_was_trained_on_is_told_by_its_name(provenance: dict[str, Any]) -> None:
    warning = seen(of_a_folder_named_images(), provenance)

    assert warning is not None
    assert "trained on 61 images of a folder of this name" in warning
    assert warning.endswith("images/test")


@pytest.mark.parametrize(
    "provenance",
    [{}, TRAINED | {"data": "others"}, TRAINED | {"images": "many"}, {"quantized_from": 7}, {"quantized_from": {}}],
)
def test_nothing_is_said_of_other_images_or_without_knowing(provenance: dict[str, Any]) -> None:
    assert seen(of_a_folder_named_images(), provenance) is None


def test_nothing_is_said_of_a_split_that_was_kept_apart() -> None:
    assert seen(of_a_folder_named_images("test"), TRAINED) is None
