"""HEIC and HEIF photos, as telephones take them: read where pillow-heif is installed, named where it is not."""

from __future__ import annotations

import os
from functools import cache
from importlib import util
from typing import IO

SUFFIXES = (".heic", ".heif", ".hif")
FORMAT = "HEIF"
ADVICE = "run: pip install 'depthwise[heic]', or save as JPEG"
# What stands behind the first box's length: its kind and a brand of pictures coded by HEVC.
_BRANDS = tuple(b"ftyp" + brand for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))


def is_heif(file: str | IO[bytes]) -> bool:
    """Whether a file is such a photo by its first bytes, whatever its name; an open one is at its start afterwards."""
    if isinstance(file, str | os.PathLike):
        with open(file, "rb", buffering=0) as opened:
            return opened.read(12)[4:] in _BRANDS
    file.seek(0)
    start = file.read(12)
    file.seek(0)
    return start[4:] in _BRANDS


def is_installed() -> bool:
    """Whether pillow-heif is there; it is not loaded for that."""
    return util.find_spec("pillow_heif") is not None


@cache
def register() -> None:
    """Let Pillow know the format."""
    from pillow_heif import register_heif_opener

    register_heif_opener(thumbnails=False)
