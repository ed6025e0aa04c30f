"""The images that a job is about, wherever they lie."""

from __future__ import annotations

import os
from pathlib import Path

from depthwise.data.shards import remote
from depthwise.progress import Reporter


def located(data: str | os.PathLike[str], reporter: Reporter) -> Path:
    """A folder of this machine: the one that is given, or one of the cache for shards on another machine.

    Raises: Refused, when those cannot be fetched.
    """
    text = os.fspath(data)
    return remote.fetch(text, reporter) if remote.is_address(text) else Path(text)
