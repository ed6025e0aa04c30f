"""Our own artifact, through the file that `depthwise compile` writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from depthwise.bench.peers import Floats, Form, Pixels, Setting

if TYPE_CHECKING:
    from depthwise.network.model import Model
    from depthwise.network.quantized import QuantizedModel

# The network without the channels that provably never change, and with them, as all peers compute them.
FORMS = (
    Form(name="live channels", precision="float32", keep_dead=False),
    Form(name="all channels", precision="float32", keep_dead=True),
    Form(name="live channels in bf16", precision="bf16", keep_dead=False),
    Form(name="all channels in bf16", precision="bf16", keep_dead=True),
    Form(name="live channels", precision="int8", keep_dead=False),
    Form(name="all channels", precision="int8", keep_dead=True),
)
# Where an arena may begin (depthwise.h).
_ALIGNMENT = 64


def write(model: Model | QuantizedModel, form: Form, folder: Path) -> Path:
    """Compile for this machine."""
    return compiled(model, form, folder / "artifact.so")


def compiled(model: Model | QuantizedModel, form: Form, out: Path, *, strassen: bool = True) -> Path:
    """The artifact of a form."""
    from depthwise.compiler import compile_model

    keep_dead = bool(form.keep_dead)
    compile_model(model, target="host", out=out, keep_dead=keep_dead, strassen=strassen, precision=form.precision)
    return out


def load(path: Path, setting: Setting) -> Loaded:
    """Open the artifact.

    Raises: Refused, when it cannot run on so many threads.
    """
    return Loaded(path, setting.threads)


class Loaded:
    """An artifact whose buffers are bound once, as those of the peers are."""

    def __init__(self, path: Path, threads: int) -> None:
        from depthwise.edge.library import Library
        from depthwise.edge.trailer import checked_copy

        copy, _ = checked_copy(path)
        self._library = Library(copy, str(path))
        self._library.set_threads(threads)
        self._answer: Floats = np.zeros(self._library.get("dw_label_count"), np.float32)
        memory = np.empty(self._library.get("dw_arena_bytes") + _ALIGNMENT, np.uint8)
        self._arena: Pixels = memory[-memory.ctypes.data % _ALIGNMENT :]
        self._buffers = (self._answer.ctypes.data, self._arena.ctypes.data)
        self._pixels: Pixels = np.zeros(0, np.uint8)
        self._address = 0

    def convert(self, pixels: Pixels) -> None:
        """No copy: normalisation is in the first kernel."""
        if pixels is not self._pixels:
            self._pixels, self._address = pixels, pixels.ctypes.data

    def run(self) -> None:
        """One call."""
        self._library.call("dw_run", self._address, *self._buffers)

    def answer(self) -> Floats:
        """As it was given."""
        return self._answer.copy()
