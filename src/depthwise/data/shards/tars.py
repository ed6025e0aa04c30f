"""Tar files as WebDataset has them: the files of one sample follow one another and have the same key."""

from __future__ import annotations

import hashlib
import itertools
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

    Raises: Refused, when it is no tar, or ends within a file.
    """
    try:
        with tarfile.open(path, "r:") as tar:
            files = ((_key(info.name), info) for info in tar if info.isfile() and not _is_hidden(info.name))
            for key, group in itertools.groupby(files, key=lambda pair: pair[0]):
                yield from _of_group(key, [info for _, info in group], tar)
            if tar.offset > path.stat().st_size:
                raise tarfile.ReadError("it ends within a file")
    except (tarfile.TarError, OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise Refused(
            f"{path}: is no sound tar ({reason}); copy it again (a compressed one: unpack it first)"
        ) from None


def _of_group(key: str, files: list[tarfile.TarInfo], tar: tarfile.TarFile) -> Iterator[Sample]:
    by_ending = {info.name[len(key) :].lower(): info for info in files}
    said = ""
    for ending in CLASSES:
        if ending in by_ending and not said:
            source = tar.extractfile(by_ending[ending])
            said = _class(ending, source.read(_LONGEST) if source is not None else b"")
    for info in files:
        if info.name.lower().endswith(SUFFIXES):
            yield Sample(name=info.name, offset=info.offset_data, size=info.size, said=said)


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
