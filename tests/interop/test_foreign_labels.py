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
    path.write_bytes(b"\xff\xff")
    with pytest.raises(Refused, match="not UTF-8 text"):
        read_labels(path)
    with pytest.raises(Refused, match="cannot be read"):
        read_labels(tmp_path / "none")


def test_googles_list_has_labels_that_occur_twice(real_file: object) -> None:
    labels = read_labels(real_file("labels_mobilenet_quant_v1_224.txt"))  # type: ignore[operator]
    assert (len(labels), labels[0]) == (1001, "background")
    assert [label for label in labels if label.startswith("crane (")] == ["crane (135)", "crane (518)"]


LISTS = [
    "0 cat\n1 dog\n2 bird\n",
    "0,cat\n1,dog\n2,bird\n",
    "1: cat\n2: dog\n3: bird\n",
    "2 bird\n0 cat\n1 dog\n",
    "id,name\n0,cat\n1,dog\n2,bird\n",
    "cat,0\ndog,1\nbird,2\n",
    '["cat", "dog", "bird"]',
    '{"1": "dog", "0": "cat", "2": "bird"}',
    '{"cat": 0, "dog": 1, "bird": 2}',
    '{"0": ["n02", "cat"], "1": ["n03", "dog"], "2": ["n04", "bird"]}',
    '{"model": "m", "id2label": {"0": "cat", "1": "dog", "2": "bird"}}',
    '{"categories": [{"id": 2, "name": "dog"}, {"id": 1, "name": "cat"}, {"id": 3, "name": "bird"}]}',
    "0. cat\n1. dog\n2. bird\n",
    "0 - cat\n1 - dog\n2 - bird\n",
    "[0] cat\n[1] dog\n[2] bird\n",
    "id;name\n0;cat\n1;dog\n2;bird\n",
    "class_id,synset,name\n0,n00000002,cat\n1,n00000003,dog\n2,n00000004,bird\n",
    "label,index,pictures\ncat,0,12\nbird,2,40\ndog,1,3\n",
    "{0: 'cat',\n 1: 'dog',\n 2: 'bird'}\n",
    "['cat', 'dog', 'bird']",
    "cat, dog, bird",
    '"cat",\n"dog",\n"bird"\n',
    '{"class_to_idx": {"cat": 0, "dog": 1, "bird": 2}}',
    '[{"index": 1, "label": "dog"}, {"index": 0, "label": "cat"}, {"index": 2, "label": "bird"}]',
]


@pytest.mark.parametrize("text", LISTS)
def test_labels_are_read_without_their_numbers_and_in_their_order(text: str) -> None:
    assert parse_labels(text) == ("cat", "dog", "bird")


@pytest.mark.parametrize(
    "lines", [("1 star", "2 stars", "3 stars"), ("7 up", "9 lives"), ("cat", "2 dogs"), ("0", "1"), ("1|2", "3|4")]
)
def test_numbers_that_belong_to_labels_stay(lines: tuple[str, ...]) -> None:
    assert parse_labels("\n".join(lines)) == lines


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"0": "cat", "2": "dog"}', "or leaves one out"),
        ('{"a": {"b": 1}}', "neither a list"),
        ("{oops", "and is none"),
        ("0,black,cat\n1,brown,dog\n", "2 columns beside"),
    ],
)
def test_a_list_that_does_not_say_one_label_a_class_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        parse_labels(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_list_may_come_from_a_text_editor_of_windows(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "labels.txt").write_bytes("0 cat\r\n1 Hündin\r\n".encode(encoding))
    assert read_labels(tmp_path / "labels.txt") == ("cat", "Hündin")


@pytest.mark.parametrize(
    "text",
    [
        "- cat\n- dog\n- 'ice cream'\n",
        "# classes\n---\n-  cat\n-  dog\n-  ice cream\n",
        "train: ../images\nnc: 3\nnames: ['cat', \"dog\", ice cream]\n",
        "names:\n  0: cat\n  1: dog\n  2: 'ice cream'\npath: x\n",
        "names:\n- cat\n- dog\n- ice cream\nnc: 3\n",
        "item {\n  id: 1\n  name: 'cat'\n}\nitem {\n  id: 2\n  name: 'dog'\n}\nitem {\n  name: \"n07\"\n  id: 3\n"
        '  display_name: "ice cream"\n}\n',
    ],
)
def test_labels_in_yaml_and_in_tensorflows_label_map_are_read(text: str) -> None:
    assert parse_labels(text) == ("cat", "dog", "ice cream")


def test_labels_that_begin_like_yaml_and_are_none_stay_as_they_are() -> None:
    assert parse_labels("-1 degree\n- 2 degrees\nwarm\n") == ("-1 degree", "- 2 degrees", "warm")


def test_a_label_map_that_leaves_a_number_out_is_refused() -> None:
    with pytest.raises(Refused, match="leaves one out"):
        parse_labels("item { id: 1 name: 'cat' }\nitem { id: 7 name: 'dog' }\n")
