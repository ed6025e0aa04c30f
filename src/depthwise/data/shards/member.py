"""An image within a shard, which goes by a path like any other file and is read from its place in the tar."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from zlib import crc32

from depthwise.edge.decoding import Held

# Reads so many bytes from a place of a shard.
Reader = Callable[[int, int], bytes]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the bytes of an image lie.

    Attributes:
        shard: name of the tar, for sentences.
        crc: CRC-32 of the bytes; None where no index tells it.
    """

    shard: str
    read: Reader
    offset: int
    size: int
    crc: int | None


class Member(type(Path()), Held):  # type: ignore[misc]
    """A path, within a folder of shards, of a file that is there only in a tar. Paths made from it are plain ones."""

    __slots__ = ("_place",)
    _place: Place

    @classmethod
    def at(cls, path: Path, place: Place) -> Member:
        """The path of an image with its bytes at a place."""
        made = cls(path)
        made._place = place
        return made

    def with_segments(self, *segments: str | os.PathLike[str]) -> Path:
        """A plain path; pathlib asks for it from Python 3.12 on."""
        return Path(*segments)

    def __reduce__(self) -> tuple[Any, ...]:
        return Member.at, (Path(self), self._place)

    def held(self) -> bytes:
        """The bytes of the file.

        Raises: OSError, when the shard cannot be read, or its bytes are not those that the index tells of.
        """
        place = self._place
        content = place.read(place.offset, place.size)
        if len(content) < place.size:
            raise OSError(errno.EIO, f"{place.shard} ends before its last byte; copy that shard again")
        if place.crc is not None and crc32(content) != place.crc:
            raise OSError(errno.EIO, f"its bytes in {place.shard} are not those of the index; copy that shard again")
        return content

    def open(self, mode: str = "rb", *_: Any, **__: Any) -> IO[Any]:
        """The file, open for reading as bytes, which is the only way in which images are read."""
        if mode != "rb":
            raise OSError(errno.EROFS, "an image in a shard is read as bytes only")
        return io.BytesIO(self.held())

    def read_bytes(self) -> bytes:
        """The bytes of the file."""
        return self.held()

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """A regular file of its size, that may be read."""
        return os.stat_result((stat.S_IFREG | 0o444, 0, 0, 1, 0, 0, self._place.size, 0, 0, 0))

    def exists(self, **_: Any) -> bool:
        """Always."""
        return True

    def is_file(self, **_: Any) -> bool:
        """Always."""
        return True

    def is_dir(self, **_: Any) -> bool:
        """Never."""
        return False


def read_at(path: Path, offset: int, size: int) -> bytes:
    """Bytes of a file from a place on; fewer where it ends. No file stays open, of which there may be thousands."""
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        return file.read(size)
