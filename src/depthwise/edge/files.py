"""Which image files are meant by the files and folders that a user names."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from depthwise.edge import heif
from depthwise.edge.suffixes import SUFFIXES
from depthwise.errors import Refused

NAMED = 5  # How many endings are counted one by one.


def image_files(
    paths: Sequence[str | os.PathLike[str]], passed_over: Callable[[Path], None] | None = None
) -> Iterator[Path | Refused]:
    """The named files as they are, and the images in named folders and theirs, sorted by path.

    Hidden files and folders are left out, links to folders are not followed. A folder that cannot be read or holds
    no image comes as a refusal in its place, so that one does not hide the others.

    Args:
        passed_over: told of each other file in a folder.
    """
    for path in map(Path, paths):
        if path.is_dir():
            yield from _in_folder(path, passed_over or _nobody)
        else:
            yield path


def endings(files: Sequence[Path]) -> str:
    """How many files have which ending, and what to do about those that are photos: "2 with .heic, 1 with .txt"."""
    found = Counter(path.suffix.lower() or "no ending" for path in files).most_common(NAMED)
    counted = ", ".join(f"{count:,} with {ending}" for ending, count in found)
    if not heif.is_installed() and any(path.suffix.lower() in heif.SUFFIXES for path in files):
        return f"{counted}; for HEIC photos {heif.ADVICE}"
    return counted


def _nobody(path: Path) -> None:
    """Tells nobody of a file."""


def _in_folder(root: Path, passed_over: Callable[[Path], None]) -> Iterator[Path | Refused]:
    problems: list[OSError] = []
    found = False
    for folder, subfolders, names in os.walk(root, onerror=problems.append):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith("."):
                continue
            if name.lower().endswith(SUFFIXES):
                found = True
                yield Path(folder, name)
            else:
                passed_over(Path(folder, name))
    for problem in problems:
        yield Refused(f"{problem.filename}: cannot be read ({problem.strerror}); change its permissions")
    if not found and not problems:
        yield Refused(f"{root}: holds no image ({' '.join(SUFFIXES)}); give a folder with images")
