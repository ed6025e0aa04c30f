"""Every byte of a folder of shards, read: to write the index of one that has none, or to find what is damaged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zlib import crc32

from depthwise.data.shards.foreign import indexed
from depthwise.data.shards.manifest import INDEX, MANIFEST, NAME, Index, Manifest, Shard, read_index, read_manifest
from depthwise.data.shards.member import read_at
from depthwise.edge.decoding import picture
from depthwise.errors import Refused
from depthwise.files import write_file
from depthwise.progress import Reporter


def write_index(root: Path, *, check: bool, reporter: Reporter) -> Manifest:
    """Write the manifest and the indices of shards that another program wrote, beside them.

    Args:
        check: whether every image is decoded, so that those that cannot be are named.
    Raises: Refused, when they are no shards, or have a manifest already.
    """
    if not root.is_dir():
        raise Refused(f"{root}: there is no such folder; give a folder of tars")
    if (root / NAME).exists():
        raise Refused(f"{root}: has a manifest already; remove it where the shards were changed on purpose")
    manifest, indices = indexed(root)
    shards, unreadable = [], 0
    reporter.begin("reading shards", manifest.images)
    try:
        for shard, index in zip(manifest.shards, indices, strict=True):
            path = root / shard.name
            seen = _seen(path, index, check, reporter)
            unreadable += len(seen.unreadable)
            name, content = f"{path.stem}.index.json", seen.to_bytes()
            write_file(root / name, content, INDEX)
            own = hashlib.sha256(content).hexdigest()
            shards.append(replace(shard, index=name, sha256=_digest(path), index_sha256=own))
    finally:
        reporter.end()
    found = replace(manifest, shards=tuple(shards), unreadable=unreadable)
    write_file(root / NAME, found.to_bytes(), MANIFEST)
    return found


def damages(root: Path, reporter: Reporter) -> tuple[list[str], int]:
    """What is wrong with a folder of shards, a sentence each, and how many images it holds.

    Raises: Refused, when it has no sound manifest.
    """
    manifest = read_manifest(root / NAME)
    found: list[str] = []
    reporter.begin("reading shards", len(manifest.shards))
    try:
        for shard in manifest.shards:
            found += _wrong_with(root, shard, len(manifest.labels))
            reporter.advance()
    finally:
        reporter.end()
    return found, manifest.images


def _wrong_with(root: Path, shard: Shard, classes: int) -> Iterator[str]:
    path = root / shard.name
    try:
        if path.stat().st_size == shard.bytes and _digest(path) == shard.sha256:
            read_index(root / shard.index, shard, classes)
            return
        index = read_index(root / shard.index, shard, classes)
    except OSError as problem:
        yield f"{path}: cannot be read ({problem.strerror}), and {shard.images:,} images with it"
        return
    except Refused as refusal:
        yield str(refusal)
        return
    bad = [name for name, content, crc in _contents(path, index) if crc32(content) != crc]
    named = f", the first {bad[0]}" if bad else ""
    yield f"{path}: is not the file of the manifest; {len(bad):,} of its {shard.images:,} images are damaged{named}"


def _seen(path: Path, index: Index, check: bool, reporter: Reporter) -> Index:
    crcs: list[int] = []
    unreadable = {}
    for at, (_, content, _) in enumerate(_contents(path, index)):
        crcs.append(crc32(content))
        reporter.advance()
        try:
            if check:
                picture(content)
        except Refused as refusal:
            unreadable[at] = str(refusal)
    return replace(index, crcs=tuple(crcs), unreadable=unreadable)


def _contents(path: Path, index: Index) -> Iterator[tuple[str, bytes, int]]:
    crcs = index.crcs or (0,) * len(index.names)
    for name, offset, size, crc in zip(index.names, index.offsets, index.sizes, crcs, strict=True):
        yield name, read_at(path, offset, size), crc


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
