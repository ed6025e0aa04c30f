"""Our own artifact, through the file that `depthwise compile` writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from depthwise.bench.peers import Floats, Pixels, Setting
from depthwise.errors import Refused

if TYPE_CHECKING:
    from depthwise.network.model import Model
    from depthwise.network.quantized import QuantizedModel


# Without the channels that provably never change, or with them, as all peers compute them.
LIVE, ALL = "live channels", "all channels"


def forms(precision: str) -> tuple[str, ...]:
    """What the compiler makes of float32 and int8."""
    return (LIVE, ALL) if precision in ("float32", "int8") else ()


def write(model: Model | QuantizedModel, form: str, folder: Path) -> Path:
    """Compile for this machine."""
    from depthwise.compiler import compile_model

    out = folder / f"{form.split()[0]}.so"
    compile_model(model, target="host", out=out, keep_dead=form == ALL)
    return out


def load(path: Path, setting: Setting) -> Loaded:
    """Open the artifact.

    Raises: Refused, when it cannot run on so many threads.
    """
    if setting.threads != 1:
        raise Refused(f"an artifact runs on one thread, not on {setting.threads}")
    return Loaded(path)


class Loaded:
    """An artifact that takes bytes as they are, called through ctypes as every caller from Python does."""

    def __init__(self, path: Path) -> None:
        from depthwise.edge.artifact import Artifact

        self._artifact = Artifact.open(path)
        self._pixels: Pixels = np.zeros(self._artifact.input_shape, np.uint8)
        self._answer: Floats = np.zeros(len(self._artifact.labels), np.float32)

    def convert(self, pixels: Pixels) -> None:
        """Nothing: normalisation is in the first kernel."""
        self._pixels = pixels

    def run(self) -> None:
        """One call."""
        self._answer = self._artifact.run(self._pixels)

    def answer(self) -> Floats:
        """As it was given."""
        return self._answer
