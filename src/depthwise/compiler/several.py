"""Artifacts of one model for several targets, in one folder that appears whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from depthwise.compiler.compile import Built, output_kind
from depthwise.compiler.outputs.library import ARCHIVE
from depthwise.compiler.outputs.systems import system
from depthwise.compiler.targets import target
from depthwise.errors import Refused
from depthwise.files import write_folder
from depthwise.kinds import ARTIFACT
from depthwise.places import Kind, check_output, names


def _is_several(folder: Path) -> bool:
    """Whether a folder holds artifacts and nothing else."""
    paths = [folder / name for name in names(folder)]
    return all(path.is_file() and (ARTIFACT.is_one(path) or ARCHIVE.is_one(path)) for path in paths)


ARTIFACTS = Kind(name="a folder of artifacts alone", is_one=_is_several, folder=True)


def split_targets(text: str) -> tuple[str, ...]:
    """The names in what `--target` was given, with commas between.

    Raises: Refused, when there is no such target, or one is named twice.
    """
    found = tuple(name.strip() for name in text.split(","))
    for name in found:
        target(name)
    twice = [name for index, name in enumerate(found) if name in found[:index]]
    if twice:
        raise Refused(f"--target names {twice[0]} twice; name each once")
    return found


def check_several(targets: Sequence[str], out: Path, cpu: str | None, form: str | None = None) -> None:
    """See that artifacts for several targets can be written into a folder.

    Raises: Refused, when they cannot.
    """
    if form not in (None, "library"):
        raise Refused(f"--form {form}: is written for one target at a time; name one, or take libraries")
    for name in targets:
        if output_kind(name, cpu).folder:
            raise Refused(f"--target: {name} becomes a folder of its own; compile for it alone")
    check_output(out, ARTIFACTS)


def file_for(name: str) -> str:
    """What the artifact for a target is called among others."""
    return f"{name}{system(target(name).system).ending}"


def compile_several(targets: Sequence[str], out: Path, build: Callable[[str, Path], Built]) -> tuple[Built, ...]:
    """Make an artifact for each target, and a folder of all of them; an older folder of artifacts is replaced.

    Args:
        build: makes the artifact for a target at a path.
    Raises: Refused, when one of them cannot be made, and then nothing is written.
    """
    with tempfile.TemporaryDirectory(prefix="depthwise-", ignore_cleanup_errors=True) as place:
        built = [build(name, Path(place, file_for(name))) for name in targets]
        write_folder(out, {found.path.name: found.path for found in built}, ARTIFACTS)
    return tuple(replace(found, path=out / found.path.name) for found in built)
