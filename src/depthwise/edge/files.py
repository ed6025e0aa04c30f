"""Which image files are meant by the files and folders that a user names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from depthwise.edge.decoding import SUFFIXES
from depthwise.errors import Refused


def image_files(paths: Sequence[str | os.PathLike[str]]) -> Iterator[Path | Refused]:
    """The named files as they are, and the images in named folders and theirs, sorted by path.

    Hidden files and folders are left out, links to folders are not followed. A folder that cannot be read or holds
    no image comes as a refusal in its place, so that one does not hide the others.
    """
    for path in map(Path, paths):
        if path.is_dir():
            yield from _in_folder(path)
        else:
            yield path


def _in_folder(root: Path) -> Iterator[Path | Refused]:
    problems: list[OSError] = []
    found = False
    for folder, subfolders, names in os.walk(root, onerror=problems.append):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                found = True
                yield Path(folder, name)
    for problem in problems:
        yield Refused(f"{problem.filename}: cannot be read ({problem.strerror}); change its permissions")
    if not found and not problems:
        yield Refused(f"{root}: holds no image ({' '.join(SUFFIXES)}); give a folder with images")
