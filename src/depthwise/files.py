"""Files and folders: read whole within a limit, and written so that they appear whole or not at all.

What is to be written is made in a folder of another name beside its place, flushed to the disk, and then renamed.
Whatever ends a process, at whatever moment, the old one or the new one lies at the place; or, where a system cannot
exchange two folders in one step, the old one lies beside it, and `beside.recover` puts it back.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from depthwise.beside import OLD, fresh_folder, lock, recover, remove
from depthwise.places import Kind, check_kind, not_written, place

_STEP = 2**20
_AT, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of renameat2(2)


class TooLarge(OSError):
    """A file has more bytes than its reader allows."""


def read_file(path: Path, limit: int) -> bytes:
    """The bytes of a regular file.

    Raises: OSError, as opening does, and for what is no regular file: a pipe may never answer and a device never end;
        TooLarge, an OSError too, above `limit` bytes, and no more than one above it is read.
    """
    with open_file(path) as file:
        # What a file says of its size is for the first step; some of the system's say 0, and others grow.
        size = os.fstat(file.fileno()).st_size
        parts: list[bytes] = []
        total = 0 if size <= limit else size
        while total <= limit and (part := file.read(min(limit + 1 - total, max(size + 1 - total, _STEP)))):
            parts.append(part)
            total += len(part)
    if total > limit:
        raise TooLarge(errno.EFBIG, f"it has {total:,} bytes, and {limit:,} at most are read")
    return b"".join(parts)


def open_file(path: Path) -> IO[bytes]:
    """A regular file, open for reading.

    Raises: OSError, as opening does, and for what is no regular file.
    """
    _check_regular(path.stat())
    # What is there now may be another thing than a moment ago; a pipe is then opened without waiting for its writer.
    file = open(path, "rb", opener=_opened_at_once)  # noqa: SIM115
    try:
        _check_regular(os.fstat(file.fileno()))
    except BaseException:
        file.close()
        raise
    return file


def write_file(path: Path, content: bytes | Path, kind: Kind, *, executable: bool = False) -> None:
    """Write a file in one step; one of the same kind is replaced, behind a link too.

    Args:
        content: or a file that is copied, which large ones are, so that they need not fit into memory.
        executable: whoever may read it may run it.
    Raises: Refused, when something else lies there, or it cannot be written.
    """
    check_kind(path, kind)
    target = place(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with fresh_folder(target) as fresh:
            made = fresh / "content"
            _write(made, content)
            if executable:
                mode = made.stat().st_mode
                made.chmod(mode | (mode & 0o444) >> 2)
            made.replace(target)
            _sync(target.parent)
    except OSError as problem:
        raise not_written(path, problem) from None


def write_folder(path: Path, files: Mapping[str, bytes | Path], kind: Kind, *, kept: str = "") -> None:
    """Write a folder of files in one step; one of the same kind is replaced, behind a link too.

    Args:
        files: contents, or files that are copied, by name; a name may lead into folders within the folder.
        kept: name of a file that stays when the folder is replaced.
    Raises: Refused, when something else lies there, or it cannot be written.
    """
    target = place(path)
    recover(target)
    check_kind(path, kind)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with fresh_folder(target) as fresh:
            stays = {kept: target / kept} if kept and (target / kept).is_file() else {}
            for name, content in {**stays, **files}.items():
                (fresh / name).parent.mkdir(parents=True, exist_ok=True)
                _write(fresh / name, content)
            _sync(fresh)
            _put(fresh, target)
            _sync(target.parent)
    except OSError as problem:
        raise not_written(path, problem) from None


def _opened_at_once(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def _check_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a plain file")


def _put(fresh: Path, target: Path) -> None:
    """Rename a folder to its place; what was there bears its name afterwards, or is gone."""
    try:
        fresh.rename(target)
    except OSError as problem:
        if problem.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        if not _exchanged(fresh, target):
            _put_in_two(fresh, target)


def _exchanged(fresh: Path, target: Path) -> bool:
    """Exchange two folders in one step; False, and nothing changes, where the system or the disk cannot."""
    import ctypes

    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):  # not Linux, or an old one
        return False
    if call(_AT, os.fsencode(fresh), _AT, os.fsencode(target), _EXCHANGE) == 0:
        return True
    if ctypes.get_errno() in (errno.EINVAL, errno.ENOSYS):
        return False
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _put_in_two(fresh: Path, target: Path) -> None:
    old = fresh.with_suffix(f".{OLD}")
    with lock(target):
        try:
            target.rename(old)
            fresh.rename(target)
        finally:
            # Whatever came between the two, an interrupt included, the old one comes back.
            if old.exists() and not target.exists():
                old.rename(target)
    remove(old)


def _write(path: Path, content: bytes | Path) -> None:
    with path.open("xb") as file:
        if isinstance(content, Path):
            with content.open("rb") as given:
                while part := given.read(_STEP):
                    file.write(part)
        else:
            file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the system can."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
