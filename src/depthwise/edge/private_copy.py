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


class PrivateCopy:
    """Bytes as they are written: in memory where the system has such files and room in them, else in a folder.

    Its path is new, since a loader that has seen a path before gives the library it had then.

    Raises: NoCopy, when it cannot be written.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._folder: TemporaryDirectory[str] | None = None
        self._path = ""  # in the folder
        # A number, which no garbage collector closes: a library that nobody closes stays loaded by this path, which no
        # other may then get.
        self._memory = _in_memory(name)
        if self._memory is None:
            self._file = self._in_folder()
        else:
            self._file = open(self._memory, "w+b", buffering=0, closefd=False)  # noqa: SIM115 (closed below)

    def write(self, content: memoryview | bytes) -> None:
        """Add bytes at the end."""
        while content:
            try:
                content = content[self._file.write(content) :]
            except OSError as problem:
                if self._folder is not None:
                    raise _no_copy(problem) from None
                self._leave_memory()

    def paths(self) -> Iterator[str]:
        """Where the loader may find it, one place after the other until it takes one."""
        if self._memory is not None:
            yield f"/proc/self/fd/{self._memory}"
            self._leave_memory()
        self._file.close()
        yield self._path

    def release_path(self) -> None:
        """The loader has it: where the path is needed no longer it goes."""
        if self._folder is not None and sys.platform != "win32":  # which keeps the file of a loaded library
            self._folder.cleanup()

    def close(self) -> None:
        """Remove it; a library of it must be unloaded before."""
        self._file.close()
        self._close_memory()
        if self._folder is not None:
            self._folder.cleanup()

    def _leave_memory(self) -> None:
        """Move what was written into a folder, to go on there."""
        from shutil import copyfileobj

        with self._file as memory:
            memory.seek(0)
            self._file = self._in_folder()
            copyfileobj(memory, self)
        self._close_memory()

    def _close_memory(self) -> None:
        if self._memory is not None:
            os.close(self._memory)
            self._memory = None

    def _in_folder(self) -> FileIO:
        # Not loaded above: it takes as long as the rest of a first label.
        from tempfile import TemporaryDirectory

        try:
            self._folder = TemporaryDirectory(prefix="depthwise-", ignore_cleanup_errors=True)
            self._path = os.path.join(self._folder.name, self._name)
            return open(self._path, "wb", buffering=0)
        except OSError as problem:
            raise _no_copy(problem) from None


def _no_copy(problem: OSError) -> NoCopy:
    return NoCopy(f"cannot be copied to load it ({problem.strerror or problem}); make room or set TMPDIR")


def _in_memory(name: str) -> int | None:
    """The descriptor of a new file in memory, open as long as its path is used; None where there are none."""
    if not hasattr(os, "memfd_create") or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.memfd_create(name[:200])
    except (OSError, ValueError):
        return None
