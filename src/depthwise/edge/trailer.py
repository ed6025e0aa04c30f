"""What an artifact file is known by: its last bytes, read and checked before anything of it is loaded."""

from __future__ import annotations

import os
import stat
import struct
from zlib import crc32

from depthwise.edge.private_copy import PrivateCopy
from depthwise.errors import Refused

TYPE_CHECKING = False  # without `typing`, as edge/__init__.py says
if TYPE_CHECKING:
    from collections.abc import Callable

    _Form = tuple[struct.Struct, bytes, Callable[[memoryview], int | bytes]]


def _sha256(content: memoryview) -> bytes:
    import hashlib

    return hashlib.sha256(content).digest()


# The interface of depthwise.h that this package calls; any minor version of it will do.
INTERFACE_MAJOR = 1
# The present form and the one before: mark, bytes of the library in front of the trailer, their checksum, interface
# major and minor (docs/artifact.md); and what the checksum is.
_FORMS: tuple[_Form, ...] = (
    (struct.Struct("<8sQIII"), b"DWTRAIL2", crc32),
    (struct.Struct("<8sQ32sII"), b"DWTRAIL1", _sha256),
)


def checked_copy(path: str | os.PathLike[str]) -> tuple[PrivateCopy, int]:
    """A copy of an artifact file, and the minor version of its interface.

    The checksum tells damage, not malice: an artifact is a program, with the rights of who runs it.

    Raises: Refused, when there is no such file, or it is no artifact, is damaged or has another interface.
    """
    copy = _copy(os.fspath(path))
    try:
        return copy, _checked(os.fspath(path), copy.content)
    except BaseException:
        copy.close()
        raise


def _copy(file: str) -> PrivateCopy:
    try:
        mode = os.stat(file).st_mode
        if stat.S_ISDIR(mode):
            raise Refused(_folder(file))
        # Opening a pipe would wait for a writer, perhaps for ever.
        if not stat.S_ISREG(mode):
            raise Refused(f"{file}: is not a regular file; give an artifact, as `depthwise compile` writes it")
        with open(file, "rb", buffering=0) as opened:
            return PrivateCopy(opened, os.path.basename(file))
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise Refused(
            f"{file}: cannot be read ({reason}); give an artifact, as `depthwise compile` writes it"
        ) from None


def _checked(file: str, content: memoryview) -> int:
    """The minor version of the interface."""
    minor: int
    trailer, _, checksum = _form(file, content)
    library = content[: -trailer.size]
    _, length, expected, major, minor = trailer.unpack(content[-trailer.size :])
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
    if checksum(library) != expected:
        raise Refused(f"{file}: is damaged, its checksum differs; write it again with `depthwise compile`")
    return minor


def _form(file: str, content: memoryview) -> _Form:
    for form in _FORMS:
        trailer, mark, _ = form
        if len(content) >= trailer.size and bytes(content[-trailer.size :]).startswith(mark):
            return form
    raise Refused(f"{file}: is not an artifact, or its end is missing; write it again with `depthwise compile`")


def _folder(file: str) -> str:
    from pathlib import Path

    path = Path(file)
    if (path / "model.json").is_file():
        command = f"depthwise compile {path} --target host --out {path.name or 'model'}.so"
        return f"{path}: is a model folder, which must be compiled first; run: {command}"
    return f"{path}: is a folder; give an artifact, as `depthwise compile` writes it"
