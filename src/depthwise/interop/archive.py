"""Zip archives of strangers: opened, read within limits, and refused in one sentence whatever is wrong with them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from depthwise.errors import Refused
from depthwise.interop.damage import DAMAGE

# What zipfile raises beyond what any damaged file does: RuntimeError for a member that is encrypted, or needs a newer
# version of the format (NotImplementedError is one), EOFError for one cut short, zlib.error for no deflated bytes.
_DAMAGE = (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError, *DAMAGE)
# What programs write. The others may ask for gigabytes of memory before they give the first byte.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@contextmanager
def foreign_zip(file: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """A zip archive, open as long as the block under `with` runs.

    Raises: Refused, when it is none or damaged, wherever in the block that shows.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except _DAMAGE as problem:
        raise Refused(f"it is a damaged zip file ({problem})") from None


def member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """The bytes of a file in an archive, of which no more than one above `limit` is unpacked.

    Args:
        name: one of `archive.namelist()`.
    Raises: Refused, when it has more bytes, or is compressed in another way than by deflate.
    """
    if archive.getinfo(name).compress_type not in _METHODS:
        raise Refused(f"its {name} is neither stored nor deflated, as members of a zip file are read here")
    with archive.open(name) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise Refused(f"its {name} has more than {limit:,} bytes; no MobileNet V1 needs so many")
    return data
