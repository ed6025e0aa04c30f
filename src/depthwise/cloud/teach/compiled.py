"""A teacher that is an artifact: one that the user has, or one that is compiled of a model for this machine."""

from __future__ import annotations

import hashlib
import queue
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from depthwise.beside import work_folder
from depthwise.cloud.teach.teacher import VIEWS, Floats, Pixels, mirrored
from depthwise.compiler.compile import compile_model
from depthwise.edge.artifact import Artifact
from depthwise.network.model import Model
from depthwise.network.quantized import ARRAYS, NUMBERS, QuantizedModel

# Probabilities below this are taken for it: smaller than a float16 can hold, and far from mattering.
LEAST = 1e-7


class CompiledTeacher:
    """An artifact that looks at pictures; each thread that calls it gets a copy of its own.

    Args:
        name: what the user called it.
        file: the artifact.
        key, about, labels: as `Teacher` says; with labels it answers, without it gives features.
        threads: how many may call it at the same time.
    Raises: Refused, when the file is no artifact for this machine.
    """

    def __init__(
        self, name: str, file: Path, *, key: str, about: str, labels: tuple[str, ...] = (), threads: int = 1
    ) -> None:
        self.name, self.key, self.about, self.labels = name, key, about, labels
        self._free: queue.SimpleQueue[Artifact] = queue.SimpleQueue()
        self._all = [Artifact.open(file) for _ in range(max(1, threads))]
        for one in self._all:
            self._free.put(one)
        self.width = len(labels) if labels else self._all[0].feature_count
        self.channels = self._all[0].input_shape[2]

    def look(self, frames: Sequence[Pixels]) -> Floats:
        """(B, VIEWS, width) numbers of decoded pictures (H, W, channels) of any size."""
        out = np.empty((len(frames), VIEWS, self.width), dtype=np.float32)
        artifact = self._free.get()
        try:
            ask = artifact.run if self.labels else artifact.features
            for place, frame in enumerate(frames):
                pixels = artifact.prepare(frame)
                out[place] = ask(pixels), ask(mirrored(pixels))
        finally:
            self._free.put(artifact)
        return np.log(out.clip(LEAST)) if self.labels else out

    def close(self) -> None:
        """Unload all copies."""
        for one in self._all:
            one.close()


def at_side(model: Model, side: int) -> Model:
    """The model for whole pictures of another side: the shorter side becomes it, and nothing but the middle is cut."""
    whole = replace(model.preprocessing, resize=side, crop=side)
    return model.replace(spec=replace(model.spec, resolution=side), preprocessing=whole)


def compiled(model: Model | QuantizedModel, name: str, *, about: str, features: bool, threads: int) -> CompiledTeacher:
    """A teacher of a model, compiled for this machine into a file that goes with the call.

    Raises: Refused, when it cannot be compiled here.
    """
    with work_folder() as folder:
        file = folder / "teacher.so"
        compile_model(model, target="host", out=file, threads=1)
        labels = () if features else model.labels
        return CompiledTeacher(name, file, key=key_of(model), about=about, labels=labels, threads=threads)


def key_of(model: Model | QuantizedModel) -> str:
    """A text that differs where the model's answers could."""
    found = hashlib.sha256(repr((model.spec, model.preprocessing, model.labels)).encode())
    if isinstance(model, Model):
        for name, array in sorted(model.weights.items()):
            found.update(name.encode() + np.ascontiguousarray(array).tobytes())
        return found.hexdigest()
    for name, layer in sorted(model.layers.items()):
        found.update(f"{name} {[getattr(layer, field) for field in NUMBERS]}".encode())
        for kind in ARRAYS:
            found.update(np.ascontiguousarray(getattr(layer, kind)).tobytes())
    return found.hexdigest()
