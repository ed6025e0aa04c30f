"""Results of parts in a folder, so that an attack that was stopped goes on where it was."""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from pathlib import Path

import numpy as np

from depthwise.attack.work import Arrays
from depthwise.beside import remove


class Kept:
    """Results by the names of their parts.

    What the results depend on is in the name of the folder, so that another attack finds another one. A disk that is
    full, or a folder that cannot be written, only costs that the attack cannot go on later.

    Args:
        folder: where they lie; None to keep none.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def __len__(self) -> int:
        """How many results there are."""
        return 0 if self._folder is None or not self._folder.is_dir() else len(list(self._folder.rglob("*.npz")))

    def within(self, name: str) -> Kept:
        """Results of a part of the work, whose parts have the same names."""
        return Kept(None if self._folder is None else self._folder / name)

    def get(self, name: str) -> Arrays | None:
        """The result of a part, or None; one that was cut off counts for none."""
        if self._folder is None:
            return None
        try:
            with np.load(self._folder / f"{name}.npz", allow_pickle=False) as file:
                return {key: file[key] for key in file.files}
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
            return None

    def put(self, name: str, result: Arrays) -> None:
        """Keep the result of a part, whole or not at all."""
        if self._folder is None:
            return
        content = io.BytesIO()
        np.savez_compressed(content, **result)  # type: ignore[arg-type]
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = self._folder / f"{name}.{os.getpid()}.new"
            fresh.write_bytes(content.getvalue())
            fresh.replace(self._folder / f"{name}.npz")

    def clear(self) -> None:
        """Remove all, once the attack is over."""
        if self._folder is not None and self._folder.is_dir():
            remove(self._folder)
