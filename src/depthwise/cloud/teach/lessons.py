"""What the teachers tell of every training picture, made once and kept in the run's folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes
from torch import Tensor

from depthwise.cloud.processes import World
from depthwise.cloud.teach.frames import Frames
from depthwise.cloud.teach.heads import FOLDS, PASSES, Told, answers, fit_heads, folds, mean_of
from depthwise.cloud.teach.numbers import Halves, numbers, rows_of
from depthwise.cloud.teach.sources import CALIBRATION, Source, sources
from depthwise.cloud.teach.teacher import Pixels, Teacher
from depthwise.data.folder import Item
from depthwise.data.images import Images
from depthwise.data.turns import Turns
from depthwise.errors import Refused
from depthwise.evaluate.metrics import calibration_error, log_loss, reliability
from depthwise.progress import Reporter
from depthwise.quantize.quantize import sample

# Changes whenever the same teachers would tell something else.
VERSION = 1
LOGARITHMS, FIGURES = "logarithms", "figures"


@dataclass(frozen=True, kw_only=True, eq=False)
class Lessons:
    """What the teachers tell.

    Attributes:
        logarithms: (N, classes) float16, of the probabilities of each training picture.
        figures: of the teachers together on the validation pictures: top1, log_loss, calibration_error; and their
            "teachers", a list of names.
    """

    logarithms: Halves
    figures: dict[str, Any]

    @property
    def digest(self) -> str:
        """Of all that is learned from; a run that goes on must have the same."""
        return hashlib.sha256(np.ascontiguousarray(self.logarithms).tobytes()).hexdigest()


@dataclass(frozen=True, kw_only=True, eq=False)
class School:
    """Who is taught about what, and where it is kept.

    Attributes:
        teachers: what `--distill` says: names with commas between.
        root: the folder of images.
        channels: of the student's pictures.
        folder: of the run, on the first process's machine.
        seed: of the choice of pictures to calibrate with, and of the heads.
    """

    teachers: str
    images: Images
    root: Path
    channels: int
    folder: Path
    seed: int
    here: World
    reporter: Reporter

    def names(self, items: Sequence[Item]) -> list[str]:
        """Of pictures, wherever the folder lies."""
        return [item.path.relative_to(self.root).as_posix() for item in items]


def attend(school: School) -> Lessons:
    """What the teachers tell of the training pictures: from the run's folder, where they were asked before.

    All processes call this; each asks about a part of the pictures, and the first fits heads and writes.

    Raises: Refused, when a teacher cannot be had, or what it tells cannot be kept.
    """
    here, images = school.here, school.images
    frames = here.together(lambda: _frames(school))
    found = here.together(lambda: sources(school.teachers, images.labels, school.channels, frames))
    facts = (VERSION, [one.key for one in found], images.digest(school.root), school.seed)
    key = hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
    file = school.folder / f"lessons-{key}.safetensors"
    known = here.together(lambda: _read(file, images) if here.first else None)
    if here.agree(known is not None):
        lessons = here.agree(known)
    else:
        told = [_asked(school, one, frames, key) for one in found]
        lessons = here.agree(here.together(lambda: _combined(school, found, told, file) if here.first else None))
        school.here.together(lambda: _clean(school, key))
    assert lessons is not None
    return lessons


def _frames(school: School) -> Frames:
    """Some of the training pictures as they are."""
    items = school.images.train.items
    chosen = sample(len(items), CALIBRATION.images, school.seed)
    return Frames([items[index].path for index in chosen], school.channels, Turns())


def _asked(school: School, source: Source, frames: Sequence[Pixels], key: str) -> Told | None:
    """What one teacher tells, and how good it is; in the first process."""
    here, images = school.here, school.images
    threads = max(1, torch.get_num_threads())
    if source.said:
        school.reporter.notice(f"{source.name}: {source.said}")
    school.reporter.notice(f"making the teacher {source.name} ready")
    teacher = here.together(lambda: source.open(frames, threads))
    stem = f"numbers-{key}-{hashlib.sha256(source.key.encode()).hexdigest()[:8]}"
    try:
        train, validation = (
            _numbers(school, teacher, items, f"{stem}-{split}", threads)
            for split, items in (("train", images.train.items), ("validation", images.validation.items))
        )
    finally:
        teacher.close()
    told = here.together(lambda: _told(school, teacher, train, validation) if here.first else None)
    if told is not None:
        figures = _figures(told.validation, images.validation.labels)
        school.reporter.notice(f"teacher {teacher.name} ({teacher.about}): {_sentence(figures)}")
    return told


def _numbers(school: School, teacher: Teacher, items: Sequence[Item], stem: str, threads: int) -> Halves:
    """What a teacher says of pictures, shared among the processes; in all of them."""
    here, reporter = school.here, school.reporter
    place = school.folder if school.folder.is_dir() else Path(tempfile.gettempdir())
    own = [items[row] for row in rows_of(here.rank, here.size, len(items))]
    reporter.begin(f"asking {Path(teacher.name).name}", len(own))

    def advance(rows: int) -> None:
        for _ in range(rows):
            reporter.advance()

    try:
        file = place / f"{stem}-{here.rank}of{here.size}.part"
        found = here.together(lambda: numbers(teacher, own, file, threads, advance))
    finally:
        reporter.end()
    if here.size == 1:
        return found
    whole = np.empty((len(items), *found.shape[1:]), dtype=np.float16)
    for rank, part in enumerate(here.gather(np.array(found))):
        whole[rows_of(rank, here.size, len(items))] = part
    return whole


def _told(school: School, teacher: Teacher, train: Halves, validation: Halves) -> Told:
    images, reporter = school.images, school.reporter
    if teacher.labels:
        order = [teacher.labels.index(label) for label in images.labels]
        return answers(train[:, :, order], validation[:, :, order])
    reporter.begin(f"fitting heads for {Path(teacher.name).name}", FOLDS * PASSES)
    try:
        return fit_heads(
            train,
            images.train.labels,
            validation,
            folds(school.names(images.train.items)),
            classes=len(images.labels),
            seed=school.seed,
            tick=reporter.advance,
        )
    finally:
        reporter.end()


def _combined(school: School, found: Sequence[Source], told: Sequence[Told | None], file: Path) -> Lessons:
    """The mean of what all tell, written to `file`; says how good it is."""
    there = [one for one in told if one is not None]
    truth = school.images.validation.labels
    validation = mean_of(torch.stack([one.validation for one in there]), 0)
    figures = {"teachers": [source.name for source in found], **_figures(validation, truth)}
    if len(there) > 1:
        school.reporter.notice(f"their mean: {_sentence(figures)}")
    logarithms = mean_of(torch.stack([one.train for one in there]), 0).numpy().astype(np.float16)
    lessons = Lessons(logarithms=logarithms, figures=figures)
    _write(file, lessons)
    return lessons


def _figures(logarithms: Tensor, truth: Any) -> dict[str, float]:
    """How right and how honest answers (M, classes) are."""
    probabilities = logarithms.double().exp().numpy()
    right = probabilities.argmax(1) == truth
    error = calibration_error(reliability(probabilities.max(1), right))
    return {"top1": float(right.mean()), "log_loss": log_loss(probabilities, truth), "calibration_error": error}


def _sentence(figures: dict[str, Any]) -> str:
    return (
        f"validation top-1 {figures['top1']:.2%}, log loss {figures['log_loss']:.2f}, calibration error"
        f" {figures['calibration_error']:.1%}"
    )


def _write(file: Path, lessons: Lessons) -> None:
    content = to_bytes({LOGARITHMS: lessons.logarithms}, metadata={FIGURES: json.dumps(lessons.figures)})
    fresh = file.with_name(f".{file.name}.new")
    try:
        fresh.write_bytes(content)
        fresh.replace(file)
    except OSError as problem:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise Refused(f"{file}: cannot be written ({problem.strerror}); free some space") from None


def _read(file: Path, images: Images) -> Lessons | None:
    """What was kept, or None where nothing was.

    Raises: Refused, when it is damaged.
    """
    if not file.is_file():
        return None
    try:
        with safe_open(file, framework="numpy") as kept:
            lessons = Lessons(logarithms=kept.get_tensor(LOGARITHMS), figures=json.loads(kept.metadata()[FIGURES]))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        raise Refused(f"{file}: damaged; remove it, and the teachers are asked again") from None
    if lessons.logarithms.shape != (len(images.train), len(images.labels)):
        raise Refused(f"{file}: is of other pictures; remove it, and the teachers are asked again")
    return lessons


def _clean(school: School, key: str) -> None:
    """Remove what the lessons were made of, in this process's part."""
    place = school.folder if school.folder.is_dir() else Path(tempfile.gettempdir())
    here = school.here
    for part in place.glob(f"numbers-{key}-*-{here.rank}of{here.size}.part"):
        with contextlib.suppress(OSError):
            part.unlink()
