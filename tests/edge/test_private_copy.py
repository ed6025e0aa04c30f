"""The copy that the loader is given: in memory, or in a folder where that cannot be."""

from __future__ import annotations

import ctypes
import gc
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from depthwise.edge.artifact import Artifact
from depthwise.errors import Refused
from tools.plain_artifact import LABELS, changed

ROOM = "depthwise.edge.private_copy"
IN_MEMORY = f"{ROOM}._in_memory"


class Full(io.FileIO):
    """Takes so many bytes, a few at a time, and no more."""

    def write(self, content: Any) -> int:
        if self.tell() >= 3000:
            raise OSError(28, "No space left on device")
        return super().write(content[:1000])


def opened(file: int | str, mode: str, **settings: Any) -> IO[Any]:
    """`open`, by which files in memory have little room."""
    return Full(file, "w+", closefd=False) if isinstance(file, int) else open(file, mode, **settings)  # noqa: PTH123


def new_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The places that the loader was asked for; those in memory it does not take."""
    places: list[str] = []
    load = ctypes.CDLL

    def only_from_a_folder(place: str) -> ctypes.CDLL:
        places.append(place)
        if place.startswith("/proc/"):
            raise OSError(f"{place}: failed to map segment from shared object")
        return load(place)

    monkeypatch.setattr("depthwise.edge.library.ctypes.CDLL", only_from_a_folder)
    return places


def answers(artifact: Artifact) -> bool:
    """Whether it gives the shares of the colours of an image."""
    image = np.random.default_rng(1).integers(0, 256, artifact.input_shape, dtype=np.uint8)
    return np.allclose(image.sum((0, 1)) / image.sum(), artifact.run(image), rtol=1e-6)


def test_where_nothing_may_be_loaded_from_memory_a_folder_takes_its_place(path: Path, asked: list[str]) -> None:
    with Artifact.open(path) as artifact:
        assert answers(artifact)

    assert not asked[-1].startswith("/proc/")
    assert not Path(asked[-1]).exists()


def test_a_large_copy_goes_into_a_folder_and_where_it_cannot_into_memory(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places: list[str] = []
    load = ctypes.CDLL

    def noted(place: str) -> ctypes.CDLL:
        places.append(place)
        if "refused" in place:
            raise OSError(f"{place}: failed to map segment from shared object")
        return load(place)

    monkeypatch.setattr("depthwise.edge.library.ctypes.CDLL", noted)
    monkeypatch.setattr(f"{ROOM}.LARGE", 1000)
    (tmp_path / "refused").mkdir()
    for folder, expected in ((tmp_path, 1), (tmp_path / "refused", 2), (tmp_path / "none", 1)):
        places.clear()
        monkeypatch.setattr("tempfile.tempdir", str(folder))
        with Artifact.open(path) as artifact:
            assert answers(artifact)
        assert len(places) == expected
        assert places[-1].startswith(str(tmp_path) if folder == tmp_path else "/proc/")
    assert list((tmp_path / "refused").iterdir()) == []


def test_where_there_are_no_files_in_memory_a_folder_takes_their_place(
    path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IN_MEMORY, lambda _: None)
    with Artifact.open(path) as artifact:
        assert answers(artifact)

    (place,) = asked
    assert Path(place).name == path.name
    assert not Path(place).exists()


def test_where_memory_has_no_room_the_copy_goes_on_in_a_folder(
    path: Path, asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IN_MEMORY, lambda _: new_file(tmp_path / "memory"))
    monkeypatch.setattr(f"{ROOM}.open", opened, raising=False)
    assert path.stat().st_size > 3000
    with Artifact.open(path) as artifact:
        assert answers(artifact)

    assert [Path(place).name for place in asked] == [path.name]


def test_without_room_for_a_copy_the_refusal_says_so_and_does_not_blame_the_file(path: Path) -> None:
    pytest.importorskip("resource", reason="this system has no limits of files")
    code = (
        "import resource, tempfile\nfrom depthwise.edge.artifact import Artifact\n"
        "from depthwise.errors import Refused\nresource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        f"try:\n    Artifact.open({str(path)!r})\nexcept Refused as refusal:\n    print(refusal)"
    )
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == f"{path}: cannot be copied to load it (File too large); make room or set TMPDIR\n"


def test_without_a_folder_for_copies_the_refusal_says_so(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    monkeypatch.setattr(IN_MEMORY, lambda _: None)

    with pytest.raises(
        Refused, match=r"plain\.so: cannot be copied to load it \(No such file or directory\); make room"
    ):
        Artifact.open(path)


@pytest.mark.usefixtures("asked")
def test_where_neither_memory_nor_a_folder_serves_both_reasons_are_given(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    monkeypatch.setattr(IN_MEMORY, lambda _: new_file(tmp_path / "memory"))

    with pytest.raises(Refused, match=r"from memory \(failed to map segment .*\), and cannot be copied .*set TMPDIR"):
        Artifact.open(path)


def test_artifacts_of_one_path_are_each_what_the_file_held_when_opened(path: Path, tmp_path: Path) -> None:
    with Artifact.open(changed(path, tmp_path / "a.so")) as first:
        with Artifact.open(changed(path, tmp_path / "a.so", labels=2)) as second:
            assert (len(first.labels), len(second.labels)) == (3, 2)
        assert first.labels == LABELS
        assert answers(first)


def test_an_artifact_that_is_forgotten_and_never_closed_is_taken_for_no_other(path: Path, tmp_path: Path) -> None:
    Artifact.open(path)
    gc.collect()

    with Artifact.open(changed(path, tmp_path / "a.so", labels=2)) as other:
        assert len(other.labels) == 2


def test_nothing_is_left_behind(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for where in ("in memory, where there is such", "in a folder"):
        if where == "in a folder":
            monkeypatch.setattr(IN_MEMORY, lambda _: None)
        Artifact.open(path).close()

        assert list(tmp_path.iterdir()) == []
