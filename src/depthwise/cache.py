"""Where files stay that were fetched, or computed and may be needed again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """$DEPTHWISE_CACHE, or `depthwise` in the user's cache folder."""
    given = os.environ.get("DEPTHWISE_CACHE")
    return Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "depthwise"
