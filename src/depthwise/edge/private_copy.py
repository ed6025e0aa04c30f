"""A file that nobody else knows, to load a library from, at a path of which the loader holds none."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # without `typing`, as edge/__init__.py says
if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO
    from tempfile import TemporaryDirectory


class NoCopy(Exception):
    """A private copy cannot be written: why, and what to do."""


# From so many bytes on a folder comes first: its files lie in larger pages, and a network of tens of megabytes runs a
# twentieth faster in them (docs/bench.md).
LARGE = 8 << 20


class PrivateCopy:
    """Bytes as they are written: in memory where the system has such files and room in them, else in a folder.

    Its path is new, since a loader that has seen a path before gives the library it had then.

    Args:
        size: how many bytes will be written. Many go into a folder where they can, and else into memory.

    Raises: NoCopy, when it cannot be written.
    """

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._folder: TemporaryDirectory[str] | None = None
        # A number, which no garbage collector closes: a library that nobody closes stays loaded by this path, which no
        # other may then get.
        self._memory: int | None = None
        self._left = [self._in_folder, self._in_memory] if size < LARGE else [self._in_memory, self._in_folder]
        self._file = self._next("")

    def write(self, content: memoryview | bytes) -> None:
        """Add bytes at the end."""
        while content:
            try:
                content = content[self._file.write(content) :]
            except OSError as problem:
                self._move(_reason(problem))

    def paths(self) -> Iterator[str]:
        """Where the loader may find it, one place after the other until it takes one."""
        yield self._path()
        while self._left:
            self._move("")
            yield self._path()

    def release_path(self) -> None:
        """The loader has it: where the path is needed no longer it goes."""
        if self._folder is not None and sys.platform != "win32":  # which keeps the file of a loaded library
            self._folder.cleanup()

    def close(self) -> None:
        """Remove it; a library of it must be unloaded before."""
        self._file.close()
        _remove(self._memory, self._folder)
        self._memory = self._folder = None

    def _path(self) -> str:
        """Of all that was written; the folder's file is closed, as a loader may want it to be."""
        if self._memory is not None:
            return f"/proc/self/fd/{self._memory}"
        assert self._folder is not None
        self._file.close()
        return os.path.join(self._folder.name, self._name)

    def _next(self, reason: str) -> FileIO:
        """An empty file at the next place; `reason` is why not at the one before."""
        while self._left:
            try:
                file = self._left.pop()()
            except OSError as problem:
                reason = reason or _reason(problem)
            else:
                if file is not None:
                    return file
        raise NoCopy(f"cannot be copied to load it ({reason}); make room or set TMPDIR")

    def _move(self, reason: str) -> None:
        """Copy what was written to the next place, to go on there."""
        from shutil import copyfileobj

        memory, folder = self._memory, self._folder
        try:
            with open(self._path(), "rb", buffering=0) as old:
                self._file.close()
                self._memory = self._folder = None
                self._file = self._next(reason)
                copyfileobj(old, self)
        finally:
            _remove(memory, folder)

    def _in_memory(self) -> FileIO | None:
        self._memory = _in_memory(self._name)
        return None if self._memory is None else open(self._memory, "w+b", buffering=0, closefd=False)

    def _in_folder(self) -> FileIO | None:
        # Not loaded above: it takes as long as the rest of a first label.
        from tempfile import TemporaryDirectory

        self._folder = TemporaryDirectory(prefix="depthwise-", ignore_cleanup_errors=True)
        return open(os.path.join(self._folder.name, self._name), "wb", buffering=0)


def _remove(memory: int | None, folder: TemporaryDirectory[str] | None) -> None:
    if memory is not None:
        os.close(memory)
    if folder is not None:
        folder.cleanup()


def _reason(problem: OSError) -> str:
    return problem.strerror or str(problem)


def _in_memory(name: str) -> int | None:
    """The descriptor of a new file in memory, open as long as its path is used; None where there are none."""
    if not hasattr(os, "memfd_create") or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.memfd_create(name[:200])
    except (OSError, ValueError):
        return None
