"""What lies at a path that is to be written: looked at before any work, and again before it is replaced."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from depthwise.beside import recover
from depthwise.errors import Refused

# Bytes by which a file is known, at its beginning or its end.
_MARK = 4096
_MOUNTS = "/proc/self/mountinfo"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a command writes, and how one that was written before is known.

    Attributes:
        name: with its article, for sentences: "an artifact".
        is_one: whether what lies at a path is of this kind; it is asked about files, or about folders where `folder`.
        folder: whether it is a folder of files.
        worth: what would be lost with the one that lies at a path, such as "a model that took hours to train", or "";
            without --force it is then kept.
    """

    name: str
    is_one: Callable[[Path], bool]
    folder: bool = False
    worth: Callable[[Path], str] = lambda path: ""


def check_output(path: Path, kind: Kind, *, force: bool = False) -> None:
    """See that something can be written at a path, and that nothing else is lost by it; nothing is changed.

    Args:
        force: replace what is worth something too. What is of another kind is never replaced.
    Raises: Refused, when something else lies there, what is there is worth something, or the place cannot be written.
    """
    target = place(path)
    recover(target)
    check_kind(path, kind)
    try:
        lost = "" if force or not target.exists() or is_empty(target) else kind.worth(target)
        if lost:
            raise Refused(f"{path}: {lost} lies there; give --force to replace it, or choose another name")
        if kind.folder and target.exists() and _is_mounted(target):
            raise Refused(f"{path}: is where a disk is mounted, which cannot be replaced; name a folder inside it")
        with tempfile.TemporaryFile(dir=_nearest(target.parent)) as file:
            file.write(b"can be written")
    except OSError as problem:
        raise not_written(path, problem) from None


def check_kind(path: Path, kind: Kind) -> None:
    """See that nothing lies at a path, or something of a kind.

    Raises: Refused, naming what lies there.
    """
    target = place(path)
    try:
        mode = target.stat().st_mode
        if stat.S_ISDIR(mode) and not kind.folder:
            raise Refused(f"{path}: is a folder; give the name of a file")
        if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
            raise Refused(f"{path}: is a device, a pipe or a socket, which is never replaced; choose another name")
        if not os.access(target, os.W_OK):
            raise Refused(f"{path}: is there and write-protected; choose another name or remove it")
        if not is_empty(target) and (kind.folder != stat.S_ISDIR(mode) or not kind.is_one(target)):
            raise Refused(f"{path}: exists and is not {kind.name}; choose another name or remove it")
    except FileNotFoundError:
        return
    except OSError as problem:
        raise not_written(path, problem) from None


def place(path: Path) -> Path:
    """Where writing to a path leads to: a link stays a link, and what it points to is replaced."""
    return Path(os.path.realpath(path))


def not_written(path: Path, problem: OSError) -> Refused:
    """The refusal of a path at which the system said no."""
    return Refused(f"{path}: cannot be written ({problem.strerror or problem}); choose another place")


def beginning(path: Path, count: int = _MARK) -> bytes:
    """The first bytes of a file."""
    with path.open("rb") as file:
        return file.read(count)


def end(path: Path, count: int = _MARK) -> bytes:
    """The last bytes of a file."""
    with path.open("rb") as file:
        file.seek(-min(count, path.stat().st_size), os.SEEK_END)
        return file.read(count)


def names(folder: Path) -> set[str]:
    """Names of what lies in a folder."""
    return {entry.name for entry in folder.iterdir()}


def is_empty(target: Path) -> bool:
    """Whether a file has no bytes, or a folder nothing in it: nothing is lost with it."""
    return not (names(target) if target.is_dir() else target.stat().st_size)


def _nearest(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that exists already."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _is_mounted(folder: Path) -> bool:
    """Whether a disk is mounted at a folder, as a container's folders often are; it can then not be renamed."""
    try:
        with Path(_MOUNTS).open(encoding="utf-8", errors="surrogateescape") as file:
            points = {line.split()[4] for line in file}
    except (OSError, IndexError):
        return os.path.ismount(folder)
    # Blanks, tabs, line breaks and backslashes stand there as three octal digits.
    shown = "".join(f"\\{ord(c):03o}" if c in " \t\n\\" else c for c in str(folder))
    return shown in points
