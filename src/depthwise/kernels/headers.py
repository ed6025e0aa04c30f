"""The headers that an artifact is built with."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent
INTERFACE = FOLDER / "artifact" / "depthwise.h"
# The same for C++, which nothing of an artifact includes.
CPP = INTERFACE.with_suffix(".hpp")


def headers() -> dict[str, bytes]:
    """Every header, by file name; they lie in folders by what they are for, and side by side in an artifact."""
    return {name: path.read_bytes() for name, path in _paths().items()}


def included(source: str) -> dict[str, bytes]:
    """The headers that a C text includes, and those that they include, by file name."""
    paths = _paths()
    found: dict[str, bytes] = {}
    texts = [source]
    while texts:
        for name in re.findall(r'^#include "(\w+\.h)"', texts.pop(), re.MULTILINE):
            if name not in found:
                found[name] = paths[name].read_bytes()
                texts.append(found[name].decode())
    return dict(sorted(found.items()))


def _paths() -> dict[str, Path]:
    return {path.name: path for path in sorted(FOLDER.rglob("*.h"), key=lambda path: path.name)}
