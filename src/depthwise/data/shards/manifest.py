"""The manifest of a folder of shards and the index of each: plain JSON, of which no number is trusted.

docs/many.md is the specification.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from depthwise.errors import Refused
from depthwise.files import read_file
from depthwise.places import Kind, beginning

NAME, MARK, SCHEMA = "manifest.json", "depthwise shards", 1
MANIFEST = Kind(name="a manifest of shards", is_one=lambda path: MARK.encode() in beginning(path))
INDEX = Kind(name="the index of a shard", is_one=lambda path: b'"offsets"' in beginning(path))
# Bytes that are read: of a manifest of two million shards, of an index of two million images.
LARGEST = 2**29
# The split of images that are in none.
WHOLE = "all"
# Of an image without a label.
UNLABELLED = -1


@dataclass(frozen=True, kw_only=True)
class Index:
    """The images of one shard, in the order in which they lie there.

    Attributes:
        names: of the files, within the folder that they came from.
        labels: indices of their classes; -1 where they have none.
        offsets, sizes: where their bytes begin in the tar, and how many there are.
        crcs: CRC-32 of the bytes of each; empty where nobody has read them.
        unreadable: by position, why a decoder refused an image.
        left_out: names of files that could not be read at all, with the reason, and are not in the shard.
    """

    names: tuple[str, ...]
    labels: tuple[int, ...]
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    crcs: tuple[int, ...] = ()
    unreadable: Mapping[int, str] = field(default_factory=dict)
    left_out: tuple[tuple[str, str], ...] = ()

    def to_bytes(self) -> bytes:
        """As it lies beside the shard."""
        columns = {name: getattr(self, name) for name in ("offsets", "sizes", "labels", "crcs", "names")}
        refused = {str(at): why for at, why in self.unreadable.items()}
        return json.dumps({**columns, "unreadable": refused, "left_out": self.left_out}).encode()


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One tar of a folder.

    Attributes:
        split: "train", "validation", "test" or "all".
        top: folder of the split in the names of its images; "" where they begin with their class.
        sha256, index_sha256: of the tar and of its index; empty where nobody has read them.
    """

    name: str
    split: str
    top: str
    images: int
    bytes: int
    sha256: str = ""
    index: str = ""
    index_sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A folder of shards.

    Attributes:
        labels: names of the classes; none where the images have no labels.
        counts: images by split and by class.
        unreadable: how many images a decoder refused.
        left_out: names of files that could not be read at all, with the reason, and are in no shard.
    """

    labels: tuple[str, ...]
    shards: tuple[Shard, ...]
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    unreadable: int = 0
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def images(self) -> int:
        """In all shards."""
        return sum(shard.images for shard in self.shards)

    def to_bytes(self) -> bytes:
        """As it lies in the folder."""
        document = {
            "kind": MARK,
            "schema": SCHEMA,
            "images": self.images,
            "unreadable": self.unreadable,
            "left_out": self.left_out,
            "labels": self.labels,
            "counts": self.counts,
            "shards": [vars(shard) for shard in self.shards],
        }
        return (json.dumps(document, indent=1) + "\n").encode()


def counted(labels: tuple[str, ...], found: Iterable[tuple[str, Index]]) -> dict[str, dict[str, int]]:
    """Images by split and by class."""
    counts: dict[str, Counter[int]] = {}
    for split, index in found:
        counts.setdefault(split, Counter()).update(index.labels)
    named = {split: sorted(count.items()) for split, count in counts.items()}
    return {split: {labels[at]: count for at, count in of if at >= 0} for split, of in named.items()}


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file.

    Raises: Refused, when it is damaged, or of another version.
    """
    document = _json(path, _content(path))
    try:
        if document["kind"] != MARK or document["schema"] != SCHEMA:
            raise Refused(
                f"{path}: is no manifest of shards of version {SCHEMA}; write it again with `depthwise shard`"
            )
        shards = tuple(Shard(**entry) for entry in document["shards"])
        for shard in shards:
            _check_shard(shard)
        labels = tuple(map(_text, document["labels"]))
        return Manifest(
            labels=labels,
            shards=shards,
            counts=document["counts"],
            unreadable=int(document["unreadable"]),
            left_out=_pairs(document["left_out"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise _damaged(path, problem) from None


def read_index(path: Path, shard: Shard | None, classes: int) -> Index:
    """The index of a shard.

    Args:
        shard: what the manifest says of it; None where there is no manifest yet.
        classes: how many there are.
    Raises: Refused, when it is damaged, or not the one that the manifest names.
    """
    content = _content(path)
    if shard is not None and shard.index_sha256 and hashlib.sha256(content).hexdigest() != shard.index_sha256:
        raise Refused(f"{path}: is not the index that the manifest names; copy the folder again")
    document = _json(path, content)
    try:
        columns = {name: tuple(map(_whole, document[name])) for name in ("offsets", "sizes", "labels", "crcs")}
        index = Index(
            names=tuple(map(_text, document["names"])),
            unreadable={int(at): _text(why) for at, why in document["unreadable"].items()},
            left_out=_pairs(document["left_out"]),
            **columns,
        )
        _check_index(index, shard, classes)
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise _damaged(path, problem) from None
    return index


def _check_shard(shard: Shard) -> None:
    for name in (shard.name, shard.index):
        if name != Path(_text(name)).name or name.startswith("."):
            raise ValueError(f"{name!r} is no name of a file beside it")
    if min(_whole(shard.images), _whole(shard.bytes)) < 0:
        raise ValueError("a number is below 0")
    for text in (shard.split, shard.top, shard.sha256, shard.index_sha256):
        _text(text)


def _check_index(index: Index, shard: Shard | None, classes: int) -> None:
    count = len(index.names) if shard is None else shard.images
    lengths = {len(index.names), len(index.labels), len(index.offsets), len(index.sizes), count}
    if len(lengths) > 1 or len(index.crcs) not in (0, count):
        raise ValueError("its columns are not of one length")
    for name, label, offset, size in zip(index.names, index.labels, index.offsets, index.sizes, strict=True):
        if offset < 0 or size < 0 or (shard is not None and offset + size > shard.bytes):
            raise ValueError(f"{name!r} lies outside of its shard")
        if not UNLABELLED <= label < classes:
            raise ValueError(f"{name!r} is of class {label}, and there are {classes}")
        if not name or name.startswith("/") or "\0" in name or ".." in name.split("/"):
            raise ValueError(f"{name!r} is no name of an image")


def _content(path: Path) -> bytes:
    try:
        return read_file(path, LARGEST)
    except OSError as problem:
        raise Refused(f"{path}: cannot be read ({problem.strerror}); copy the folder of shards again") from None


def _json(path: Path, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise _damaged(path, problem) from None


def _damaged(path: Path, problem: Exception) -> Refused:
    return Refused(f"{path}: is damaged ({str(problem)[:200]}); copy it again, or write it with `depthwise shard`")


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple((_text(name), _text(why)) for name, why in value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} is no text")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError(f"{value!r:.40} is no whole number")
    return value
