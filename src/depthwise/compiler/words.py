"""Constants of an artifact, as 32-bit words in a file without a name: compilers need the memory they would fill."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthwise.beside import not_kept

# Below so many bytes they stay in memory.
_FEW = 1 << 24

Array = NDArray[np.uint32]


class Words:
    """Words that are appended, and then read a part at a time or copied to a file.

    Raises: Refused, where temporary files cannot be written.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_FEW)  # noqa: SIM115
        self.size = 0

    def append(self, words: Array) -> int:
        """Append words; returns the place of the first."""
        start = self.size
        try:
            self._file.seek(4 * start)
            self._file.write(words.astype("<u4", copy=False).data)
        except OSError as problem:
            raise not_kept(problem) from None
        self.size += words.size
        return start

    def __getitem__(self, part: slice) -> Array:
        start, end, _ = part.indices(self.size)
        self._file.seek(4 * start)
        return np.frombuffer(self._file.read(4 * (end - start)), "<u4").astype(np.uint32, copy=False)

    def tobytes(self) -> bytes:
        """All of them, the lowest byte of each first."""
        return self[:].astype("<u4", copy=False).tobytes()

    def save(self, path: Path) -> None:
        """Write those bytes to a file."""
        self._file.seek(0)
        with path.open("wb") as out:
            shutil.copyfileobj(self._file, out, 1 << 20)
