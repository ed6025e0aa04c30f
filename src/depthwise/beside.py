"""What lies beside a place while something is written to it, and what a killed process left of that."""

from __future__ import annotations

import contextlib
import os
import re
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
        with contextlib.suppress(OSError, Busy), lock(left):
            remove(left)
    fresh = target.parent / f".{_short(target.name)}.{os.urandom(4).hex()}.{NEW}"
    fresh.mkdir()
    try:
        with lock(fresh):
            yield fresh
    finally:
        remove(fresh)


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
