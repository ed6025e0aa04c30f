"""Folders that last from one run of the tests to the next."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path


def lasting(name: str) -> Path:
    """A folder in the temporary folder into which nobody else can put anything.

    Its name can be guessed, so one that another user has made there before is not taken.
    """
    place = Path(tempfile.gettempdir()) / f"depthwise-{name}-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    status = place.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o022:
        raise PermissionError(f"{place}: others may write into it; remove it")
    return place
