"""Folders of images as classes and splits, and what is said of bad ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from depthwise.data import folder
from depthwise.data.folder import Dataset, Item, read_folder, read_split
from depthwise.data.likeness import Looks
from depthwise.data.twins import shared_files
from depthwise.errors import Refused
from depthwise.progress import Silent

ImageFolder = Callable[..., Path]


class Told(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)


def names(root: Path, *, classes: dict[str, int], ending: str = "jpg") -> Path:
    """Class folders of files whose content plays no part."""
    for label, count in classes.items():
        (root / label).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            (root / label / f"{number:04}.{ending}").write_bytes(b"x")
    return root


def held(dataset: Dataset) -> dict[Path, bool]:
    """Whether each file is in the validation split."""
    return {item.path: False for item in dataset.train} | {item.path: True for item in dataset.validation}


def test_class_folders_are_the_labels_in_the_order_of_their_names(tmp_path: Path) -> None:
    root = names(tmp_path, classes={"dog": 3, "cat": 2, "owl": 4})
    (root / ".cache").mkdir()

    dataset = read_folder(root)

    assert dataset.labels == ("cat", "dog", "owl")
    assert {item.path: item.label for item in (*dataset.train, *dataset.validation)} == {
        path: ("cat", "dog", "owl").index(path.parent.name) for path in root.glob("[!.]*/*")
    }


@pytest.mark.parametrize("validation", ["validation", "val", "valid", "Val"])
def test_split_folders_are_taken_as_they_are(tmp_path: Path, validation: str) -> None:
    for split, count in (("train", 4), (validation, 3), ("test", 2)):
        names(tmp_path / split, classes={"cat": count, "dog": count})

    dataset = read_folder(tmp_path)

    assert [len(split) for split in dataset.splits.values()] == [8, 6, 4]
    assert {item.path.parts[-3] for item in dataset.validation} == {validation}


def test_a_class_may_have_the_name_of_a_split(tmp_path: Path) -> None:
    assert read_folder(names(tmp_path / "a", classes={"bus": 3, "train": 3})).labels == ("bus", "train")
    assert read_folder(names(tmp_path / "b", classes={"exam": 3, "test": 3})).labels == ("exam", "test")


def test_images_directly_in_the_folder_of_a_split_are_refused(tmp_path: Path) -> None:
    names(tmp_path, classes={"train": 3, "val": 3})

    with pytest.raises(Refused, match="train: has no class folders; put the images of each class into a folder named"):
        read_folder(tmp_path)


def split(sizes: dict[str, int], seed: int = 0) -> tuple[list[Path], list[Path]]:
    """Training and validation files of classes of so many files, none of which needs to be there."""
    top = Path("data")
    items = [
        Item(top / label / f"{number:04}.jpg", index)
        for index, (label, size) in enumerate(sizes.items())
        for number in range(size)
    ]
    kept, held_out = folder.hold_out(top, tuple(items), seed, Looks())
    assert {*kept, *held_out} == set(items)
    assert len(kept) + len(held_out) == len(items)
    return [item.path for item in kept], [item.path for item in held_out]


@pytest.mark.parametrize("size", [2, 3, 7, 20, 101, 1500])
def test_the_split_is_stratified(size: int) -> None:
    for seed in range(3):
        _, held_out = split({"a": size, "b": size, "c": 2 * size}, seed)

        for label, count in (("a", size), ("b", size), ("c", 2 * size)):
            found = sum(path.parent.name == label for path in held_out)
            assert max(1, int(0.1 * count)) <= found <= max(1, -(-count // 5))
            if count > 1000:
                assert found / count == pytest.approx(0.15, abs=0.02)


def test_the_split_is_repeatable_and_another_with_another_seed(tmp_path: Path) -> None:
    first = names(tmp_path / "first", classes={"cat": 30, "dog": 30})
    second = Path(shutil.copytree(first, tmp_path / "second"))

    at_first = {path.relative_to(first): value for path, value in held(read_folder(first)).items()}

    assert at_first == {path.relative_to(second): value for path, value in held(read_folder(second)).items()}
    assert at_first != {path.relative_to(first): value for path, value in held(read_folder(first, seed=1)).items()}


def test_files_that_are_added_move_no_others_between_the_splits() -> None:
    before = split({"cat": 200, "dog": 200})
    for more in range(201, 260):
        after = split({"cat": more, "dog": 200})

        assert set(before[0]) <= set(after[0])
        assert set(before[1]) <= set(after[1])
        before = after


def test_a_single_image_of_a_class_is_trained_on(tmp_path: Path) -> None:
    dataset = read_folder(names(tmp_path, classes={"cat": 1, "dog": 9}))

    assert dataset.counts(dataset.train)[0] == 1
    assert dataset.counts(dataset.validation)[0] == 0


def test_hidden_files_and_other_endings_are_no_images_and_the_latter_are_counted(tmp_path: Path) -> None:
    names(tmp_path, classes={"cat": 2, "dog": 2})
    (tmp_path / "cat" / "._0000.jpg").write_bytes(b"x")
    (tmp_path / "cat" / ".thumbnails").mkdir()
    (tmp_path / "cat" / ".thumbnails" / "0.jpg").write_bytes(b"x")
    (tmp_path / "dog" / "notes.txt").write_text("x")
    (tmp_path / "dog" / "more").mkdir()
    (tmp_path / "dog" / "more" / "PHOTO.JPEG").write_bytes(b"x")

    dataset = read_folder(tmp_path)

    assert dataset.counts((*dataset.train, *dataset.validation)) == [2, 3]
    assert [path.name for path in dataset.ignored] == ["notes.txt"]


def test_a_link_to_nowhere_is_kept_to_be_named_among_what_cannot_be_used(tmp_path: Path) -> None:
    names(tmp_path, classes={"cat": 2, "dog": 2})
    (tmp_path / "cat" / "gone.jpg").symlink_to(tmp_path / "nothing.jpg")

    dataset = read_folder(tmp_path)

    assert any(item.path.name == "gone.jpg" for item in (*dataset.train, *dataset.validation))
    assert shared_files(dataset.train, dataset.train)


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [
        ({}, "has no class folders; put the images of each class into a folder named after it"),
        ({"cat": 3}, "has a single class, 'cat'; a classifier needs at least two"),
        ({"cat": 3, "dog": 0}, "class 'dog' has no image; add images or remove the folder"),
        ({"cat": 3, "dog": 0, "owl": 0}, r"class 'dog' has no image \(nor have 1 others\)"),
    ],
)
def test_too_few_classes_or_images_are_refused(tmp_path: Path, classes: dict[str, int], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        read_folder(names(tmp_path, classes=classes))


def test_a_missing_folder_and_a_missing_train_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="nowhere: there is no such folder"):
        read_folder(tmp_path / "nowhere")
    names(tmp_path / "test", classes={"cat": 1, "dog": 1})
    with pytest.raises(Refused, match="has a folder for test but none for train; add it"):
        read_folder(tmp_path)


def test_a_class_of_the_test_split_that_is_not_trained_is_refused(tmp_path: Path) -> None:
    names(tmp_path / "train", classes={"cat": 2, "dog": 2})
    names(tmp_path / "test", classes={"cat": 2, "horse": 2})

    with pytest.raises(Refused, match="test: class 'horse' is not one of the classes trained on"):
        read_folder(tmp_path)


def test_a_class_name_that_is_not_unicode_is_refused_before_training(tmp_path: Path) -> None:
    try:
        names(tmp_path, classes={"cat": 2, "caf\udce9": 2})
    except OSError:
        pytest.skip("this file system takes no names that are not UTF-8")

    with pytest.raises(Refused, match="not valid Unicode; rename the class"):
        read_folder(tmp_path)


def test_evaluation_takes_the_test_split_then_validation_then_the_folder(tmp_path: Path) -> None:
    labels = ("cat", "dog")
    names(tmp_path / "plain", classes={"cat": 5, "dog": 5})
    assert len(read_split(tmp_path / "plain", labels)) == 10
    names(tmp_path / "split" / "val", classes={"cat": 3, "dog": 3})
    assert len(read_split(tmp_path / "split", labels)) == 6
    names(tmp_path / "split" / "test", classes={"cat": 1})
    assert [item.path.parts[-3] for item in read_split(tmp_path / "split", labels)] == ["test"]
    with pytest.raises(Refused, match="has no image of a class that the model knows"):
        read_split(names(tmp_path / "empty", classes={"cat": 0}), labels)


def test_files_of_the_same_bytes_are_found_and_others_of_the_same_size_are_not(tmp_path: Path) -> None:
    for name, content in {"a": b"one", "b": b"two", "c": b"two", "d": b"three", "e": b"six"}.items():
        (tmp_path / name).write_bytes(content)
    items = {name: Item(tmp_path / name, 0) for name in "abcde"}

    pairs = shared_files([items["a"], items["b"]], [items["c"], items["d"], items["e"]])

    assert pairs == [(tmp_path / "b", tmp_path / "c")]


def test_folders_that_programs_make_are_passed_over(tmp_path: Path) -> None:
    names(tmp_path, classes={"cat": 3, "dog": 3, "__MACOSX": 0, "@eaDir": 2})
    names(tmp_path / "__MACOSX", classes={"cat": 2})
    names(tmp_path / "dog" / "@eaDir", classes={"0.jpg": 1})

    dataset = read_folder(tmp_path)

    assert dataset.labels == ("cat", "dog")
    assert sum(map(len, dataset.splits.values())) == 6


def test_a_folder_around_the_right_one_is_answered_with_that(tmp_path: Path) -> None:
    names(tmp_path / "outer" / "photos" / "train", classes={"cat": 3, "dog": 3})
    names(tmp_path / "outer" / "photos" / "test", classes={"cat": 3, "dog": 3})

    with pytest.raises(Refused, match=r"outer: has a single folder, 'photos', which holds others; is .*photos meant\?"):
        read_folder(tmp_path / "outer")


def test_two_folders_for_one_split_are_refused(tmp_path: Path) -> None:
    for split in ("train", "test", "testing"):
        names(tmp_path / split, classes={"cat": 3, "dog": 3})

    with pytest.raises(Refused, match="has 'test' and 'testing', both for test; put them together or remove one"):
        read_folder(tmp_path)


def test_a_class_of_nearly_that_name_is_proposed(tmp_path: Path) -> None:
    names(tmp_path / "test", classes={"Mushroom": 1})

    with pytest.raises(Refused, match=r"class 'Mushroom' .* is 'Brown-Cap-Portobello-Mushroom' meant"):
        read_split(tmp_path, ("Lemon", "Brown-Cap-Portobello-Mushroom"))


def test_splits_are_known_by_the_names_that_downloads_give_them(tmp_path: Path) -> None:
    for split in ("training_set", "Test-Set", "valset"):
        names(tmp_path / split, classes={"cat": 4, "dog": 4})
    dataset = read_folder(tmp_path)
    assert (dataset.labels, len(dataset.train), len(dataset.validation), len(dataset.test)) == (("cat", "dog"), 8, 8, 8)


def test_folders_that_hold_the_same_folders_and_no_image_are_refused_as_classes(tmp_path: Path) -> None:
    for place in ("fold1", "fold2"):
        names(tmp_path / place, classes={"cat": 2, "dog": 2})
    with pytest.raises(
        Refused, match=r"'fold1' and 'fold2' hold the same folders \(cat, dog\) and no image of their own"
    ):
        read_folder(tmp_path)
    (tmp_path / "fold1" / "own.jpg").write_bytes(b"x")
    assert read_folder(tmp_path).labels == ("fold1", "fold2")


@pytest.mark.parametrize("pair", [("seg_test", "seg_train"), ("test1", "train"), ("cats-test", "cats-val")])
def test_classes_that_are_named_as_splits_of_one_thing_are_refused(tmp_path: Path, pair: tuple[str, str]) -> None:
    names(tmp_path, classes=dict.fromkeys((*pair, "bullet_train", "test_tube"), 2))
    with pytest.raises(Refused, match=f"'{pair[0]}' and '{pair[1]}' are named as splits are"):
        read_folder(tmp_path)
    shutil.rmtree(tmp_path / pair[0])
    assert len(read_folder(tmp_path).labels) == 3


def test_a_folder_beside_those_of_splits_is_named(tmp_path: Path) -> None:
    for place in ("train", "val", "holdout"):
        names(tmp_path / place, classes={"cat": 2, "dog": 2})
    told = Told()
    read_folder(tmp_path, reporter=told)
    assert told.notices == ["'holdout' beside 'train' is not used: its name is not that of a split"]


def test_a_folder_whose_name_is_nearly_a_label_is_refused_with_that_label(tmp_path: Path) -> None:
    names(tmp_path, classes={"tabby_cats": 1})
    with pytest.raises(Refused, match=r"'tabby_cats' is not one of the classes trained on; .*'Tabby cat'.* meant"):
        read_split(tmp_path, ("Tabby cat", "dog"))
    with pytest.raises(Refused, match=r"the model's labels are numbers.*convert it again with --labels"):
        read_split(tmp_path, ("class 0", "class 1"))
