"""Classes of two networks that mean the same."""

from __future__ import annotations

import pytest

from depthwise.network.names import same_names

KNOWN = (
    "background",
    "king penguin, Aptenodytes patagonica",
    "Cardigan, Cardigan Welsh corgi",
    "cardigan",
    "crane (135)",
    "crane (518)",
    "go-kart",
    "potter's wheel",
    "koala, koala bear",
    "lesser panda, red panda",
)


def test_folders_find_the_labels_that_mean_them_whatever_the_marks_and_the_case() -> None:
    wanted = ("go_kart", "king_penguin", "koala", "potter_s_wheel", "red_panda")

    found = {name: KNOWN[place] for name, place in zip(wanted, same_names(wanted, KNOWN).values(), strict=True)}

    assert found == {
        "go_kart": "go-kart",
        "king_penguin": "king penguin, Aptenodytes patagonica",
        "koala": "koala, koala bear",
        "potter_s_wheel": "potter's wheel",
        "red_panda": "lesser panda, red panda",
    }


def test_a_name_as_it_is_written_comes_before_one_without_its_case() -> None:
    assert same_names(("cardigan",), KNOWN) == {0: 3}


def test_a_name_that_could_mean_several_is_none_of_them() -> None:
    assert same_names(("crane", "zebra"), KNOWN) == {}


def test_two_folders_that_would_mean_the_same_class_mean_neither() -> None:
    assert same_names(("go kart", "go_kart"), KNOWN) == {}


def test_the_same_labels_are_themselves() -> None:
    assert same_names(KNOWN, KNOWN) == {index: index for index in range(len(KNOWN))}


@pytest.mark.parametrize(
    ("wanted", "known"),
    [
        ("tabby, tabby cat", "tabby"),
        ("n02123045", "n02123045 tabby, tabby cat"),
        ("n02123045_tabby", "tabby cat, tabby"),
        ("hot dog", "hotdog"),
        ("icecream", "ice cream, icecream"),
    ],
)
def test_synonyms_and_numbers_of_wordnet_and_blanks_do_not_keep_a_class_from_its_label(wanted: str, known: str) -> None:
    assert same_names((wanted, "of one's own"), ("dog", known)) == {0: 1}


def test_a_closer_name_takes_the_class_from_one_that_is_less_like_it() -> None:
    assert same_names(("sportscar", "sports car", "tabby_cat", "tabby"), ("sports car", "tabby, tabby cat")) == {
        1: 0,
        3: 1,
    }
