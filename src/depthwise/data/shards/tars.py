"""Tar files as WebDataset has them: the files of one sample follow one another and have the same key."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from depthwise.edge.suffixes import SUFFIXES
from depthwise.errors import Refused

# Endings that tell the class of a sample, the likeliest first.
CLASSES = (".cls", ".json")
_BLOCK, _RECORD = 512, 10_240
# Bytes that are read of what tells a class.
_LONGEST = 65_536


@dataclass
class TarWriter:
    """Files of samples into a tar: the same files give the same bytes, without times and owners.

    Attributes:
        position: bytes so far.
    """

    file: IO[bytes]
    position: int = 0
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)

    def add(self, name: str, content: bytes) -> int:
        """Write one file; where its content begins."""
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), 0o644
        self._write(info.tobuf(tarfile.USTAR_FORMAT))
        begins = self.position
        self._write(content)
        self._write(bytes(-len(content) % _BLOCK))
        return begins

    def end(self) -> str:
        """Write what a tar ends with; the SHA-256 of all."""
        self._write(bytes(2 * _BLOCK))
        self._write(bytes(-self.position % _RECORD))
        return self._hash.hexdigest()

    def _write(self, content: bytes) -> None:
        self.file.write(content)
        self._hash.update(content)
        self.position += len(content)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """An image of a foreign tar.

    Attributes:
        name: key and ending.
        said: its class as the tar tells it, a number or a name; "" where it does not.
    """

    name: str
    offset: int
    size: int
    said: str


def samples(path: Path) -> Iterator[Sample]:
    """The images of a tar that another program wrote; only headers and classes are read.

    The class of an image is in a file of the same name but for its last ending, or else of the same key; it need not
    lie beside it. Where a name is there more than once, the first image has the first class.

    Raises: Refused, when it is no tar, or ends within a file.
    """
    images: list[tarfile.TarInfo] = []
    said: dict[str, list[str]] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for info in tar:
                if not info.isfile() or _is_hidden(info.name):
                    continue
                if info.name.lower().endswith(SUFFIXES):
                    images.append(info)
                elif (ending := _ending(info.name)) in CLASSES:
                    source = tar.extractfile(info)
                    found = _class(ending, source.read(_LONGEST) if source is not None else b"")
                    if found:
                        said.setdefault(info.name, []).append(found)
            if tar.offset > path.stat().st_size:
                raise tarfile.ReadError("it ends within a file")
    except (tarfile.TarError, OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise Refused(f"{path}: is no sound tar ({reason}); copy it again; unpack one that is compressed") from None
    for info in images:
        yield Sample(name=info.name, offset=info.offset_data, size=info.size, said=_said_of(info.name, said))


def _said_of(name: str, said: dict[str, list[str]]) -> str:
    for stem in (name.rpartition(".")[0], _key(name)):
        for ending in CLASSES:
            classes = said.get(stem + ending)
            if classes:
                return classes.pop(0) if len(classes) > 1 else classes[0]
    return ""


def _ending(name: str) -> str:
    return "." + name.rpartition(".")[2].lower()


def _class(ending: str, content: bytes) -> str:
    """The class in a file: its text, or what a JSON object has as "label" or "cls"."""
    text = content.decode("utf-8", "replace").strip()
    if ending != ".json":
        return text
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    found = document.get("label", document.get("cls")) if isinstance(document, dict) else None
    return str(found) if isinstance(found, str | int) else ""


def _key(name: str) -> str:
    """All up to the first dot of the file's own name, which is what WebDataset takes for a sample."""
    folder, slash, own = name.rpartition("/")
    return folder + slash + own.split(".", 1)[0]


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in name.removeprefix("./").split("/"))
