"""What is taken for an artifact, and what is refused before it is loaded or used."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthwise.edge.artifact import Artifact
from depthwise.errors import Refused
from tools.plain_artifact import LABELS, STRICT, build, changed, trailer


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


@pytest.mark.parametrize(
    ("head", "kind"),
    [(b"\x7fELF\2\1\1" + bytes(9) + b"\3\0\x03\0", "i686"), (b"MZ", "Windows"), (b"\xcf\xfa\xed\xfe", "macOS")],
)
def test_a_library_for_another_machine_is_refused_with_its_kind(tmp_path: Path, head: bytes, kind: str) -> None:
    content = head + bytes(4096)
    (tmp_path / "far.so").write_bytes(content + trailer(content))

    with pytest.raises(Refused, match=rf"far\.so: cannot be loaded on this machine \(it is for {kind}\); compile"):
        Artifact.open(tmp_path / "far.so")


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


@pytest.mark.parametrize("place", [-1, 2])
def test_a_level_that_an_artifact_uses_and_does_not_carry_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    with Artifact.open(path) as artifact:
        assert (artifact.levels, artifact.level) == ((), "")
        artifact.levels = ("sse2", "avx2")
        monkeypatch.setitem(artifact._open()._functions, "dw_level_in_use", lambda: place)
        with pytest.raises(Refused, match=f"says that level {place} of 2 is in use"):
            _ = artifact.level


def test_what_is_not_a_file_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"none\.so: cannot be read \(No such file or directory\); give an artifact"):
        Artifact.open(tmp_path / "none.so")
    with pytest.raises(Refused, match=r"cannot be read \(.*null.*\); give an artifact"):
        Artifact.open("a\0b.so")
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


def test_only_the_file_that_is_meant_is_loaded(path: Path, tmp_path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    Artifact.open(path, sha256=digest.upper()).close()
    other = changed(path, tmp_path / "other.so", golden=4)
    with pytest.raises(Refused, match=rf"other.so: has SHA-256 [0-9a-f]{{64}}, not {digest}; it is another file"):
        Artifact.open(other, sha256=digest)
