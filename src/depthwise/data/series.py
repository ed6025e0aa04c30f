"""Pictures that belong together: frames of a video, photos of a burst, copies and changed copies of one photo."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from depthwise.data.likeness import Vectors, alike_within

if TYPE_CHECKING:
    from depthwise.data.folder import Item

# What programs append to the name of a copy, or of a picture that they changed: `cat copy`, `cat_flip`, `leaf_90deg`,
# `IMG_1_jpg.rf.0123456789abcdef` (Roboflow).
_CHANGES = (
    "copy|kopie|copie|copia|edited|resized?|crop(?:ped)?|aug(?:mented)?|mirror(?:ed)?|rot(?:ated?)?|blur(?:red)?|noise|noisy"
    r"|bright(?:ness)?|dark|[hv]flip|flip(?:ped)?(?:lr|tb)?|newpixel\d+|new\d+degfliplr"
)
_COPY = re.compile(
    rf"(?:[ _.-]+(?:{_CHANGES})[ _-]?\d*|[ _.-]+\d{{1,3}}deg|(?:_(?:jpe?g|png|bmp|webp))?\.rf\.[0-9a-z]{{16,}})$",
    re.IGNORECASE,
)
# The last number of a name, as of frames and bursts; what stands before it must hold a number too.
_NUMBER = re.compile(r"[ _.-]+(?:frame|img|image|pic|shot|f)?[ _.-]*\(?\d+\)?$", re.IGNORECASE)
# A series that holds more than this share of a class is how its files are named, not what belongs together.
MOST_OF_A_CLASS, LEAST_MOST = 0.5, 3
# Neighbours are in series when their likeness exceeds chance by so many standard deviations, over all classes.
CERTAIN = 5.0
SHUFFLES = 60
LEAST_PICTURES, MOST_PICTURES = 10, 300  # of a class, for that


def series_of(stem: str) -> str:
    """What names of one series have in common, or "" where a name does not tell of one.

    `video3_frame_0012` is of `video3`, `person7_pose 2` of `person7_pose`, `IMG_5 copy` of `IMG_5`; `lemon_0012` and
    `IMG_0012` are of none, since only a number tells them from the others of their class.
    """
    bare = stem
    while (shorter := _COPY.sub("", bare)) != bare and shorter:
        bare = shorter
    if (before := _NUMBER.sub("", bare)) != bare and any(c.isdigit() for c in before):
        return before
    return bare if bare != stem else ""


def series_in(names: Sequence[str]) -> dict[str, str]:
    """The series of each name of one class that is in one, by name; names are without their ending.

    What most files of the class share is no series but how they are named.
    """
    found = {name: series for name in names if (series := series_of(name))}
    # `IMG_5` is of the series of `IMG_5 copy`.
    found |= {name: name for name in set(names) & set(found.values())}
    sizes = Counter(found[name] for name in names if name in found)
    most = max(LEAST_MOST, MOST_OF_A_CLASS * len(names))
    return {name: series for name, series in found.items() if sizes[series] <= most}


def together(paths: Sequence[Path], vectors: Vectors) -> list[tuple[str, list[Path]]]:
    """Files of one class in groups that belong together by their names or looks, each with a name that it goes by.

    Args:
        paths: within the folder of classes.
        vectors: what each looks like, as `Looks.of` gives it.
    """
    series = series_in([path.stem for path in paths])
    keys = [str(path.with_name(series[path.stem]) if path.stem in series else path) for path in paths]
    joined = {key: key for key in keys}

    def root(key: str) -> str:
        while joined[key] != key:
            key = joined[key]
        return key

    for first, second in alike_within(vectors):
        one, other = sorted((root(keys[first]), root(keys[second])), key=_draw)
        joined[other] = one
    groups: dict[str, list[Path]] = defaultdict(list)
    for path, key in zip(paths, keys, strict=True):
        groups[root(key)].append(path)
    return list(groups.items())


def shared_series(first: Iterable[Item], second: Iterable[Item]) -> list[tuple[Path, Path]]:
    """For each file of `second` in a series, of one class, that has files in `first` too: one of those, and it.

    A series of which both have files of the very same name is left out: each split then has numbers of its own.
    """
    classes: dict[int, tuple[list[Path], list[Path]]] = defaultdict(lambda: ([], []))
    for side, items in enumerate((first, second)):
        for item in items:
            classes[item.label][side].append(item.path)
    return [pair for one, other in classes.values() for pair in _shared(one, other)]


def _shared(first: list[Path], second: list[Path]) -> Iterator[tuple[Path, Path]]:
    series = series_in([path.stem for path in (*first, *second)])
    own = {series.get(stem) for stem in {path.stem for path in first} & {path.stem for path in second}}
    of_first = {series[path.stem]: path for path in reversed(first) if path.stem in series}
    for path in second:
        name = series.get(path.stem)
        if name in of_first and name not in own:
            yield of_first[name], path


def neighbours_alike(classes: Iterable[tuple[Sequence[Path], Vectors]]) -> tuple[Path, Path] | None:
    """Two files that follow one another, where such pictures are more alike than others of their class; else None.

    Photos that are named in the order in which they were taken are so when they were taken in series.
    """
    exceed, examples = [], []
    for paths, vectors in classes:
        order = sorted(range(len(paths)), key=lambda index: _natural(paths[index]))[:MOST_PICTURES]
        if len(order) < LEAST_PICTURES:
            continue
        products = vectors[order] @ vectors[order].T
        chance = np.random.default_rng(0)
        shuffled = [_neighbours(products, chance.permutation(len(order))).mean() for _ in range(SHUFFLES)]
        following = _neighbours(products, np.arange(len(order)))
        exceed.append((following.mean() - np.mean(shuffled)) / max(float(np.std(shuffled)), 1e-6))
        likest = int(following.argmax())
        examples.append((float(following[likest]), paths[order[likest]], paths[order[likest + 1]]))
    if not exceed or sum(exceed) / len(exceed) ** 0.5 < CERTAIN:
        return None
    return max(examples)[1:]


def _neighbours(products: Vectors, order: NDArray[np.int64]) -> Vectors:
    return products[order[:-1], order[1:]]


def _natural(path: Path) -> list[tuple[int, str]]:
    """A key that sorts `9` before `10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.as_posix())]


def _draw(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
