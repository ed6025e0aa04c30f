"""The images of a run, read once and checked: what a user should know of them is said before training starts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from depthwise.data.crew import ALONE, Crew, own
from depthwise.data.folder import Dataset, read_folder
from depthwise.data.series import neighbours_alike
from depthwise.data.store import NAMED, Store, Unreadable, evaluation_store, tell_unreadable, training_store
from depthwise.data.twins import crossings
from depthwise.edge.files import endings
from depthwise.errors import Refused
from depthwise.network.preprocessing import Preprocessing
from depthwise.progress import Reporter

# Training images are kept at this multiple of the resolution, to be cropped from at random.
SPARE = 1.25


@dataclass(frozen=True, kw_only=True)
class Images:
    """The pixels of each split; only the test split may be empty."""

    labels: tuple[str, ...]
    train: Store
    validation: Store
    test: Store

    @property
    def counts(self) -> dict[str, int]:
        """Images that can be used, by split."""
        return {"train": len(self.train), "validation": len(self.validation), "test": len(self.test)}

    @property
    def unreadable(self) -> list[Unreadable]:
        """What was left out of any split."""
        return [entry for store in (self.train, self.validation, self.test) for entry in store.unreadable]

    def digest(self, root: Path) -> str:
        """A text that differs where other images would be trained on: their names, classes, order or sizes."""
        found = hashlib.sha256(repr(self.labels).encode())
        for store in (self.train, self.validation):
            for index, item in enumerate(store.items):
                name = item.path.relative_to(root).as_posix()
                found.update(f"{name!r} {item.label} {store.shape(index)}\n".encode())
        return found.hexdigest()


def read_images(
    data: Path,
    *,
    seed: int,
    preprocessing: Preprocessing,
    reporter: Reporter,
    pixels_in: Path | None = None,
    crew: Crew = ALONE,
) -> Images:
    """All images of a folder, ready to train on.

    Args:
        preprocessing: of validation and test images; its crop is the resolution that is trained at.
        pixels_in: folder for the file of pixels; None for the system's folder for temporary files.
        crew: the processes that train on them, all of them together; each decodes a part.

    Raises: Refused, when the folder or what can be read of it is not enough to train on.
    """
    dataset = read_folder(data, seed=seed, reporter=reporter, crew=crew)
    if dataset.validation or dataset.test:
        dataset.looks.of([item.path for split in dataset.splits.values() for item in split], reporter)
    crew.together(lambda: _report(dataset, reporter) if crew.rank == 0 else None)
    channels, tick = preprocessing.channels, reporter.advance
    side = round(SPARE * preprocessing.crop)
    reporter.begin("reading images", sum(len(own(crew, split)) for split in dataset.splits.values()))
    try:
        mode, fill = preprocessing.mode, preprocessing.fill
        train = training_store(
            dataset.train, channels=channels, side=side, tick=tick, folder=pixels_in, mode=mode, fill=fill, crew=crew
        )
        validation, test = (
            evaluation_store(split, preprocessing, tick=tick, folder=pixels_in, crew=crew)
            for split in (dataset.validation, dataset.test)
        )
    finally:
        reporter.end()
    images = Images(labels=dataset.labels, train=train, validation=validation, test=test)
    so = "are left out, since they cannot be used"
    tell_unreadable(images.unreadable, reporter, so=so, others="which the log of the run names")
    _check_readable(data, dataset, images)
    return images


def _report(dataset: Dataset, reporter: Reporter) -> None:
    sizes = ", ".join(f"{len(split):,} {name}" for name, split in dataset.splits.items() if split)
    reporter.notice(f"{len(dataset.labels)} classes; {sizes} images")
    if dataset.ignored:
        counted = endings(dataset.ignored)
        reporter.notice(f"{len(dataset.ignored):,} other files in the class folders are ignored ({counted})")
    for name, split in dataset.splits.items():
        empty = [label for label, count in zip(dataset.labels, dataset.counts(split), strict=True) if not count]
        if split and empty:
            reporter.notice(f"warning: there is no {name} image of {_listed(empty)}")
    for name in ("validation", "test"):
        for crossing in crossings(dataset.train, dataset.splits[name], dataset.looks, reporter):
            reporter.notice(f"warning: {crossing.sentence(name)}")
    if dataset.is_drawn:
        _report_series(dataset, reporter)


def _report_series(dataset: Dataset, reporter: Reporter) -> None:
    """Photos in series lie on both sides of a random split, whatever their names."""
    classes: dict[int, list[Path]] = {}
    for item in (*dataset.train, *dataset.validation):
        classes.setdefault(item.label, []).append(item.path)
    pair = neighbours_alike((paths, dataset.looks.of(paths, reporter)) for paths in classes.values())
    if pair is not None:
        reporter.notice(
            "warning: images whose names follow one another are more alike than others of their class, as photos in"
            f" series are, such as {pair[0]} and {pair[1].name}; the validation images were drawn among them, so new"
            " photos will be labelled less well than validation says: put photos of another day or place into a folder"
            " `test`"
        )


def _check_readable(data: Path, dataset: Dataset, images: Images) -> None:
    filled = set(images.train.labels.tolist())
    for label, name in enumerate(dataset.labels):
        if label not in filled:
            bad = [entry for entry in images.train.unreadable if entry.item.label == label]
            raise Refused(
                f"{data}: class {name!r} has no readable image to train on ({len(bad)} cannot be used; the first:"
                f" {bad[0].reason}); add images or remove the folder"
            )
    if not dataset.validation:
        raise Refused(f"{data}: has a single image of each class, so none is left to validate with; add images")
    if not len(images.validation):
        raise Refused(f"{data}: no validation image can be read; add images")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:NAMED]))
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more classes"
