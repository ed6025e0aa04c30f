"""A folder of images into shards: one pass, of any number of images, which a killed process goes on with."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from depthwise.beside import lock
from depthwise.data.folder import Item, Layout, layout
from depthwise.data.shards.manifest import (
    INDEX,
    MANIFEST,
    NAME,
    UNLABELLED,
    Index,
    Manifest,
    Shard,
    counted,
    read_index,
)
from depthwise.data.shards.tars import TarWriter
from depthwise.edge.decoding import picture
from depthwise.errors import Refused
from depthwise.files import open_file, write_file
from depthwise.places import Kind, not_written
from depthwise.progress import Reporter

# What a writing that is not over began with; it goes when the manifest is there.
PLAN = Kind(name="the plan of a folder of shards", is_one=lambda path: True)
_PLAN = "unfinished.json"
# Images that are read and looked at together.
TOGETHER, WORKERS = 64, 2
# Bytes of a shard, at most.
SIZE = 256 << 20


@dataclass(frozen=True, kw_only=True)
class Sharding:
    """What is to be written.

    Attributes:
        data: the folder of images.
        out: the folder of shards.
        size: bytes of a shard, at most, but for one that holds a single larger image.
        check: whether every image is decoded, so that those that cannot be are named.
        seed: of the order of the images, in which classes are mixed.
    """

    data: Path
    out: Path
    size: int = SIZE
    check: bool = True
    seed: int = 0

    @property
    def plan(self) -> dict[str, object]:
        """What the bytes of the shards depend on."""
        return {"data": str(self.data.resolve()), "size": self.size, "check": self.check, "seed": self.seed}


def shard(asked: Sharding, reporter: Reporter) -> Manifest:
    """Write the shards of a folder, or go on with it where a process was killed; the manifest comes last.

    Raises: Refused, when the folder is not one of images, something else lies at the place, it cannot be written, or
        the images are others than before.
    """
    with contextlib.ExitStack() as held:
        _prepare(asked, held)
        folders = layout(asked.data)
        order, total = _order(folders, asked.seed)
        held.callback(order.close)
        writer = _Writer(asked, folders, reporter)
        reporter.begin("writing shards", total)
        try:
            for split in folders.splits:
                writer.write(split, _files(order, folders, split))
        except OSError as problem:
            raise not_written(asked.out, problem) from None
        finally:
            reporter.end()
        write_file(asked.out / NAME, writer.manifest.to_bytes(), MANIFEST)
        (asked.out / _PLAN).unlink()
    return writer.manifest


def _prepare(asked: Sharding, held: contextlib.ExitStack) -> None:
    """Make and lock the folder, and see that what is in it is this same writing."""
    out = asked.out
    if out.resolve().is_relative_to(asked.data.resolve()) or asked.data.resolve().is_relative_to(out.resolve()):
        raise Refused(f"{out}: lies within the images, or they in it; choose another --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
        held.enter_context(lock(out))
        if (out / NAME).exists():
            raise Refused(f"{out}: holds shards already; remove the folder, or choose another --out")
        plan = out / _PLAN
        if not plan.exists():
            if any(out.iterdir()):
                raise Refused(f"{out}: exists and holds other files; choose another --out")
            write_file(plan, json.dumps(asked.plan).encode(), PLAN)
        elif plan.read_bytes() != json.dumps(asked.plan).encode():
            raise Refused(f"{out}: was begun with other settings ({plan}); give the same ones, or remove the folder")
    except OSError as problem:
        raise not_written(out, problem) from None


def _order(folders: Layout, seed: int) -> tuple[sqlite3.Connection, int]:
    """All files in the order in which they are written, in a database without a name that lies on the disk where it
    does not fit into memory; and how many there are.

    Classes are mixed, since most readers of shards take images as they come.
    """
    files = sqlite3.connect("", isolation_level=None)
    files.execute("create table files (split text, rank blob, name blob, label integer)")
    files.execute("begin")
    for split, item in folders.files():
        name = os.fsencode(item.path.relative_to(folders.root).as_posix())
        rank = hashlib.sha256(f"{seed}/".encode() + name).digest()[:8]
        files.execute("insert into files values (?, ?, ?, ?)", (split, rank, name, item.label))
    files.execute("commit")
    trained = {label for (label,) in files.execute("select distinct label from files where split in ('train', 'all')")}
    folders.check_counts(trained)
    (total,) = files.execute("select count(*) from files").fetchone()
    return files, total


def _files(files: sqlite3.Connection, folders: Layout, split: str) -> Iterator[Item]:
    found = files.execute("select name, label from files where split = ? order by rank, name", (split,))
    return (Item(folders.root / os.fsdecode(name), label) for name, label in found)


class _Writer:
    """The shards of a folder, one after the other; what it has written, or found written."""

    def __init__(self, asked: Sharding, folders: Layout, reporter: Reporter) -> None:
        self._asked, self._folders, self._reporter = asked, folders, reporter
        self.shards: list[Shard] = []
        self.indices: list[tuple[str, Index]] = []

    @property
    def manifest(self) -> Manifest:
        """Of all up to now."""
        labels = self._folders.labels
        return Manifest(
            labels=labels,
            shards=tuple(self.shards),
            counts=counted(labels, self.indices),
            unreadable=sum(len(index.unreadable) for _, index in self.indices),
            left_out=tuple(pair for _, index in self.indices for pair in index.left_out),
        )

    def write(self, split: str, items: Iterator[Item]) -> None:
        """The shards of one split; those that are whole already are passed over."""
        number = images = 0
        while (held := self._whole(split, number, items)) is not None:
            number, images = number + 1, images + held
        read = _Ahead(_read(items, self._asked.check))
        while read:
            images += self._write_one(split, number, images, read)
            number += 1

    def _whole(self, split: str, number: int, items: Iterator[Item]) -> int | None:
        """How many images a shard holds that was written before; None where there is none yet."""
        path = self._asked.out / f"{split}-{number:06d}.json"
        tar = path.with_suffix(".tar")
        if not path.exists():
            return None
        index = read_index(path, None, len(self._folders.labels))
        out = [name for name, _ in index.left_out]
        names = [self._name(item) for item in itertools.islice(items, len(index.names) + len(out))]
        if [name for name in names if name not in set(out)] != list(index.names):
            raise Refused(f"{self._asked.data}: holds other images than when {path} was written; remove {path.parent}")
        with tar.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        for _ in names:
            self._reporter.advance()
        self._keep(split, index, tar, digest)
        return len(index.names)

    def _write_one(self, split: str, number: int, images: int, read: _Ahead) -> int:
        """One shard, which appears whole, and its index after it; how many images it holds."""
        tar = self._asked.out / f"{split}-{number:06d}.tar"
        columns: dict[str, list[int]] = {"offsets": [], "sizes": [], "labels": [], "crcs": []}
        names: list[str] = []
        unreadable, left_out = {}, []
        part = tar.with_name(f".{tar.name}.part")
        with part.open("wb") as file:
            writer = TarWriter(file)
            while read and (not names or writer.position + len(read.next.content) <= self._asked.size):
                found = read.take()
                self._reporter.advance()
                name, content, label = self._name(found.item), found.content, found.item.label
                if found.is_lost:
                    left_out.append((name, found.why))
                    continue
                if found.why:
                    unreadable[len(names)] = found.why
                key = f"{images + len(names):09d}"
                columns["offsets"].append(writer.add(key + found.item.path.suffix.lower(), content))
                columns["sizes"].append(len(content))
                columns["labels"].append(label)
                columns["crcs"].append(crc32(content))
                names.append(name)
                if label != UNLABELLED:
                    writer.add(f"{key}.cls", str(label).encode())
            digest = writer.end()
            file.flush()
            os.fsync(file.fileno())
        part.replace(tar)
        index = Index(
            names=tuple(names),
            unreadable=unreadable,
            left_out=tuple(left_out),
            **{name: tuple(column) for name, column in columns.items()},
        )
        write_file(tar.with_suffix(".json"), index.to_bytes(), INDEX)
        self._keep(split, index, tar, digest)
        return len(names)

    def _keep(self, split: str, index: Index, tar: Path, digest: str) -> None:
        top = self._folders.places.get(split, self._folders.root).relative_to(self._folders.root).as_posix()
        self.indices.append((split, index))
        self.shards.append(
            Shard(
                name=tar.name,
                split=split,
                top="" if top == "." else top,
                images=len(index.names),
                bytes=tar.stat().st_size,
                sha256=digest,
                index=tar.with_suffix(".json").name,
                index_sha256=hashlib.sha256(index.to_bytes()).hexdigest(),
            )
        )

    def _name(self, item: Item) -> str:
        return item.path.relative_to(self._folders.root).as_posix()


@dataclass(frozen=True)
class _Read:
    """What was read of one file: why it is lost or cannot be decoded, if so."""

    item: Item
    content: bytes = b""
    why: str = ""
    is_lost: bool = False


class _Ahead:
    """An iterator of which the next one can be looked at; true while there is one."""

    def __init__(self, files: Iterator[_Read]) -> None:
        self._files = files
        self._next = next(files, None)

    def __bool__(self) -> bool:
        return self._next is not None

    @property
    def next(self) -> _Read:
        """The next one, which stays there."""
        assert self._next is not None
        return self._next

    def take(self) -> _Read:
        """The next one."""
        found, self._next = self.next, next(self._files, None)
        return found


def _read(items: Iterator[Item], check: bool) -> Iterator[_Read]:
    """Files in their order, some ahead of use."""

    def one(item: Item) -> _Read:
        """A file's bytes, or why it has none."""
        try:
            with open_file(item.path) as file:
                content = file.read()
        except OSError as problem:
            return _Read(item, why=f"cannot be read ({problem.strerror})", is_lost=True)
        if check:
            try:
                picture(content)
            except Refused as refusal:
                return _Read(item, content, why=str(refusal))
        return _Read(item, content)

    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        while part := list(itertools.islice(items, TOGETHER)):
            yield from pool.map(one, part)
