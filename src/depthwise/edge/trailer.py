"""What an artifact file is known by: its last 56 bytes, read and checked before anything of it is loaded."""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path

from depthwise.errors import Refused

# The interface of depthwise.h that this package calls; any minor version of it will do.
INTERFACE_MAJOR = 1
# Magic, bytes of the library in front of the trailer, their SHA-256, interface major and minor (docs/artifact.md).
_TRAILER = struct.Struct("<8sQ32sII")
_MAGIC = b"DWTRAIL1"


def checked_library(path: str | os.PathLike[str]) -> tuple[memoryview, int]:
    """The library in an artifact file, and the minor version of its interface.

    The checksum tells damage, not malice: an artifact is a program, with the rights of who runs it.

    Raises: Refused, when there is no such file, or it is no artifact, is damaged or has another interface.
    """
    file = Path(path)
    try:
        if file.is_dir():
            raise Refused(_folder(file))
        if file.exists() and not file.is_file():
            raise Refused(f"{file}: is not a regular file; give an artifact, as `depthwise compile` writes it")
        content = memoryview(file.read_bytes())
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise Refused(
            f"{file}: cannot be read ({reason}); give an artifact, as `depthwise compile` writes it"
        ) from None
    library, trailer = content[: -_TRAILER.size], bytes(content[-_TRAILER.size :])
    if len(trailer) < _TRAILER.size or not trailer.startswith(_MAGIC):
        raise Refused(f"{file}: is not an artifact, or its end is missing; write it again with `depthwise compile`")
    _, length, digest, major, minor = _TRAILER.unpack(trailer)
    if major != INTERFACE_MAJOR:
        raise Refused(
            f"{file}: has interface {major}.{minor}, and this depthwise calls {INTERFACE_MAJOR}.x;"
            " compile the model again with this version"
        )
    if length != len(library):
        raise Refused(
            f"{file}: holds {len(library):,} bytes before its trailer and should hold {length:,};"
            " write it again with `depthwise compile`"
        )
    if hashlib.sha256(library).digest() != digest:
        raise Refused(f"{file}: is damaged, its checksum differs; write it again with `depthwise compile`")
    return library, minor


def _folder(path: Path) -> str:
    if (path / "model.json").is_file():
        command = f"depthwise compile {path} --target host --out {path.name or 'model'}.so"
        return f"{path}: is a model folder, which must be compiled first; run: {command}"
    return f"{path}: is a folder; give an artifact, as `depthwise compile` writes it"
