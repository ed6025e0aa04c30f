"""What lies beside a place while something is written to it, temporary folders, and what killed processes left."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from depthwise.errors import Refused

try:
    import fcntl
except ImportError:  # not on Windows, where leftovers of a killed process stay
    fcntl = None  # type: ignore[assignment]

# Longer names of places are cut in the names of what lies beside them, which are longer by some letters.
_LONGEST = 50
NEW, OLD = "new", "old"
# How the names of temporary folders begin.
_WORK = "depthwise-work-"


class Busy(Refused):
    """Another process has the lock."""


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which follows it to another name and goes with the process.

    It is none where the system or the disk has none.

    Raises: Busy, when another holds it; OSError, when there is no such folder.
    """
    if fcntl is None:
        yield
        return
    held = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"{folder}: another process is writing it; wait for its end or choose another name") from None
        except OSError:
            pass  # some network file systems lock no folders
        yield
    finally:
        os.close(held)


@contextlib.contextmanager
def fresh_folder(target: Path) -> Iterator[Path]:
    """A new folder beside a place, gone at the end; those that killed processes left are removed as well."""
    for left in (*_leftovers(target, NEW), *(_leftovers(target, OLD) if target.exists() else ())):
        _remove_left(left)
    fresh = target.parent / f".{_short(target.name)}.{os.urandom(4).hex()}.{NEW}"
    fresh.mkdir()
    try:
        with lock(fresh):
            yield fresh
    finally:
        remove(fresh)


@contextlib.contextmanager
def work_folder() -> Iterator[Path]:
    """A new folder among the system's temporary files, gone at the end; those that killed processes left go as well.

    Raises: OSError, when it cannot be made.
    """
    import tempfile

    for left in Path(tempfile.gettempdir()).glob(f"{_WORK}*") if fcntl is not None else ():
        if _is_own_folder(left):
            _remove_left(left)
    with contextlib.ExitStack() as stack:
        folder = None
        while folder is None:
            made = Path(tempfile.mkdtemp(prefix=_WORK))
            # Until it is locked, another process may take it for one that was left; then the next is made.
            with contextlib.suppress(Busy, FileNotFoundError):
                stack.enter_context(lock(made))
                folder = made if made.exists() else None
        stack.callback(remove, folder)
        yield folder


def not_kept(problem: OSError) -> Refused:
    """What is said where the system's temporary files cannot be written, as on a full disk."""
    import tempfile

    return Refused(
        f"{tempfile.gettempdir()}: the compiler's files cannot be kept there ({problem.strerror}); free some space,"
        " or set TMPDIR to another folder"
    )


def recover(target: Path) -> None:
    """Put a folder back that a killed process had renamed and not yet replaced; else nothing happens."""
    with contextlib.suppress(OSError, Busy):
        if not target.exists():
            for old in _leftovers(target, OLD):
                # A process that is alive holds the lock.
                with lock(old):
                    old.rename(target)
                return


def remove(folder: Path) -> None:
    """Remove a folder and what is in it, as far as the system allows."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _remove_left(folder: Path) -> None:
    """Remove a folder unless the process that made it is alive; where there are no locks nobody knows."""
    if fcntl is not None:
        with contextlib.suppress(OSError, Busy), lock(folder):
            remove(folder)


def _is_own_folder(folder: Path) -> bool:
    """Whether it is a folder of this user, and no link: everybody may write among temporary files."""
    with contextlib.suppress(OSError):
        found = folder.lstat()
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return False


def _leftovers(target: Path, ending: str) -> list[Path]:
    pattern = re.compile(rf"\.{re.escape(_short(target.name))}\.[0-9a-f]{{8}}\.{ending}")
    with contextlib.suppress(OSError):
        return [entry for entry in target.parent.iterdir() if pattern.fullmatch(entry.name)]
    return []


def _short(name: str) -> str:
    if len(name) <= _LONGEST:
        return name
    from zlib import crc32

    return f"{name[: _LONGEST - 8]}{crc32(os.fsencode(name)):08x}"
