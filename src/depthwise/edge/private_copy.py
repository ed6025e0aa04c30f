"""Bytes as a file that nobody else knows, at a path of which the loader holds no library."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory


class PrivateCopy:
    """A file in memory where the system has such, else in a folder of its own.

    It holds exactly the bytes that were checked. Its path is new, since a loader that has seen a path before gives the
    library it had then.

    Attributes:
        path: where it is.

    Raises: OSError, when it cannot be written.
    """

    def __init__(self, content: bytes | memoryview, name: str, *, in_memory: bool = True) -> None:
        self._descriptor = _in_memory(content, name) if in_memory else None
        self._folder: TemporaryDirectory[str] | None = None
        if self._descriptor is not None:
            self.path = f"/proc/self/fd/{self._descriptor}"
            return
        # Not loaded above: it takes as long as the rest of a first label.
        from tempfile import TemporaryDirectory

        self._folder = TemporaryDirectory(prefix="depthwise-", ignore_cleanup_errors=True)
        try:
            self.path = str(Path(self._folder.name) / name)
            Path(self.path).write_bytes(content)
        except OSError:
            self._folder.cleanup()
            raise

    def release_path(self) -> None:
        """The loader has it: where the path is needed no longer it goes."""
        if self._folder is not None and sys.platform != "win32":  # which keeps the file of a loaded library
            self._folder.cleanup()

    def close(self) -> None:
        """Remove it; a library of it must be unloaded before."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if self._folder is not None:
            self._folder.cleanup()


def _in_memory(content: bytes | memoryview, name: str) -> int | None:
    """The descriptor of a file in memory, open as long as its path is used; None where there is none."""
    if not hasattr(os, "memfd_create") or not Path("/proc/self/fd").is_dir():
        return None
    descriptor = None
    try:
        descriptor = os.memfd_create(name[:200])
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
    except (OSError, ValueError):
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        return None
    return descriptor
