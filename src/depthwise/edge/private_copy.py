"""A file that nobody else knows, to load a library from, at a path of which the loader holds none."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # without `typing`, as edge/__init__.py says
if TYPE_CHECKING:
    from collections.abc import Iterator
    from tempfile import TemporaryDirectory


class PrivateCopy:
    """Bytes as they are written: in memory where the system has such files, else in a folder of its own.

    Its path is new, since a loader that has seen a path before gives the library it had then.

    Raises: OSError, when it cannot be written.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._folder: TemporaryDirectory[str] | None = None
        self._memory = _in_memory(name)
        where = self._in_folder() if self._memory is None else self._memory
        self._file = open(where, "wb", buffering=0, closefd=self._memory is None)  # noqa: SIM115 (closed below)

    def write(self, content: memoryview) -> None:
        """Add bytes at the end, not more at a time than what a system takes in one call."""
        if self._file.write(content) != len(content):
            raise OSError("there is no more room for a copy")

    def paths(self) -> Iterator[str]:
        """Where the loader may find it, one place after the other until it takes one."""
        self._file.close()
        if self._memory is None:
            yield self._path
            return
        yield f"/proc/self/fd/{self._memory}"
        from shutil import copyfileobj

        with open(self._memory, "rb", closefd=False) as memory, open(self._in_folder(), "wb") as file:
            memory.seek(0)
            copyfileobj(memory, file)
        yield self._path

    def is_loaded(self) -> None:
        """The loader has it: where the path is needed no longer it goes."""
        if self._folder is not None and sys.platform != "win32":  # which keeps the file of a loaded library
            self._folder.cleanup()

    def close(self) -> None:
        """Remove it; a library of it must be unloaded before."""
        self._file.close()
        if self._memory is not None:
            os.close(self._memory)
            self._memory = None
        if self._folder is not None:
            self._folder.cleanup()

    def _in_folder(self) -> str:
        # Not loaded above: it takes as long as the rest of a first label.
        from tempfile import TemporaryDirectory

        self._folder = TemporaryDirectory(prefix="depthwise-", ignore_cleanup_errors=True)
        self._path = os.path.join(self._folder.name, self._name)
        return self._path


def _in_memory(name: str) -> int | None:
    """The descriptor of a new file in memory, open as long as its path is used; None where there are none."""
    if not hasattr(os, "memfd_create") or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.memfd_create(name[:200])
    except (OSError, ValueError):
        return None
