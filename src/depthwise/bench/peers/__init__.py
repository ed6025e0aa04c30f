"""The contenders: one file each, all with the forms and functions that `Peer` lists.

A file of a peer is read in two processes. The conductor calls `write` (which needs the packages of interop), the worker
calls `load`, and imports nothing of ours but this package, so that first answers and memory are the peer's own.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from depthwise.network.model import Model
    from depthwise.network.quantized import QuantizedModel
    from depthwise.precision import Precision

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

# The artifact itself, the first of the contenders.
OWN = "depthwise"
# The same with plain matrix products, which is no peer.
PLAIN = "no-strassen"
# The modules of both in this folder.
OURS = {OWN: "artifact", PLAIN: "plain"}
# The module of each peer in this folder, and the module and the distribution that it needs.
NAMES: dict[str, tuple[str, str]] = {
    "onnxruntime": ("onnxruntime", "onnxruntime"),
    "openvino": ("openvino", "openvino"),
    "litert": ("ai_edge_litert", "ai-edge-litert"),
    "ncnn": ("ncnn", "ncnn"),
}


@dataclass(frozen=True, kw_only=True)
class Form:
    """A way to give a network to a contender.

    Attributes:
        name: what tables call it.
        precision: of the network.
        keep_dead: whether channels are computed that provably never change; None where there is no choice, as all are.
    """

    name: str
    precision: Precision
    keep_dead: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How a worker is to run a network.

    Attributes:
        precision: float32, bf16 or int8.
        threads: how many may compute.
        mean: what is taken off a pixel, one number a channel; its scale is in the first layer's weights.
    """

    precision: Precision
    threads: int
    mean: tuple[float, ...]


class Runner(Protocol):
    """A network that is loaded. Buffers are made once, so that a call does no more than it must."""

    def convert(self, pixels: Pixels) -> None:
        """Bring (H, W, C) bytes into the form that the peer takes, where the network does not do that itself."""

    def run(self) -> None:
        """Compute the probabilities of what was converted."""

    def answer(self) -> Floats:
        """(classes,) probabilities of the last run."""


class Peer(Protocol):
    """A file of this folder.

    Attributes:
        FORMS: in which the contender can have a network. Of several of a precision the best is measured.
    """

    FORMS: tuple[Form, ...]

    def write(self, model: Model | QuantizedModel, form: Form, folder: Path) -> Path:
        """Write the network; refuses what the form cannot say."""

    def load(self, path: Path, setting: Setting) -> Runner:
        """Load what `write` wrote."""


def peer(name: str) -> Peer:
    """The contender of a name."""
    module: Any = importlib.import_module(f"depthwise.bench.peers.{OURS.get(name, name)}")
    return cast(Peer, module)


def forms(name: str, precision: Precision, *, keep_dead: bool) -> tuple[Form, ...]:
    """The forms in which a contender can have a network, or none."""
    return tuple(
        form for form in peer(name).FORMS if form.precision == precision and form.keep_dead in (None, keep_dead)
    )


def is_installed(name: str) -> bool:
    """Whether what a peer needs is there."""
    from importlib.util import find_spec

    return name in OURS or find_spec(NAMES[name][0]) is not None


def version(name: str) -> str:
    """The version of a peer."""
    # Here, as it is slow to import and workers do without.
    from importlib import metadata

    return metadata.version(OWN if name in OURS else NAMES[name][1])


def runtime_bytes(name: str) -> int:
    """Bytes of the files that a peer's distribution installed; 0 for an artifact, which needs none to run."""
    if name in OURS:
        return 0
    from importlib import metadata

    files = metadata.files(NAMES[name][1]) or []
    places = [Path(str(file.locate())) for file in files]
    return sum(place.stat().st_size for place in places if place.is_file())


def setting_of(fields: Mapping[str, Any]) -> Setting:
    """The setting that `dataclasses.asdict` turned into JSON values."""
    return Setting(**{**fields, "mean": tuple(fields["mean"])})
