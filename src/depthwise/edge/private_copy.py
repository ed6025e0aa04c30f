"""The bytes of a file, copied to where nobody else knows them, at a path of which the loader holds no library."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # without `typing`, as edge/__init__.py says
if TYPE_CHECKING:
    from collections.abc import Iterator
    from tempfile import TemporaryDirectory
    from typing import IO


class PrivateCopy:
    """What a file held when it was copied: into a file in memory where the system has such, else into a folder.

    What is checked is the copy, and the copy is what is loaded. Its path is new, since a loader that has seen a path
    before gives the library it had then.

    Attributes:
        content: its bytes, until it is loaded.

    Raises: OSError, when the file cannot be read.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._name = name
        self._folder: TemporaryDirectory[str] | None = None
        self._descriptor = _in_memory(file.fileno(), name)
        if self._descriptor is None:
            file.seek(0)
            self.content = memoryview(file.read())
            return
        # Mapped, not read: of a large network there would be two copies for a moment.
        from mmap import ACCESS_READ, mmap

        size = os.fstat(self._descriptor).st_size
        self.content = memoryview(mmap(self._descriptor, 0, access=ACCESS_READ) if size else b"")

    def paths(self) -> Iterator[str]:
        """Where the loader may find it, one place after the other until it takes one.

        Raises: OSError, when it cannot be written to a folder.
        """
        if self._descriptor is not None:
            yield f"/proc/self/fd/{self._descriptor}"
        # Not loaded above: it takes as long as the rest of a first label.
        from tempfile import TemporaryDirectory

        self._folder = TemporaryDirectory(prefix="depthwise-", ignore_cleanup_errors=True)
        path = os.path.join(self._folder.name, self._name)
        with open(path, "wb") as file:
            file.write(self.content)
        yield path

    def is_loaded(self) -> None:
        """The loader has it: the content, and where the path is needed no longer it too, can go."""
        self.content = memoryview(b"")
        if self._folder is not None and sys.platform != "win32":  # which keeps the file of a loaded library
            self._folder.cleanup()

    def close(self) -> None:
        """Remove it; a library of it must be unloaded before."""
        self.content = memoryview(b"")
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if self._folder is not None:
            self._folder.cleanup()


def _in_memory(file: int, name: str) -> int | None:
    """A descriptor of the file's copy in memory, open as long as its path is used; None where there can be none."""
    if not hasattr(os, "memfd_create") or not os.path.isdir("/proc/self/fd"):
        return None
    copy = None
    try:
        copy = os.memfd_create(name[:200])
        while os.sendfile(copy, file, None, 1 << 30):
            pass
    except (OSError, ValueError):
        if copy is not None:
            os.close(copy)
        return None
    return copy
