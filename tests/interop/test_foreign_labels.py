"""Names of classes from text files and from foreign files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthwise.errors import Refused
from depthwise.interop.labels import distinct, numbered, parse_labels, read_labels
from depthwise.network.description import check_labels


def test_labels_that_occur_twice_get_their_numbers_and_all_others_stay() -> None:
    assert distinct(["crane", "heron", "crane"]) == ("crane (0)", "heron", "crane (2)")
    assert distinct(["a", "a (0)", "a"]) == ("a (0) (0)", "a (0)", "a (2)")
    assert distinct(["", "x\0y"]) == ("class 0", "xy")
    assert numbered(2) == ("class 0", "class 1")


@given(st.lists(st.text(st.characters(codec=None), max_size=4), min_size=1, max_size=30))
def test_whatever_a_file_says_becomes_labels_that_a_model_takes(labels: list[str]) -> None:
    check_labels(distinct(labels), len(labels))


def test_a_text_file_has_one_label_a_line(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes("\ufeffKäse\r\n two words \n\n\n".encode())
    assert read_labels(path) == ("Käse", "two words")
    assert parse_labels("a\n\nb\n") == ("a", "class 1", "b")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(Refused, match="not UTF-8 text"):
        read_labels(path)
    with pytest.raises(Refused, match="cannot be read"):
        read_labels(tmp_path / "none")


def test_googles_list_has_labels_that_occur_twice(real_file: object) -> None:
    labels = read_labels(real_file("labels_mobilenet_quant_v1_224.txt"))  # type: ignore[operator]
    assert (len(labels), labels[0]) == (1001, "background")
    assert [label for label in labels if label.startswith("crane (")] == ["crane (135)", "crane (518)"]
