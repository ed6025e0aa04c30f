from __future__ import annotations

import os
import re
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthwise.edge.artifact import Artifact
from depthwise.edge.library import FUNCTIONS
from depthwise.edge.pixels import prepare
from depthwise.errors import Refused, Unmet
from depthwise.kernels.headers import INTERFACE
from tools.plain_artifact import LABELS, changed

SHAPE = (32, 32, 3)


def pixels(seed: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def shares(image: np.ndarray) -> np.ndarray:
    return np.asarray(image.sum((0, 1)) / image.sum())


def test_every_function_of_the_header_is_declared_with_as_many_arguments() -> None:
    header = re.sub(r"/\*.*?\*/", "", INTERFACE.read_text(), flags=re.DOTALL)
    found = re.findall(r"\b(dw_\w+)\(([^)]*)\);", header)

    assert {name: 0 if text == "void" else text.count(",") + 1 for name, text in found} == {
        name: len(arguments) for name, (_, arguments) in FUNCTIONS.items()
    }


def test_what_an_artifact_says_of_itself_arrives(path: Path) -> None:
    with Artifact.open(path) as artifact:
        assert artifact.labels == LABELS
        assert artifact.record == {"network": {"resolution": 32}, "note": "ä"}
        assert artifact.record is artifact.record
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


def test_a_file_or_its_bytes_have_the_probabilities_of_its_picture(path: Path, tmp_path: Path) -> None:
    frame, file = pixels(2, (70, 45, 3)), tmp_path / "photo.png"
    Image.fromarray(frame).save(file)
    with Artifact.open(path) as artifact:
        expected = artifact.classify(frame).tolist()

        assert artifact.label(file) == artifact.label(str(file)) == artifact.label(file.read_bytes()) == expected
        with pytest.raises(Refused, match="the path or the bytes of a file, not what is of type ndarray"):
            artifact.label(frame)


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


def test_a_process_forked_during_a_call_of_another_thread_can_call(path: Path) -> None:
    image, begun, done = pixels(5), threading.Event(), threading.Event()

    def call() -> None:
        with artifact._lock:  # as a call holds it
            begun.set()
            done.wait()

    with Artifact.open(path) as artifact, ThreadPoolExecutor(1) as pool:
        pool.submit(call)
        begun.wait()
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            os._exit(0 if np.allclose(artifact.run(image), shares(image), rtol=1e-6) else 1)
        done.set()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_an_artifact_that_is_dropped_gives_its_files_and_maps_back(path: Path) -> None:
    def held() -> tuple[int, int]:
        maps = Path("/proc/self/maps").read_text()
        return len(list(Path("/proc/self/fd").iterdir())), maps.count("memfd") + maps.count("plain")

    Artifact.open(path).run(pixels(6))
    before = held()
    for _ in range(20):
        Artifact.open(path)
    assert held() == before


def test_a_closed_artifact_says_so(path: Path) -> None:
    with Artifact.open(path) as artifact:
        pass
    artifact.close()

    with pytest.raises(Refused, match="is closed"):
        artifact.run(pixels(6))


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


def test_a_function_that_was_left_out_is_told_with_the_option_that_did_it(path: Path, tmp_path: Path) -> None:
    other = changed(path, tmp_path / "a.so", golden=7)
    with Artifact.open(other) as artifact, pytest.raises(Refused, match=r"was left out .*\(--leave-out prepare\)"):
        artifact.verify()


@pytest.mark.parametrize("record", [b"{", b"[]"])
def test_a_record_that_is_none_is_refused_when_it_is_read(path: Path, tmp_path: Path, record: bytes) -> None:
    with Artifact.open(changed(path, tmp_path / "a.so", record=record)) as artifact:
        assert artifact.run(pixels(1)).size == 3
        with pytest.raises(Refused, match="no readable record"):
            _ = artifact.record
