"""Shards that another program wrote: what they hold, found by one walk through their headers."""

from __future__ import annotations

import json
import re
from pathlib import Path

from depthwise.data.shards.manifest import UNLABELLED, WHOLE, Index, Manifest, Shard, counted
from depthwise.data.shards.tars import Sample, samples
from depthwise.errors import Refused

# Files beside the tars that may name the classes of their numbers, a line each, or a list in JSON.
NAMES = ("classes.txt", "labels.txt", "classes.json", "labels.json")
_LONGEST = 2**24
# Which split a tar is of, by a word of its name.
_SPLITS = (
    ("validation", re.compile(r"(?<![a-z])(?:validation|valid|val|dev)(?![a-z])")),
    ("test", re.compile(r"(?<![a-z])(?:testing|test)(?![a-z])")),
    ("train", re.compile(r"(?<![a-z])(?:training|train)(?![a-z])")),
)


def indexed(root: Path) -> tuple[Manifest, tuple[Index, ...]]:
    """Manifest and indices of the tars of a folder, or of a single one.

    Raises: Refused, when one is no sound tar, none holds an image, or some images have a class and others none.
    """
    paths = [root] if root.is_file() else sorted(path for path in root.glob("*.tar") if not path.name.startswith("."))
    found = [(path, tuple(samples(path))) for path in paths]
    if not any(held for _, held in found):
        raise Refused(f"{root}: no tar in it holds an image; give shards in the form of WebDataset (key.jpg, key.cls)")
    labels = _labels(root, found)
    numbers = _numbers(labels)
    shards, indices = [], []
    for path, held in found:
        split = _split(path.name) if len(found) > 1 else WHOLE
        shards.append(Shard(name=path.name, split=split, top="", images=len(held), bytes=path.stat().st_size))
        indices.append(_index(path, held, numbers))
    shards = _with_training(shards)
    counts = counted(labels, zip((shard.split for shard in shards), indices, strict=True))
    return Manifest(labels=labels, shards=tuple(shards), counts=counts), tuple(indices)


def _index(path: Path, held: tuple[Sample, ...], numbers: dict[str, int]) -> Index:
    names: dict[str, None] = {}
    for sample in held:
        name = f"{path.stem}/{sample.name.removeprefix('./')}"
        while name in names:  # the same key twice, as after a writer that was started again
            stem, dot, ending = name.rpartition(".")
            name = f"{stem}~{dot}{ending}"
        names[name] = None
    return Index(
        names=tuple(names),
        labels=tuple(numbers[sample.said] if sample.said else UNLABELLED for sample in held),
        offsets=tuple(sample.offset for sample in held),
        sizes=tuple(sample.size for sample in held),
    )


def _labels(root: Path, found: list[tuple[Path, tuple[Sample, ...]]]) -> tuple[str, ...]:
    """Names of the classes: what the tars say, or, where they say numbers, what a file beside them has for each."""
    said = {sample.said for _, held in found for sample in held}
    if said == {""}:
        return ()
    if "" in said:
        path, sample = next((path, sample) for path, held in found for sample in held if not sample.said)
        raise Refused(f"{path}: {sample.name} has no class, and others have; give it a .cls file, or leave it out")
    if not all(text.isdecimal() and len(text) < 8 for text in said):
        return tuple(sorted(said))
    named = _named(root if root.is_dir() else root.parent)
    most = max(map(int, said))
    if named and most >= len(named):
        raise Refused(f"{root}: a class is {most}, and the file beside the tars names {len(named)} (from 0 on)")
    return named or tuple(str(number) for number in range(most + 1))


def _numbers(labels: tuple[str, ...]) -> dict[str, int]:
    """The index of a class by what a tar says of it: its name, or its number where names are in a file beside."""
    return {str(at): at for at in range(len(labels))} | {label: at for at, label in enumerate(labels)}


def _named(folder: Path) -> tuple[str, ...]:
    for name in NAMES:
        path = folder / name
        if path.is_file() and path.stat().st_size < _LONGEST:
            text = path.read_text(encoding="utf-8", errors="replace")
            if not name.endswith(".json"):
                return tuple(line.strip() for line in text.splitlines() if line.strip())
            try:
                document = json.loads(text)
            except ValueError:
                raise Refused(f"{path}: is no JSON; give a list of names, or remove it") from None
            if isinstance(document, list):
                return tuple(map(str, document))
            raise Refused(f"{path}: is no list of names; give one, or remove it")
    return ()


def _split(name: str) -> str:
    lower = name.lower()
    return next((split for split, word in _SPLITS if word.search(lower)), WHOLE)


def _with_training(shards: list[Shard]) -> list[Shard]:
    """Shards of no split are for training where others are of one."""
    if {shard.split for shard in shards} == {WHOLE}:
        return shards
    return [Shard(**{**vars(shard), "split": "train"}) if shard.split == WHOLE else shard for shard in shards]
