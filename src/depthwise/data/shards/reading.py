"""A folder of shards as the files of its splits: each is there under the path that it had in the folder of images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from depthwise.data.item import Item
from depthwise.data.shards import foreign, remote
from depthwise.data.shards.manifest import MANIFEST, NAME, WHOLE, Index, Manifest, Shard, read_index, read_manifest
from depthwise.data.shards.member import Member, Place, read_at
from depthwise.data.shards.remote import read_there
from depthwise.errors import Refused


@dataclass(frozen=True, kw_only=True)
class Shards:
    """An open folder of shards.

    Attributes:
        root: the folder, or a single tar.
        indices: of each shard, in their order.
    """

    root: Path
    manifest: Manifest
    indices: tuple[Index, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes; none where the images have no labels."""
        return self.manifest.labels

    def top(self, split: str) -> Path:
        """The folder of the classes of a split, in the paths of its images."""
        found = next((shard.top for shard in self.manifest.shards if shard.split == split), "")
        return self.root / found

    def items(self, *splits: str) -> tuple[Item, ...]:
        """The images of splits, in the order of a folder: class by class, by path."""
        found = [item for shard, index in self._pairs() if shard.split in splits for item in self._of(shard, index)]
        return tuple(sorted(found, key=lambda item: (item.label, item.path)))

    def each(self) -> Iterator[tuple[Shard, tuple[Item, ...]]]:
        """All images, shard by shard, in the order in which they lie there."""
        for shard, index in self._pairs():
            yield shard, tuple(self._of(shard, index))

    @property
    def training(self) -> str:
        """The split that is trained on: all images, where none are set apart."""
        return "train" if any(shard.split == "train" for shard in self.manifest.shards) else WHOLE

    def _pairs(self) -> Iterator[tuple[Shard, Index]]:
        return zip(self.manifest.shards, self.indices, strict=True)

    def _of(self, shard: Shard, index: Index) -> Iterator[Item]:
        folder = self.root if self.root.is_dir() else self.root.parent
        path, base = folder / shard.name, remote.origin(folder)
        read = partial(read_at, path) if base is None or path.exists() else partial(read_there, f"{base}/{shard.name}")
        crcs = index.crcs or (None,) * len(index.names)
        for name, label, offset, size, crc in zip(
            index.names, index.labels, index.offsets, index.sizes, crcs, strict=True
        ):
            place = Place(shard=shard.name, read=read, offset=offset, size=size, crc=crc)
            yield Item(Member.at(self.root / name, place), label)


def is_shards(root: Path) -> bool:
    """Whether a path is a tar, or a folder with a manifest of shards or with tars and no folder."""
    if root.is_file():
        return root.suffix == ".tar"
    try:
        entries = [entry for entry in root.iterdir() if not entry.name.startswith(".")]
        if (root / NAME).is_file():
            return MANIFEST.is_one(root / NAME)
        return any(entry.suffix == ".tar" for entry in entries) and not any(entry.is_dir() for entry in entries)
    except OSError:
        return False  # who reads the folder says so


def open_shards(root: Path) -> Shards:
    """The shards in a folder, or a single tar; those without a manifest are indexed now.

    Raises: Refused, when the manifest or an index is damaged, a shard is missing or has another size, or one that
        another program wrote cannot be indexed.
    """
    if root.is_file() or not (root / NAME).is_file():
        manifest, indices = foreign.indexed(root)
        return Shards(root=root, manifest=manifest, indices=indices)
    manifest = _checked(root)
    classes = len(manifest.labels)
    indices = tuple(read_index(root / shard.index, shard, classes) for shard in manifest.shards)
    return Shards(root=root, manifest=manifest, indices=indices)


def stream(root: Path) -> tuple[int, Iterator[Path]]:
    """How many images a folder of shards holds, and each, in the order in which they lie; with one index in memory.

    Raises: Refused, as `open_shards` does; for an index while the images before it are given.
    """
    if root.is_file() or not (root / NAME).is_file():
        held = open_shards(root)
        return held.manifest.images, (item.path for _, items in held.each() for item in items)
    manifest = _checked(root)

    def each() -> Iterator[Path]:
        for shard in manifest.shards:
            index = read_index(root / shard.index, shard, len(manifest.labels))
            one = Shards(root=root, manifest=replace(manifest, shards=(shard,)), indices=(index,))
            yield from (item.path for _, items in one.each() for item in items)

    return manifest.images, each()


def _checked(root: Path) -> Manifest:
    """The manifest of a folder, whose shards are all there, as far as they lie on this machine."""
    manifest = read_manifest(root / NAME)
    for shard in manifest.shards:
        if remote.origin(root) is None or (root / shard.name).exists():
            _check_there(root, shard)
    return manifest


def _check_there(root: Path, shard: Shard) -> None:
    path = root / shard.name
    try:
        size = path.stat().st_size
    except OSError as problem:
        raise Refused(f"{path}: cannot be read ({problem.strerror}); copy the shard there") from None
    if size != shard.bytes:
        raise Refused(
            f"{path}: has {size:,} bytes, and the manifest says {shard.bytes:,}; copy the shard again, or run"
            f" `depthwise shard --index {root}` after a shard was changed on purpose"
        )


__all__ = ["WHOLE", "Shards", "is_shards", "open_shards"]
