"""What an artifact file is known by: its last bytes, read and checked before anything of it is loaded."""

from __future__ import annotations

import os
import stat
import struct
from zlib import crc32

from depthwise.edge.private_copy import NoCopy, PrivateCopy
from depthwise.errors import Refused

TYPE_CHECKING = False  # without `typing`, as edge/__init__.py says
if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO
    from typing import Protocol

    class _Sum(Protocol):
        def update(self, content: memoryview, /) -> None: ...
        def digest(self) -> bytes: ...


class _Crc32:
    """A sum as those of `hashlib` are, which this saves to import."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, content: memoryview) -> None:
        self._value = crc32(content, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "little")


def _sha256() -> _Sum:
    import hashlib

    return hashlib.sha256()


class _Form:
    """A form of trailer (docs/artifact.md): mark, bytes of the library in front of it, their checksum, interface major
    and minor."""

    def __init__(self, layout: str, mark: bytes, checksum: Callable[[], _Sum]) -> None:
        self.layout = struct.Struct(layout)
        self.mark = mark
        self.checksum = checksum


# The interface of depthwise.h that this package calls; any minor version of it will do.
INTERFACE_MAJOR = 1
# The present one, and the one before.
_FORMS = (_Form("<8sQ4sII", b"DWTRAIL2", _Crc32), _Form("<8sQ32sII", b"DWTRAIL1", _sha256))
# Files that are given in an artifact's place.
_MODELS = (".tflite", ".onnx", ".h5", ".hdf5", ".keras", ".pt", ".pth", ".safetensors", ".bin", ".ckpt")
_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".gif", ".bmp")
# Bytes that are copied and summed at a time, while a near cache holds them.
_STEP = 1 << 16


def checked_copy(path: str | os.PathLike[str], sha256: str | None = None) -> tuple[PrivateCopy, int]:
    """A copy of the library in an artifact file, and the minor version of its interface.

    Of a folder of artifacts for several targets it is that for this machine.

    What is checked are the bytes that were copied. The checksum tells damage, not malice: an artifact is a program,
    with the rights of who runs it.

    Raises: Refused, when there is no such file, or it is no artifact, is damaged or has another interface, or there is
        no room for a copy.
    """
    name = os.fspath(path)
    try:
        if os.path.isdir(name):
            name = _in_folder(name)
        _check_kind(name)
        with open(name, "rb", buffering=0) as file:
            return _copied(name, file, sha256)
    except NoCopy as problem:
        raise Refused(f"{name}: {problem}") from None
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise Refused(
            f"{name}: cannot be read ({reason}); give an artifact, as `depthwise compile` writes it"
        ) from None


def _in_folder(name: str) -> str:
    from depthwise.edge.chosen import artifact_in

    found = artifact_in(name)
    if found is None:
        raise Refused(_folder(name))
    return found


def _check_kind(name: str) -> None:
    mode = os.stat(name).st_mode
    # Opening a pipe would wait for a writer, perhaps for ever.
    if not stat.S_ISREG(mode):
        raise Refused(f"{name}: is not a regular file; give an artifact, as `depthwise compile` writes it")


def _copied(name: str, file: FileIO, sha256: str | None) -> tuple[PrivateCopy, int]:
    size = file.seek(0, os.SEEK_END)
    form, trailer = _trailer(name, file, size)
    length, checksum, minor = _fields(name, form, trailer, size)
    copy = PrivateCopy(os.path.basename(name), length)
    try:
        found, whole = form.checksum(), None if sha256 is None else _sha256()
        _copy(file, length, copy, [found] if whole is None else [found, whole])
        if whole is not None and sha256 is not None:
            whole.update(memoryview(trailer))
            _check_digest(name, whole.digest().hex(), sha256)
        if found.digest() != checksum:
            raise Refused(f"{name}: is damaged, its checksum differs; write it again with `depthwise compile`")
    except BaseException:
        copy.close()
        raise
    return copy, minor


def _trailer(name: str, file: FileIO, size: int) -> tuple[_Form, bytes]:
    for form in _FORMS:
        if size >= form.layout.size:
            file.seek(size - form.layout.size)
            trailer = file.read(form.layout.size)
            if trailer.startswith(form.mark):
                return form, trailer
    raise Refused(_not_one(name))


def _fields(name: str, form: _Form, trailer: bytes, size: int) -> tuple[int, bytes, int]:
    """Length and checksum of the library, and the minor version of its interface."""
    _, length, checksum, major, minor = form.layout.unpack(trailer)
    if major != INTERFACE_MAJOR:
        raise Refused(
            f"{name}: has interface {major}.{minor}, and this depthwise calls {INTERFACE_MAJOR}.x;"
            " compile the model again with this version"
        )
    held = size - form.layout.size
    if length != held:
        raise Refused(
            f"{name}: holds {held:,} bytes before its trailer and should hold {length:,};"
            " write it again with `depthwise compile`"
        )
    return length, checksum, minor


def _check_digest(name: str, found: str, wanted: str) -> None:
    if found != wanted.strip().lower():
        raise Refused(f"{name}: has SHA-256 {found}, not {wanted}; it is another file, and nothing of it was run")


def _copy(file: FileIO, length: int, copy: PrivateCopy, sums: list[_Sum]) -> None:
    """Copy the library, and sum what is copied."""
    file.seek(0)
    step = memoryview(bytearray(_STEP))
    while length > 0 and (count := file.readinto(step[:length])):
        copy.write(step[:count])
        for checksum in sums:
            checksum.update(step[:count])
        length -= count


def _not_one(name: str) -> str:
    """What to do with a file that is no artifact, told by its ending."""
    from shlex import quote

    stem, suffix = os.path.splitext(os.path.basename(name))
    if suffix.lower() in _MODELS:
        return (
            f"{name}: is a network in another format, not an artifact; run: depthwise convert {quote(name)}"
            f" {quote(f'{stem}-model')}, then: depthwise compile {quote(f'{stem}-model')} --out {quote(f'{stem}.so')}"
        )
    if suffix.lower() in _PICTURES:
        return f"{name}: is a picture, and is not an artifact; give an artifact first, then pictures or their folder"
    return f"{name}: is not an artifact, or its end is missing; write it again with `depthwise compile`"


def _folder(file: str) -> str:
    from pathlib import Path
    from shlex import quote

    path = Path(file)
    if (path / "model.json").is_file():
        command = f"depthwise compile {quote(file)} --target host --out {quote((path.name or 'model') + '.so')}"
        return f"{path}: is a model folder, which must be compiled first; run: {command}"
    return (
        f"{path}: is a folder; give an artifact, as `depthwise compile` makes it of a model folder (and `depthwise"
        " convert` a model folder of another program's network)"
    )
