"""The model folder or artifact that a job is about."""

from __future__ import annotations

from pathlib import Path

from depthwise.beside import recover
from depthwise.errors import Refused
from depthwise.places import place


def find(subject: Path) -> None:
    """See that it is there; one whose replacement was interrupted is put back first.

    Raises: Refused, when there is none.
    """
    recover(place(subject))
    if not subject.exists():
        raise Refused(f"{subject}: there is no such model folder or artifact; give one that `depthwise` wrote")
