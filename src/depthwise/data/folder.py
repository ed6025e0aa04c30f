"""A folder of images as classes and splits, and what is wrong with it, before training starts."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from depthwise.data.contents import size_of
from depthwise.data.crew import ALONE, Crew, check_same
from depthwise.data.item import Item as Item
from depthwise.data.likeness import Looks
from depthwise.data.series import together
from depthwise.data.shards.reading import WHOLE, Shards, is_shards, open_shards
from depthwise.edge.files import image_files
from depthwise.edge.pixels import SUFFIXES
from depthwise.errors import Refused
from depthwise.network.model import check_labels
from depthwise.progress import Reporter, Silent

# Names of the folders of splits, in any case, and what may stand behind them; the first that is there counts.
SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid", "dev"),
    "test": ("test", "testing"),
}
# Folders that programs make beside those of their user: archives of a Mac, NAS, recycle bins, thumbnails.
OWN = ("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "__pycache__", "Thumbs.db")
_BEHIND = ("", "set", "_set", "data", "_data", "_images", "_dataset")
# Of each class about this share is held out, and never fewer or more than the bounds say.
HELD_OUT, LEAST_HELD_OUT, MOST_HELD_OUT = 0.15, 0.1, 0.2


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Classes, in the order of their names, and the files of each split; only the test split may be empty.

    Attributes:
        ignored: files of class folders that are not images by their names.
        is_drawn: whether the validation files were drawn from the training files.
        looks: what those files look like that were looked at.
    """

    labels: tuple[str, ...]
    train: tuple[Item, ...]
    validation: tuple[Item, ...]
    test: tuple[Item, ...]
    ignored: tuple[Path, ...] = ()
    is_drawn: bool = False
    looks: Looks = field(default_factory=Looks, compare=False, repr=False)

    @property
    def splits(self) -> dict[str, tuple[Item, ...]]:
        """The files of each split by its name in messages."""
        return {"training": self.train, "validation": self.validation, "test": self.test}

    def counts(self, split: tuple[Item, ...]) -> list[int]:
        """Number of files of each class in a split."""
        found = Counter(item.label for item in split)
        return [found[label] for label in range(len(self.labels))]


def read_folder(
    data: str | os.PathLike[str], *, seed: int = 0, reporter: Reporter | None = None, crew: Crew = ALONE
) -> Dataset:
    """The dataset in a folder of class folders, or in one with train/validation(/test) in it; or in shards of one.

    Without a validation split, some 15% of each class (10% to 20%, and at least one of two files) are taken from the
    training files. Files that belong together by their names or looks stay together. A hash of the seed and the name
    decides, so that another file added to a class moves none of the others, except where the class would leave those
    bounds, or the file belongs to some of them.

    Args:
        reporter: told how far it is with looking at the pictures.
        crew: the processes that read the folder, all of them together; each looks at a part of the pictures.

    Raises: Refused, when there is no such folder, fewer than two classes, or a class without an image.
    """
    held, top = crew.together(lambda: _listed(data, reporter or Silent()))
    if crew.size > 1:
        check_same(crew, crew.together(lambda: _digest(held, Path(data))), data)
    looks = Looks(crew)
    if held.validation:
        return replace(held, looks=looks)
    looks.of([item.path for item in held.train], reporter or Silent())
    train, validation = hold_out(top, held.train, seed, looks)
    return replace(held, train=train, validation=validation, is_drawn=True, looks=looks)


def _listed(data: str | os.PathLike[str], reporter: Reporter) -> tuple[Dataset, Path]:
    """Classes and splits as they lie there, of which that of validation may be empty; and the training folder."""
    with _readable(data) as root:
        return _from_shards(root) if is_shards(root) else _from_folders(root, reporter)


def _digest(held: Dataset, root: Path) -> str:
    """A text that differs where other files lie in a folder: by their names, classes and sizes."""
    found = hashlib.sha256(repr(held.labels).encode(errors="surrogateescape"))
    for split, items in held.splits.items():
        for item in items:
            name = item.path.relative_to(root).as_posix()
            found.update(f"{split} {name!r} {item.label} {size_of(item.path)}\n".encode(errors="surrogateescape"))
    return found.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where the images of a folder lie, before anyone has counted them.

    Attributes:
        labels: names of the classes; none in a plain folder of pictures.
        places: the folder of each split; of "all" the root itself, where there are no splits.
    """

    root: Path
    labels: tuple[str, ...]
    places: Mapping[str, Path]

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits, that of training first."""
        return tuple(self.places)

    def files(self) -> Iterator[tuple[str, Item]]:
        """Every image with its split, class after class; no more than those of one class are in memory."""
        for split, place in self.places.items():
            if not self.labels:
                yield from ((split, Item(path, -1)) for path in _pictures(place))
                continue
            _check_known(place, _names(place), self.labels)
            for item in _files(place, self.labels):
                if item.path.suffix.lower() in SUFFIXES:
                    yield split, item

    def check_counts(self, filled: set[int]) -> None:
        """See that every class has an image to train on.

        Raises: Refused, naming one that has none.
        """
        place = self.places.get("train", self.root)
        _check_counts(place, self.labels, filled)


def layout(data: str | os.PathLike[str]) -> Layout:
    """The classes and splits of a folder, or of a plain one, which has neither.

    Raises: Refused, as `read_folder` does for its folders.
    """
    with _readable(data) as root:
        pictures = any(entry.suffix.lower() in SUFFIXES for entry in root.iterdir() if not _is_own(entry.name))
        if pictures and not _named(root):
            return Layout(root=root, labels=(), places={WHOLE: root})
        places = _split_folders(root)
        labels = _names(places.get("train", root))
        _check_classes(places.get("train", root), labels)
        return Layout(root=root, labels=labels, places=places or {WHOLE: root})


def _pictures(place: Path) -> Iterator[Path]:
    for path in image_files([place]):
        if isinstance(path, Refused):
            raise path
        yield path


def _from_folders(root: Path, reporter: Reporter) -> tuple[Dataset, Path]:
    """Classes and splits as folders have them, of which that of validation may be empty; and the training folder."""
    places = _split_folders(root)
    beside = [name for name in _names(root) if places and root / name not in places.values()]
    if beside:
        reporter.notice(f"{beside[0]!r} beside {places['train'].name!r} is not used: its name is not that of a split")
    top = places.get("train", root)
    labels = _names(top)
    _check_classes(top, labels)
    train = _items(top, labels)
    _check_counts(top, labels, {item.label for item in train})
    validation, test = (_split(places[name], labels) if name in places else () for name in ("validation", "test"))
    ignored = tuple(path for place in {top, *places.values()} for path in _ignored(place, labels))
    return Dataset(labels=labels, train=train, validation=validation, test=test, ignored=ignored), top


def _from_shards(root: Path) -> tuple[Dataset, Path]:
    """The same, of shards."""
    held = _labelled_shards(root)
    split = held.training
    train = held.items(split)
    _check_classes(root, held.labels)
    _check_counts(root, held.labels, {item.label for item in train})
    validation, test = held.items("validation"), held.items("test")
    return Dataset(labels=held.labels, train=train, validation=validation, test=test), held.top(split)


def _labelled_shards(root: Path) -> Shards:
    held = open_shards(root)
    if not held.labels:
        raise Refused(f"{held.root}: its images have no classes; write the shards of a folder with one folder a class")
    return held


def read_split(data: str | os.PathLike[str], labels: tuple[str, ...]) -> tuple[Item, ...]:
    """Files to evaluate on: the test split of a folder, else its validation split, else its class folders.

    Raises: Refused, when a class of the folder is unknown to `labels`, or nothing is found.
    """
    with _readable(data) as root:
        place = root
        if is_shards(root):
            items = _measured_shards(root, labels)
        else:
            places = {name: place for name, place in _named(root).items() if _names(place)}
            place = places.get("test") or places.get("validation") or root
            if place is root and "train" in places and not set(_names(root)) & set(labels):
                raise Refused(f"{root}: has training images only; give {places['train']} to measure on those")
            items = _split(place, labels)
    if not items:
        raise Refused(f"{place}: has no image of a class that the model knows ({', '.join(labels[:3])}, ...)")
    return items


def training_items(data: str | os.PathLike[str], labels: tuple[str, ...]) -> tuple[Item, ...]:
    """Files of the training split of a folder of splits, of classes that are among `labels`; none where it has none."""
    with _readable(data) as root:
        if is_shards(root):
            held = open_shards(root)
            return _in_order_of(labels, held, held.items("train"))
        place = _named(root).get("train")
        return () if place is None else _items(place, labels)


def _measured_shards(root: Path, labels: tuple[str, ...]) -> tuple[Item, ...]:
    """What `read_split` gives, of shards."""
    held = _labelled_shards(root)
    items = held.items("test") or held.items("validation") or held.items(WHOLE)
    if not items:
        raise Refused(f"{root}: has training images only; write shards of a folder `test` or `validation`")
    _check_known(root, (held.labels[label] for label in sorted({item.label for item in items})), labels)
    return _in_order_of(labels, held, items)


def _in_order_of(labels: tuple[str, ...], held: Shards, items: tuple[Item, ...]) -> tuple[Item, ...]:
    """Images of shards whose class is among `labels`, with its index there."""
    known = {label: index for index, label in enumerate(labels)}
    own = [known.get(label) for label in held.labels]
    found = ((item, own[item.label]) for item in items if item.label >= 0)
    mapped = [Item(item.path, label) for item, label in found if label is not None]
    return tuple(sorted(mapped, key=lambda item: (item.label, item.path)))


@contextlib.contextmanager
def _readable(data: str | os.PathLike[str]) -> Iterator[Path]:
    """The folder to read; what the system says against it becomes a refusal."""
    root = Path(data)
    try:
        if not root.is_dir() and not is_shards(root):
            problem = "is a file" if root.exists() else "there is no such folder"
            raise Refused(f"{root}: {problem}; give a folder that has one folder of images a class")
        yield root
    except OSError as problem:
        raise Refused(f"{problem.filename or root}: cannot be read ({problem.strerror}); check its rights") from None


def _names(place: Path) -> tuple[str, ...]:
    """Folders in a folder, those left out that are hidden or a program's own."""
    return tuple(sorted(entry.name for entry in place.iterdir() if entry.is_dir() and not _is_own(entry.name)))


def _is_own(name: str) -> bool:
    """Whether a folder or file is hidden, or one that an archiver, a NAS or a notebook puts beside others."""
    return name.startswith(".") or name in OWN


def _named(root: Path) -> dict[str, Path]:
    """Folders that have the name of a split."""
    there = {_plain(name): root / name for name in _names(root)}
    wanted = {split: _written(names) for split, names in SPLITS.items()}
    found = {split: next((there[name] for name in names if name in there), None) for split, names in wanted.items()}
    return {split: place for split, place in found.items() if place is not None}


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")


def _written(names: tuple[str, ...]) -> list[str]:
    """The ways in which the name of a split is written, the likeliest first."""
    return [f"{name}{behind}" for behind in _BEHIND for name in names]


def _split_folders(root: Path) -> dict[str, Path]:
    """Folders of the splits by split, "train" among them; none where `root` itself holds the class folders.

    A class may have the name of a split too: such a folder is a split only where there are folders in it.
    """
    named = _named(root)
    filled = {split: place for split, place in named.items() if _names(place)}
    if "train" in filled:
        _refuse_double(root)
        return named
    if filled:
        raise Refused(f"{root}: has a folder for {' and '.join(filled)} but none for train; add it")
    only_splits = {root / name for name in _names(root)} <= set(named.values())
    if "train" in named and only_splits:
        raise Refused(
            f"{named['train']}: has no class folders; put the images of each class into a folder named after it"
        )
    _refuse_split_names(root)
    _refuse_alike(root)
    return {}


def _refuse_double(root: Path) -> None:
    """Refuse two folders for the same split, of which one would be left out.

    Raises: Refused, naming both.
    """
    for split, names in SPLITS.items():
        both = [name for name in _names(root) if _plain(name) in _written(names) and _names(root / name)]
        if len(both) > 1:
            raise Refused(f"{root}: has {both[0]!r} and {both[1]!r}, both for {split}; put them together or remove one")


def _refuse_split_names(root: Path) -> None:
    """Refuse folders that would be classes and are named as splits of one thing: seg_train and seg_test, train1, test1.

    Raises: Refused, naming two of them.
    """
    words = {word: split for split, names in SPLITS.items() for word in names}
    seen: dict[tuple[str, ...], tuple[str, str]] = {}
    for name in _names(root):
        parts = [part.strip("0123456789") for part in _plain(name).split("_")]
        rest = tuple(part for part in parts if part and part not in words)
        for split in (words[part] for part in parts if part in words):
            other, before = seen.setdefault(rest, (name, split))
            if before != split:
                raise Refused(
                    f"{root}: {other!r} and {name!r} are named as splits are, and would be classes; name them train,"
                    " validation and test, and put the images of each class into a folder of its own in them"
                )


def _refuse_alike(root: Path) -> None:
    """Refuse folders that would be classes and look like splits: the same folders in each, and no image beside them.

    Raises: Refused, naming two of them.
    """
    seen: dict[tuple[str, ...], str] = {}
    for name in _names(root):
        inner = _names(root / name)
        if not inner or any(entry.suffix.lower() in SUFFIXES for entry in (root / name).iterdir()):
            continue
        if inner in seen:
            raise Refused(
                f"{root}: {seen[inner]!r} and {name!r} hold the same folders ({', '.join(inner[:3])}{_more(inner)}) and"
                " no image of their own, as splits do; name them train, validation and test, or, if they are classes,"
                " put their images directly into them"
            )
        seen[inner] = name


def _more(names: tuple[str, ...]) -> str:
    return ", ..." if len(names) > 3 else ""


def _files(top: Path, labels: tuple[str, ...]) -> Iterator[Item]:
    """Files of each class at any depth; those that are hidden, or in a hidden folder, left out."""
    there = set(_names(top))
    for index, label in enumerate(labels):
        # A model's label need not be the name of a folder here, nor of any: it may be "../photos".
        if label not in there:
            continue
        for path in sorted((top / label).rglob("*")):
            hidden = any(map(_is_own, path.relative_to(top / label).parts))
            # A link to nowhere is no folder either, and is named later among what cannot be used.
            if not hidden and not path.is_dir():
                yield Item(path, index)


def _items(top: Path, labels: tuple[str, ...]) -> tuple[Item, ...]:
    return tuple(item for item in _files(top, labels) if item.path.suffix.lower() in SUFFIXES)


def _ignored(top: Path, labels: tuple[str, ...]) -> list[Path]:
    return [item.path for item in _files(top, labels) if item.path.suffix.lower() not in SUFFIXES]


def _split(place: Path, labels: tuple[str, ...]) -> tuple[Item, ...]:
    _check_known(place, _names(place), labels)
    return _items(place, labels)


def _check_known(place: Path, names: Iterable[str], labels: tuple[str, ...]) -> None:
    unknown = sorted(set(names) - set(labels))
    if unknown:
        raise Refused(
            f"{place}: class {unknown[0]!r} is not one of the classes trained on; {_advice(unknown[0], labels)}"
        )


def _advice(name: str, labels: tuple[str, ...]) -> str:
    """What to do about a folder whose name is no label."""
    if all(label == f"class {index}" for index, label in enumerate(labels)):
        return "the model's labels are numbers, since its file names none: convert it again with --labels"
    plain = {label.casefold().replace("_", " "): label for label in reversed(labels)}
    wanted = name.casefold().replace("_", " ")
    holding = [one for one in plain if wanted in one or one in wanted]
    near = difflib.get_close_matches(wanted, plain, n=2) or holding[:2]
    meant = " or ".join(repr(plain[one]) for one in near)
    return f"is {meant} meant? Rename or remove the folder" if near else "rename or remove the folder"


def _check_classes(top: Path, labels: tuple[str, ...]) -> None:
    if not labels:
        raise Refused(f"{top}: has no class folders; put the images of each class into a folder named after it")
    if len(labels) == 1:
        inner = top / labels[0]
        if len(_names(inner)) > 1:
            raise Refused(f"{top}: has a single folder, {labels[0]!r}, which holds others; is {inner} meant?")
        raise Refused(f"{top}: has a single class, {labels[0]!r}; a classifier needs at least two")
    try:
        check_labels(labels, len(labels))
    except Refused as refusal:
        raise Refused(f"{top}: {refusal}") from None


def _check_counts(top: Path, labels: tuple[str, ...], filled: set[int]) -> None:
    empty = [label for index, label in enumerate(labels) if index not in filled]
    if empty:
        more = len(empty) - 1
        others = f" (nor have {more} others)" if more else ""
        raise Refused(f"{top}: class {empty[0]!r} has no image{others}; add images or remove the folder")


def hold_out(top: Path, items: tuple[Item, ...], seed: int, looks: Looks) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Training and validation files: in each class, those are held out that belong together and whose hash is low."""
    kept: list[Item] = []
    held: list[Item] = []
    classes: dict[int, list[Item]] = {}
    for item in items:
        classes.setdefault(item.label, []).append(item)
    for members in classes.values():
        paths = [item.path.relative_to(top) for item in members]
        groups = together(paths, looks.of([item.path for item in members], Silent()))
        drawn = _drawn([(_rank(name, seed), group) for name, group in groups], len(members))
        # Where the class is of few series, single files are better than none.
        drawn = drawn or _drawn([(_rank(path.as_posix(), seed), [path]) for path in paths], len(members))
        for item, path in zip(members, paths, strict=True):
            (held if path in drawn else kept).append(item)
    return tuple(sorted(kept, key=lambda i: i.path)), tuple(sorted(held, key=lambda i: i.path))


def _drawn(groups: list[tuple[float, list[Path]]], count: int) -> set[Path]:
    """The files of the groups whose rank is low, as many of the `count` files of a class as the bounds allow."""
    least = max(1, math.floor(LEAST_HELD_OUT * count))
    # A single image is trained on; that its class is then not validated is said in a notice.
    most = min(max(1, math.ceil(MOST_HELD_OUT * count)), count - 1)
    drawn: set[Path] = set()
    for rank, group in sorted(groups):
        if (rank < HELD_OUT or len(drawn) < least) and len(drawn) + len(group) <= most:
            drawn.update(group)
    return drawn


def _rank(name: str, seed: int) -> float:
    """A number from 0 to 1 that depends on the seed and the name alone."""
    text = f"{seed}/{name}".encode(errors="surrogateescape")
    return int.from_bytes(hashlib.sha256(text).digest()[:8]) / 2**64
