"""Files and folders: read within their limit, written whole or not at all, and nothing else is ever replaced."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from depthwise import beside, files
from depthwise.errors import Refused
from depthwise.files import TooLarge, read_file, write_file, write_folder
from depthwise.places import Kind, check_output

NOTE = Kind(name="a note", is_one=lambda path: path.read_bytes().startswith(b"note"))
PAIR = Kind(
    name="a pair",
    is_one=lambda path: {entry.name for entry in path.iterdir()} <= {"a", "b"},
    folder=True,
    worth=lambda path: "a good pair",
)
OLD, NEW = {"a": b"old", "b": b"old"}, {"a": b"new", "b": b"new"}


def lies_in(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


# ---- what lies at a place


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (os.mkfifo, "is a device, a pipe or a socket, which is never replaced"),
        (make_socket, "is a device, a pipe or a socket, which is never replaced"),
        (Path.mkdir, "is a folder; give the name of a file"),
        (lambda path: path.write_text("holiday"), "exists and is not a note"),
        (lambda path: path.symlink_to("/dev/null"), "is a device, a pipe or a socket, which is never replaced"),
        (lambda path: path.symlink_to(path), "cannot be written (Too many levels of symbolic links)"),
    ],
)
def test_what_is_of_another_kind_is_refused_before_any_work_and_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], object], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    place = Path("place")
    make(place)
    before = place.lstat()
    with pytest.raises(Refused) as before_work:
        check_output(place, NOTE, force=True)
    with pytest.raises(Refused) as after_work:
        write_file(place, b"note", NOTE)
    for refusal in (before_work, after_work):
        assert str(refusal.value).startswith(f"place: {sentence}")
    after = place.lstat()
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (before.st_ino, before.st_mode, before.st_mtime_ns)
    assert [entry.name for entry in tmp_path.iterdir()] == ["place"]


@pytest.mark.parametrize("name", ["x" * 256, ".", "file/below", "/proc/nowhere/x"])
def test_a_place_that_cannot_be_written_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    for kind in (NOTE, PAIR):
        with pytest.raises(Refused):
            check_output(Path(name), kind)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_folder_on_which_a_disk_is_mounted_is_refused_before_any_work() -> None:
    # As a container's folders are: it could not be renamed.
    with pytest.raises(Refused, match="is where a disk is mounted"):
        check_output(Path("/proc"), Kind(name="anything", is_one=lambda path: True, folder=True))


def test_what_is_of_the_kind_is_replaced_and_what_is_worth_something_by_force_alone(tmp_path: Path) -> None:
    note, pair = tmp_path / "note", tmp_path / ("a folder with a long name " * 9)
    for content in (b"note 1", b"note 2"):
        check_output(note, NOTE)
        write_file(note, content, NOTE)
        assert note.read_bytes() == content
    check_output(pair, PAIR)
    write_folder(pair, OLD, PAIR)
    with pytest.raises(Refused, match="a good pair lies there; give --force to replace it"):
        check_output(pair, PAIR)
    check_output(pair, PAIR, force=True)
    write_folder(pair, NEW, PAIR)
    assert lies_in(pair) == NEW
    assert {entry.name for entry in tmp_path.iterdir()} == {"note", pair.name}


def test_a_link_stays_a_link_and_what_is_behind_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "link"
    link.symlink_to("elsewhere/note")
    for content in (b"note 1", b"note 2"):
        write_file(link, content, NOTE)
        assert link.is_symlink()
        assert (tmp_path / "elsewhere/note").read_bytes() == content


# ---- reading


def test_only_regular_files_are_read_and_no_more_than_their_limit(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    for name in ("pipe", "endless", "."):
        with pytest.raises(OSError, match="it is not a plain file"):
            read_file(tmp_path / name, 10)
    (tmp_path / "ten").write_bytes(bytes(10))
    assert read_file(tmp_path / "ten", 10) == bytes(10)
    with pytest.raises(TooLarge, match="it has 10 bytes, and 9 at most are read"):
        read_file(tmp_path / "ten", 9)
    # A file of /proc says that it has no bytes, and has some.
    with pytest.raises(TooLarge):
        read_file(Path("/proc/self/status"), 10)


# ---- interrupts, kills and full disks


def killed(owner: object, name: str, number: int, after: bool) -> None:
    """Let the process end by force before or after the call of that number."""
    whole, calls = getattr(owner, name), [0]

    def call(*arguments: object, **named: object) -> object:
        calls[0] += 1
        if calls[0] == number and not after:
            os._exit(9)
        result = whole(*arguments, **named)
        if calls[0] == number:
            os._exit(9)
        return result

    setattr(owner, name, call)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("owner", "name", "number"),
    [
        (Path, "mkdir", 2),
        (os, "fsync", 2),
        (files, "_exchanged", 1),
        (shutil, "rmtree", 1),
        # Where the system cannot exchange folders.
        (Path, "rename", 2),
        (Path, "rename", 3),
    ],
)
def test_a_process_killed_at_any_step_leaves_the_old_or_the_new_and_the_next_one_finds_it(
    tmp_path: Path, owner: object, name: str, number: int, after: bool
) -> None:
    place = tmp_path / "pair"
    write_folder(place, OLD, PAIR)
    child = os.fork()
    if child == 0:
        if name == "rename":
            files._exchanged = lambda *_: False
        killed(owner, name, number, after)
        with contextlib.suppress(BaseException):
            write_folder(place, NEW, PAIR)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    if name == "rename":
        beside.recover(place)
    assert lies_in(place) in (OLD, NEW)
    write_folder(place, NEW, PAIR)
    assert lies_in(place) == NEW
    assert [entry.name for entry in tmp_path.iterdir()] == ["pair"]


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), OSError(28, "No space left on device")])
@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("number", range(8))
def test_an_interrupt_or_a_full_disk_at_any_step_leaves_the_old_or_the_new_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, two: bool, problem: BaseException
) -> None:
    place = tmp_path / "pair"
    write_folder(place, OLD, PAIR)
    calls = [0]

    def counted(owner: object, name: str) -> None:
        whole = getattr(owner, name)

        def call(*arguments: object, **named: object) -> object:
            calls[0] += 1
            if calls[0] == number + 1:
                raise problem
            return whole(*arguments, **named)

        monkeypatch.setattr(owner, name, call)

    for owner, name in ((Path, "mkdir"), (Path, "open"), (Path, "rename"), (os, "fsync")):
        counted(owner, name)
    if two:
        monkeypatch.setattr(files, "_exchanged", lambda *_: False)
    with contextlib.suppress(KeyboardInterrupt, Refused):
        write_folder(place, NEW, PAIR)
    monkeypatch.undo()
    assert lies_in(place) in (OLD, NEW)
    assert [entry.name for entry in tmp_path.iterdir()] == ["pair"]


def test_what_another_process_is_writing_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "pair"
    with beside.fresh_folder(place) as fresh:
        write_folder(place, NEW, PAIR)
        assert fresh.is_dir()
        with pytest.raises(beside.Busy, match="another process is writing it"), beside.lock(fresh):
            pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["pair"]


def test_a_temporary_folder_that_a_killed_process_left_goes_with_the_next_and_none_that_is_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    child = os.fork()
    if child == 0:
        with beside.work_folder() as folder:
            (folder / "model.o").touch()
            os._exit(9)
    os.waitpid(child, 0)
    (left,) = tmp_path.iterdir()
    with beside.work_folder() as one:
        assert not left.exists()
        with beside.work_folder() as other:
            assert sorted(tmp_path.iterdir()) == sorted([one, other])
    # Among temporary files everybody may put a link of that name.
    (tmp_path / "precious").mkdir()
    (tmp_path / f"{left.name}x").symlink_to(tmp_path / "precious")
    with beside.work_folder():
        assert (tmp_path / "precious").is_dir()
