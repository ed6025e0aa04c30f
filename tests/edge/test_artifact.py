from __future__ import annotations

import ctypes
import hashlib
import re
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from depthwise.edge.artifact import Artifact
from depthwise.edge.library import FUNCTIONS
from depthwise.edge.pixels import prepare
from depthwise.errors import Refused, Unmet
from depthwise.kernels import __file__ as kernels
from plain_artifact import LABELS, STRICT, build, changed, plain_artifact, trailer

SHAPE = (32, 32, 3)


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plain_artifact(tmp_path_factory.mktemp("artifact"))


def pixels(seed: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def shares(image: np.ndarray) -> np.ndarray:
    return image.sum((0, 1)) / image.sum()


def test_every_function_of_the_header_is_declared_with_as_many_arguments() -> None:
    header = re.sub(r"/\*.*?\*/", "", (Path(kernels).parent / "depthwise.h").read_text(), flags=re.DOTALL)
    found = re.findall(r"\b(dw_\w+)\(([^)]*)\);", header)

    assert {name: 0 if text == "void" else text.count(",") + 1 for name, text in found} == {
        name: len(arguments) for name, (_, arguments) in FUNCTIONS.items()
    }


def test_what_an_artifact_says_of_itself_arrives(path: Path) -> None:
    with Artifact.open(path) as artifact:
        assert artifact.labels == LABELS
        assert artifact.record == {"network": {"resolution": 32}, "note": "ä"}
        assert artifact.input_shape == SHAPE
        assert artifact.feature_count == 3
        assert artifact.arena_bytes > 0


def test_probabilities_features_and_prepared_pixels_are_those_of_the_image(path: Path) -> None:
    image, frame = pixels(1), pixels(2, (70, 45, 3))
    with Artifact.open(path) as artifact:
        prepared = prepare(frame, resize=37, crop=32)

        np.testing.assert_allclose(shares(image), artifact.run(image), rtol=1e-6)
        np.testing.assert_allclose(image.mean((0, 1)), artifact.features(image), rtol=1e-6)
        np.testing.assert_array_equal(prepared, artifact.prepare(frame))
        np.testing.assert_allclose(shares(prepared), artifact.classify(frame), rtol=1e-6)


def test_a_picture_has_the_probabilities_of_its_pixels(path: Path) -> None:
    frame = pixels(2, (70, 45, 3))
    with Artifact.open(path) as artifact:
        assert artifact.label(Image.fromarray(frame)) == artifact.classify(frame).tolist()

        with pytest.raises(Refused, match="takes pictures of 3 channels, not of mode L"):
            artifact.label(Image.fromarray(frame[..., 0]))


def test_where_nothing_may_be_loaded_from_memory_a_folder_takes_its_place(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    load = ctypes.CDLL

    def only_from_a_folder(place: str) -> ctypes.CDLL:
        asked.append(place)
        if place.startswith("/proc/"):
            raise OSError(f"{place}: failed to map segment from shared object")
        return load(place)

    monkeypatch.setattr("depthwise.edge.library.ctypes.CDLL", only_from_a_folder)
    image = pixels(1)
    with Artifact.open(path) as artifact:
        np.testing.assert_allclose(shares(image), artifact.run(image), rtol=1e-6)

    assert not asked[-1].startswith("/proc/")
    assert not Path(asked[-1]).exists()


def test_a_level_that_is_not_carried_is_refused(path: Path) -> None:
    with Artifact.open(path) as artifact, pytest.raises(Refused, match="has no level 'avx9'; it"):
        artifact.use_level("avx9")


def test_pixels_that_do_not_lie_together_are_taken_rightly(path: Path) -> None:
    wide = pixels(3, (32, 64, 3))
    with Artifact.open(path) as artifact:
        np.testing.assert_allclose(shares(wide[:, ::2]), artifact.run(wide[:, ::2]), rtol=1e-6)
        np.testing.assert_array_equal(artifact.prepare(np.ascontiguousarray(wide[::-1])), artifact.prepare(wide[::-1]))


@pytest.mark.parametrize(
    "image",
    [pixels(4, (33, 32, 3)), pixels(4, (32, 32, 1)), pixels(4, (32, 32)), pixels(4).astype(np.float32)],
    ids=["too high", "grey", "flat", "float"],
)
def test_pixels_of_another_shape_or_type_are_refused_before_the_call(path: Path, image: np.ndarray) -> None:
    with Artifact.open(path) as artifact:
        with pytest.raises(Refused, match=r"takes uint8 pixels of shape \(32, 32, 3\), not"):
            artifact.run(image)
        with pytest.raises(Refused, match="prepare them with"):
            artifact.features(image)


@pytest.mark.parametrize(
    "frame",
    [pixels(5, (9, 9, 1)), pixels(5, (9, 9)), pixels(5, (0, 9, 3)), np.zeros((9, 9, 3)), pixels(5, (65_536, 1, 3))],
    ids=["grey", "flat", "empty", "float", "too high"],
)
def test_frames_that_cannot_be_taken_are_refused_before_the_call(path: Path, frame: np.ndarray) -> None:
    with Artifact.open(path) as artifact, pytest.raises(Refused, match=r"plain\.so: takes .*frames"):
        artifact.classify(frame)


def test_threads_may_share_an_artifact(path: Path) -> None:
    images = [pixels(seed) for seed in range(400)]
    with Artifact.open(path) as artifact, ThreadPoolExecutor(4) as pool:
        for image, answer in zip(images, pool.map(artifact.run, images), strict=True):
            np.testing.assert_allclose(shares(image), answer, rtol=1e-6)


def test_a_closed_artifact_says_so(path: Path) -> None:
    with Artifact.open(path) as artifact:
        pass
    artifact.close()

    with pytest.raises(Refused, match="is closed"):
        artifact.run(pixels(6))


def test_artifacts_of_one_path_are_each_what_the_file_held_when_opened(path: Path, tmp_path: Path) -> None:
    with Artifact.open(changed(path, tmp_path / "a.so")) as first:
        with Artifact.open(changed(path, tmp_path / "a.so", labels=2)) as second:
            assert (len(first.labels), len(second.labels)) == (3, 2)
        assert first.run(pixels(1)).size == 3


def test_nothing_is_left_behind(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    Artifact.open(path).close()

    assert list(tmp_path.iterdir()) == []


def test_verify_gives_the_largest_difference(path: Path) -> None:
    with Artifact.open(path) as artifact:
        assert artifact.verify() == 2**-24


def test_golden_cases_that_differ_are_unmet_with_the_difference(path: Path, tmp_path: Path) -> None:
    with (
        Artifact.open(changed(path, tmp_path / "a.so", golden=4)) as artifact,
        pytest.raises(Unmet, match=r"differs from the one it carries.*difference is 0\.25"),
    ):
        artifact.verify()


def test_an_unknown_status_is_refused_by_number(path: Path, tmp_path: Path) -> None:
    other = changed(path, tmp_path / "a.so", golden=77)
    with Artifact.open(other) as artifact, pytest.raises(Refused, match="dw_verify returns the unknown status 77"):
        artifact.verify()


@pytest.mark.parametrize("share", [0, 1, 27, 28, 29, 0.25, 0.5, 0.9, -29, -28, -27, -8, -1])
def test_a_truncated_artifact_is_refused(path: Path, tmp_path: Path, share: float) -> None:
    content = path.read_bytes()
    length = int(share * len(content)) if isinstance(share, float) else share
    cut = tmp_path / "cut.so"
    cut.write_bytes(content[:length])

    with pytest.raises(Refused, match=r"cut\.so: is not an artifact, or its end is missing; write it again"):
        Artifact.open(cut)


def test_bytes_missing_or_added_before_the_trailer_are_counted(path: Path, tmp_path: Path) -> None:
    content, copy = path.read_bytes(), tmp_path / "changed.so"
    for other in (content[:100] + content[101:], content[:100] + b"x" + content[100:]):
        copy.write_bytes(other)
        with pytest.raises(Refused, match=f"holds {len(other) - 28:,} bytes .* should hold {len(content) - 28:,}"):
            Artifact.open(copy)


def test_a_flipped_bit_anywhere_is_refused(path: Path, tmp_path: Path) -> None:
    content, copy = path.read_bytes(), tmp_path / "changed.so"
    places = np.random.default_rng(7).integers(0, len(content) - 28, 40).tolist()
    # Of the trailer every byte; its last four are the minor version, which the library contradicts.
    for place in places + list(range(len(content) - 28, len(content))):
        other = bytearray(content)
        other[place] ^= 1 << place % 8
        copy.write_bytes(other)
        with pytest.raises(Refused, match=r"changed\.so: "):
            Artifact.open(copy)


def test_an_artifact_with_the_trailer_of_before_is_taken_and_checked(path: Path, tmp_path: Path) -> None:
    library, copy = path.read_bytes()[:-28], tmp_path / "before.so"
    before = struct.pack("<8sQ32sII", b"DWTRAIL1", len(library), hashlib.sha256(library).digest(), 1, 0)
    copy.write_bytes(library + before)
    with Artifact.open(copy) as artifact:
        assert artifact.labels == LABELS

    copy.write_bytes(library[:100] + b"x" + library[101:] + before)
    with pytest.raises(Refused, match="is damaged, its checksum differs"):
        Artifact.open(copy)


@pytest.mark.parametrize("length", [1, 28, 4096, 100_000])
def test_random_bytes_are_refused(tmp_path: Path, length: int) -> None:
    (tmp_path / "noise.so").write_bytes(np.random.default_rng(length).bytes(length))

    with pytest.raises(Refused, match="is not an artifact"):
        Artifact.open(tmp_path / "noise.so")


def test_random_bytes_with_a_sound_trailer_are_refused_as_no_library(tmp_path: Path) -> None:
    content = np.random.default_rng(0).bytes(4096)
    (tmp_path / "noise.so").write_bytes(content + trailer(content))

    with pytest.raises(Refused, match=r"noise\.so: cannot be loaded on this machine \((?!/).*--target host") as found:
        Artifact.open(tmp_path / "noise.so")
    assert "depthwise-" not in str(found.value)


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "other.c").write_text("int other(void);\nint other(void) { return 7; }\n")
    return build(folder / "other.c", folder / "other.so", *STRICT, "-shared", "-fPIC")


def test_any_other_library_is_refused_unloaded(foreign: Path) -> None:
    with pytest.raises(Refused, match=r"other\.so: is not an artifact"):
        Artifact.open(foreign)


def test_any_other_library_with_a_sound_trailer_lacks_the_functions(foreign: Path, tmp_path: Path) -> None:
    content = foreign.read_bytes()
    (tmp_path / "other.so").write_bytes(content + trailer(content))

    with pytest.raises(Refused, match=r"other\.so: lacks the function dw_interface"):
        Artifact.open(tmp_path / "other.so")


def test_one_missing_function_is_named(path: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="lacks the function dw_verify"):
        Artifact.open(changed(path, tmp_path / "a.so", without="dw_verify"))


def test_another_major_version_is_refused_unloaded(path: Path, tmp_path: Path) -> None:
    library = path.read_bytes()[:-28]
    (tmp_path / "next.so").write_bytes(library + trailer(library, major=2, minor=3))

    with pytest.raises(
        Refused, match=r"next\.so: has interface 2\.3, and this depthwise calls 1\.x; compile the model"
    ):
        Artifact.open(tmp_path / "next.so")


def test_another_minor_version_is_taken(path: Path, tmp_path: Path) -> None:
    with Artifact.open(changed(path, tmp_path / "a.so", interface=1 << 16 | 9, minor=9)) as artifact:
        assert artifact.labels == LABELS


def test_a_library_that_contradicts_its_trailer_is_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"says interface 2\.0 and its trailer 1\.0"):
        Artifact.open(changed(path, tmp_path / "a.so", interface=2 << 16))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"record": None}, "dw_record gives no text"),
        ({"record": b"\xff"}, "dw_record gives no text"),
        ({"labels": 4}, "dw_label gives no text"),
        ({"labels": -1}, "-1 labels"),
        ({"labels": 2_000_000_000}, "2000000000 labels"),
    ],
)
def test_nonsense_that_an_artifact_says_of_itself_is_refused(
    path: Path, tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        Artifact.open(changed(path, tmp_path / "a.so", **settings))


@pytest.mark.parametrize("record", [b"{", b"[]"])
def test_a_record_that_is_none_is_refused_when_it_is_read(path: Path, tmp_path: Path, record: bytes) -> None:
    with Artifact.open(changed(path, tmp_path / "a.so", record=record)) as artifact:
        assert artifact.run(pixels(1)).size == 3
        with pytest.raises(Refused, match="no readable record"):
            _ = artifact.record


def test_what_is_not_a_file_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"none\.so: cannot be read \(No such file or directory\); give an artifact"):
        Artifact.open(tmp_path / "none.so")
    with pytest.raises(Refused, match="is a folder; give an artifact"):
        Artifact.open(tmp_path)
    with pytest.raises(Refused, match="/dev/null: is not a regular file"):
        Artifact.open("/dev/null")


def test_a_model_folder_is_refused_with_the_command_that_compiles_it(tmp_path: Path) -> None:
    folder = tmp_path / "cats"
    folder.mkdir()
    (folder / "model.json").write_text("{}")

    with pytest.raises(Refused, match=r"run: depthwise compile .*cats --target host --out cats\.so"):
        Artifact.open(folder)
