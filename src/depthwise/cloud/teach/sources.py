"""What a teacher is made of, told by its name: a model, an artifact, or a function of torch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from depthwise.cloud.teach.compiled import CompiledTeacher, at_side, compiled, key_of
from depthwise.cloud.teach.function import FUNCTION, FunctionTeacher
from depthwise.cloud.teach.teacher import Pixels, Teacher
from depthwise.data.store import square
from depthwise.edge.artifact import Artifact
from depthwise.errors import Refused
from depthwise.files import open_file
from depthwise.interop.formats import SUFFIXES, read
from depthwise.interop.names import best
from depthwise.interop.said import assumed, said
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.quantize.options import Options
from depthwise.quantize.quantize import quantize
from depthwise.shipped import model_folder

# Pictures of less than this share of a network's side count as small. They are shown to it at 5/7 of its side, rounded
# up to whole strides: on pictures of 64 pixels that was right more often, in half of the time (docs/training.md).
SMALL, SMALL_SIDE, STRIDE = 0.5, 5 / 7, 32
# How features are quantised: quickly, since a head that is fitted on them makes up for what is lost.
CALIBRATION = Options(images=48, ranges="squared", rounding="nearest")
# What --pretrained has names for: the network that ships, and the widest of the published ones.
_NAMED = {"shipped": lambda: str(model_folder()), "imagenet": lambda: best(1.0, 224)}
_LIBRARIES = (".so", ".dylib", ".dll")


class Source(Protocol):
    """A teacher before it is made, which may take a minute."""

    @property
    def name(self) -> str:
        """What the user called it."""

    @property
    def key(self) -> str:
        """A text that differs where its numbers could; known at once, so that numbers of before are found again."""

    @property
    def said(self) -> str:
        """What it takes pictures for, where it is of another program's file; else ""."""

    def open(self, frames: Sequence[Pixels], threads: int) -> Teacher:
        """Make it.

        Args:
            frames: training pictures to calibrate with.
            threads: how many may call it at the same time.
        """


def sources(text: str, labels: tuple[str, ...], channels: int, frames: Sequence[Pixels]) -> tuple[Source, ...]:
    """The teachers of an option, their names with commas between.

    Args:
        labels, channels: of the student.
        frames: some of the training pictures, by which the side is chosen.
    Raises: Refused, when one is not there, is damaged, is for another machine, or takes other pictures.
    """
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise Refused(f"--distill {text!r} has an empty name in it; give the teachers with commas between")
    return tuple(_source(name, labels, channels, frames) for name in names)


def _source(name: str, labels: tuple[str, ...], channels: int, frames: Sequence[Pixels]) -> Source:
    if name in _NAMED:
        return _of_model(name, _NAMED[name](), labels, channels, frames)
    path = Path(name)
    if FUNCTION.fullmatch(name) and not path.exists():
        teacher = FunctionTeacher(name, labels)
        _check_channels(name, teacher.channels, channels)
        return teacher
    if path.suffix.lower() in _LIBRARIES or (path.is_file() and path.suffix.lower() not in SUFFIXES):
        return _artifact(name, path, labels, channels)
    return _of_model(name, name, labels, channels, frames)


@dataclass(frozen=True)
class _OfArtifact:
    """An artifact that the user has, which sees pictures as it always does."""

    name: str
    path: Path
    key: str
    labels: tuple[str, ...]
    said: str = ""

    def open(self, frames: Sequence[Pixels], threads: int) -> Teacher:
        with Artifact.open(self.path) as artifact:
            side = artifact.input_shape[0]
        about = f"{_how(self.labels)} at {side} px"
        return CompiledTeacher(self.name, self.path, key=self.key, about=about, labels=self.labels, threads=threads)


def _artifact(name: str, path: Path, labels: tuple[str, ...], channels: int) -> _OfArtifact:
    with Artifact.open(path) as artifact:
        _check_channels(name, artifact.input_shape[2], channels)
        answers = artifact.labels if same_classes(artifact.labels, labels) else ()
    digest = hashlib.sha256()
    with open_file(path) as file:
        while part := file.read(2**20):
            digest.update(part)
    return _OfArtifact(name, path, f"artifact {digest.hexdigest()} {answers}", answers)


@dataclass(frozen=True, eq=False)
class _OfModel:
    """A model folder, a file that `convert` reads, or published weights by name."""

    name: str
    model: Model | QuantizedModel
    key: str
    features: bool

    @property
    def said(self) -> str:
        """Its line of pixels; other ones are given when the file is converted first."""
        line = said(self.model)
        return f"{line} of `depthwise convert`" if assumed(self.model) else line

    def open(self, frames: Sequence[Pixels], threads: int) -> Teacher:
        about = f"{_how(() if self.features else self.model.labels)} at {self.model.spec.resolution} px"
        ready = self.model
        if self.features and isinstance(ready, Model):
            pixels = np.stack([square(frame, ready.preprocessing) for frame in frames])
            ready = quantize(ready, pixels, replace(CALIBRATION, images=max(8, len(pixels)))).model
        return compiled(ready, self.name, about=about, features=self.features, threads=threads)


def _of_model(name: str, source: str, labels: tuple[str, ...], channels: int, frames: Sequence[Pixels]) -> _OfModel:
    try:
        model = read(source)
    except Refused as refusal:
        raise Refused(f"--distill: {refusal}") from None
    _check_channels(name, model.spec.channels, channels)
    features = not same_classes(model.labels, labels)
    if features and isinstance(model, Model):
        model = at_side(model, side_for(model)) if _small(model, frames) else model
    return _OfModel(name, model, f"model {key_of(model)} {features}", features)


def same_classes(own: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether a network answers for the very classes of the student, in whatever order.

    One that knows more classes is asked for features: the answers of networks of 1,001 classes for 200 of them were
    right for 46% of pictures where a head on their features was right for 60% (docs/training.md).
    """
    return set(own) == set(wanted)


def _small(model: Model, frames: Sequence[Pixels]) -> bool:
    sides = [min(frame.shape[:2]) for frame in frames]
    return float(np.median(sides)) < SMALL * model.spec.resolution


def side_for(model: Model) -> int:
    """The side at which a network looks at small pictures."""
    wanted = SMALL_SIDE * model.spec.resolution
    return min(model.spec.resolution, -(-int(wanted) // STRIDE) * STRIDE)


def _how(labels: tuple[str, ...]) -> str:
    return f"its answers for {len(labels)} classes" if labels else "a head on its features"


def _check_channels(name: str, own: int, wanted: int) -> None:
    if own != wanted:
        kinds = {1: "grey pictures", 3: "pictures in colour"}
        raise Refused(
            f"--distill {name}: takes {kinds.get(own, f'{own} channels')}, and the network to train"
            f" {kinds.get(wanted, f'{wanted} channels')}; give another teacher, or the same --channels"
        )
