"""Artifacts for several targets appear together in one folder, or none of them does."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthwise.compiler.compile import Built
from depthwise.compiler.several import check_several, compile_several, file_for, split_targets
from depthwise.compiler.targets import TARGETS, listed, target
from depthwise.errors import Refused


def refusing(name: str, path: Path) -> Built:
    """A compiler that makes one artifact and fails at the next."""
    if name == "linux-riscv64":
        raise Refused("the disk is full")
    path.write_bytes(b"a library, and DWTRAIL2")
    return Built(
        path=path,
        target=name,
        bytes=1,
        weight_bytes=1,
        arena_bytes=1,
        multiply_adds=1,
        live_multiply_adds=1,
        seconds=0,
        plan=None,  # type: ignore[arg-type]
        levels=(),
    )


def test_each_artifact_is_called_by_its_target_and_the_ending_of_its_system(tmp_path: Path) -> None:
    names = ("linux-x86_64", "windows-arm64", "macos-arm64", "ios-arm64", "android-aarch64")
    built = compile_several(names, tmp_path / "out", refusing)

    files = ["linux-x86_64.so", "windows-arm64.dll", "macos-arm64.dylib", "ios-arm64.a", "android-aarch64.so"]
    assert [found.path for found in built] == [tmp_path / "out" / name for name in files]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(files)


def test_where_one_cannot_be_made_the_folder_stays_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(Refused, match="the disk is full"):
        compile_several(("linux-aarch64", "linux-riscv64"), out, refusing)
    assert not out.exists()

    compile_several(("linux-armv7",), out, refusing)
    with pytest.raises(Refused, match="the disk is full"):
        compile_several(("linux-aarch64", "linux-riscv64"), out, refusing)
    assert [path.name for path in out.iterdir()] == ["linux-armv7.so"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("linux-x86_64,linux-arm64", "there is no target 'linux-arm64'; is it linux-aarch64"),
        ("linux-x86_64,", "there is no target ''"),
        ("linux-x86_64, linux-x86_64", "--target names linux-x86_64 twice; name each once"),
    ],
)
def test_names_that_are_no_targets_or_come_twice_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        split_targets(text)


def test_a_folder_that_holds_anything_else_and_a_target_that_is_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years")
    with pytest.raises(Refused, match="exists and is not a folder of artifacts alone"):
        check_several(("linux-x86_64", "linux-aarch64"), tmp_path, None)
    with pytest.raises(Refused, match="source becomes a folder of its own; compile for it alone"):
        check_several(("linux-x86_64", "source"), tmp_path / "new", None)
    with pytest.raises(Refused, match="target linux-armv7 here has no processors to choose among"):
        check_several(("linux-x86_64", "linux-armv7"), tmp_path / "new", "avx2")


def test_every_target_says_what_it_needs_where_it_was_run_and_the_levels_that_it_carries() -> None:
    rows = {row.target: row for row in listed()}

    assert list(rows) == [row.name for row in TARGETS]
    assert all(row.needs and row.ran in ("machine", "emulator", "built only") for row in rows.values())
    assert rows["macos-x86_64"].levels == ("portable", "v2", "avx2")
    assert rows["linux-x86_64-v3"].levels == ()
    # Nothing can run them here.
    apart = {row.name for row in TARGETS if row.system in ("macos", "ios", "android") or row.gpu} | {"windows-arm64"}
    assert {name for name, row in rows.items() if row.ran == "built only"} == apart
    assert {file_for(name)[len(name) :] for name in rows if target(name).system} == {".so", ".dll", ".dylib", ".a"}
