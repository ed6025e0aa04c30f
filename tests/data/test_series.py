"""Pictures that belong together: by their names, by their looks, by their order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from depthwise.data.folder import Item, read_folder
from depthwise.data.images import read_images
from depthwise.data.likeness import Looks, alike, alike_within
from depthwise.data.series import neighbours_alike, series_in, series_of, shared_series
from depthwise.data.twins import crossings
from depthwise.network.preprocessing import default_preprocessing
from depthwise.progress import Silent


class Notices(Silent):
    """Keeps what a user is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def notice(self, text: str) -> None:
        self.said.append(text)


def photo(seed: int, size: int = 96) -> Image.Image:
    """Something with large coloured shapes, no two alike."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("video3_frame_0012", "video3"),
        ("person7_bacteria_21", "person7_bacteria"),
        ("00012_00029", "00012"),
        ("IMG_20260101_120301", "IMG_20260101"),
        ("IMG_4711 (2)", "IMG_4711"),
        ("IMG_4711 - Copy", "IMG_4711"),
        ("leaf_12_flipTB", "leaf_12"),
        ("RS_HL 0123_90deg", "RS_HL 0123"),
        ("IMG_12_jpg.rf.0a1b2c3d4e5f60718293a4b5", "IMG_12"),
        ("IMG_4711", ""),
        ("lemon_0012", ""),
        ("cat (12)", ""),
        ("cat.12", ""),
        ("01b3083f-4387-4753-8ae2-a2470dc53f19", ""),
        ("frame", ""),
    ],
)
def test_a_name_tells_of_a_series_where_a_number_is_left_or_a_copy_is_told(name: str, series: str) -> None:
    # A number behind a copy's source, as in `IMG_12`, tells it from others and names no series.
    assert series_of(name) == series


def test_what_most_files_of_a_class_share_is_no_series() -> None:
    assert series_in([f"n02085620_{number}" for number in range(10)]) == {}
    assert series_in(["IMG_5", "IMG_5 copy", *"abcdefgh"]) == {"IMG_5": "IMG_5", "IMG_5 copy": "IMG_5"}


def test_a_series_in_two_splits_is_told_and_numbers_that_begin_anew_are_not() -> None:
    def items(split: str, *names: str) -> list[Item]:
        others = [f"{split}-{letter}" for letter in "abcdefgh"]
        return [Item(Path(split, f"{name}.jpg"), 0) for name in (*names, *others)]

    train, test = items("train", "v1_01", "v1_02", "7_001", "7_002"), items("test", "v1_03", "7_001", "7_003")

    assert shared_series(train, test) == [(Path("train/v1_01.jpg"), Path("test/v1_03.jpg"))]


def test_a_picture_saved_anew_smaller_or_brighter_looks_the_same_and_no_other_does(tmp_path: Path) -> None:
    for seed in range(40):
        photo(seed).save(tmp_path / f"{seed}.png")
    photo(3).save(tmp_path / "anew.jpg", quality=40)
    photo(4).resize((50, 50)).save(tmp_path / "smaller.webp")
    ImageEnhance.Brightness(photo(5)).enhance(0.8).save(tmp_path / "darker.jpg")
    for colour in ("white", "grey", "white"):
        Image.new("RGB", (40, 40), colour).save(tmp_path / f"plain-{colour}.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 nothing")
    paths = sorted(tmp_path.iterdir())

    vectors = Looks().of(paths, Silent())

    named = {frozenset((paths[one].stem, paths[other].stem)) for one, other in alike_within(vectors)}
    assert named == {frozenset(("anew", "3")), frozenset(("smaller", "4")), frozenset(("darker", "5"))}
    assert alike(vectors[:0], vectors) == []


def test_a_random_split_keeps_together_what_belongs_together(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        for scene in range(30):
            for frame in range(3):
                photo(scene + 100 * ord(label)).save(tmp_path / label / f"{(7 * scene + 31 * frame) % 997}-{label}.png")

    dataset = read_folder(tmp_path)

    assert crossings(dataset.train, dataset.validation, Looks(), Silent()) == []
    assert dataset.counts(dataset.validation)[0] % 3 == 0
    assert 0.1 <= len(dataset.validation) / 180 <= 0.2


def test_files_of_one_series_stay_together_as_files_are_added(tmp_path: Path) -> None:
    def sides(count: int) -> dict[str, bool]:
        for label in "ab":
            (tmp_path / label).mkdir(exist_ok=True)
            for number in range(count):
                (tmp_path / label / f"clip{number // 4}_{number:03}.png").write_bytes(b"x")
        dataset = read_folder(tmp_path)
        return {str(item.path): False for item in dataset.train} | {str(item.path): True for item in dataset.validation}

    before, after = sides(80), sides(83)

    assert before.items() <= after.items()
    assert len({(path.rpartition("_")[0], held) for path, held in after.items()}) == 2 * 21


def test_neighbours_in_a_series_are_more_alike_than_chance_and_shuffled_ones_are_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    vectors = np.cumsum(rng.normal(0, 1, (60, 192)), axis=0).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    paths = [Path(f"{number}.jpg") for number in range(60)]

    found = neighbours_alike([(paths, vectors)])

    assert found is not None
    assert int(found[1].stem) - int(found[0].stem) == 1
    assert neighbours_alike([(paths, rng.permutation(vectors))]) is None


def test_a_training_run_is_told_what_lies_across_its_splits(tmp_path: Path) -> None:
    for split, seeds in (("train", range(8)), ("validation", range(20, 24)), ("test", range(30, 34))):
        for label, shift in (("a", 0), ("b", 50)):
            (tmp_path / split / label).mkdir(parents=True)
            for seed in seeds:
                photo(seed + shift).save(tmp_path / split / label / f"{split}{seed}x.png")
    photo(2).save(tmp_path / "validation" / "a" / "copied.png")
    photo(3).save(tmp_path / "test" / "a" / "anew.jpg", quality=50)
    for split, number in (("train", 1), ("test", 2)):
        photo(90 + number).save(tmp_path / split / "b" / f"clip9_{number}.png")
    told = Notices()

    read_images(tmp_path, seed=0, preprocessing=default_preprocessing(32, 3), reporter=told)

    [exact, looks, series] = [line for line in told.said if line.startswith("warning")]
    assert "1 of the validation images are also among those trained on" in exact
    assert f"{tmp_path / 'validation/a/copied.png'}, beside {tmp_path / 'train/a/train2x.png'}" in exact
    assert "1 of the test images look the same as images trained on" in looks
    assert f"{tmp_path / 'test/a/anew.jpg'}, beside {tmp_path / 'train/a/train3x.png'}" in looks
    assert "1 of the test images are by their names of series (or copies) of images trained on" in series
