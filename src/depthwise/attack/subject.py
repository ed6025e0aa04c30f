"""What can be attacked: anything that answers for images, and, where it can, says how its answer changes with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from depthwise.attack.budget import Floats, Images

if TYPE_CHECKING:
    from depthwise.attack.gradient.network import Differentiable
    from depthwise.edge.artifact import Artifact

Ints = NDArray[np.int64]
# Images that go through a network of torch together, never more and never fewer: how sums are ordered depends on it,
# and so do their last bits. What is left of the last group is filled up.
GROUP = 32
# The least probability that counts, the smallest normal float32; below it artifacts give 0.
LEAST = float(np.finfo(np.float32).tiny)


class Subject(Protocol):
    """What is attacked: a float model, an int8 model, a compiled artifact."""

    @property
    def name(self) -> str:
        """What it is, for a report: "float", "int8", "artifact"."""

    @property
    def network(self) -> Differentiable | None:
        """Where gradients come from; None of what can only be asked."""

    def scores(self, images: Images) -> Floats:
        """(N, K) logits, or logarithms of probabilities, of images (N, H, W, C)."""


def answers(scores: Floats) -> Ints:
    """(N,) the label that is said: of the largest score, and of equal ones the first."""
    return np.asarray(scores.argmax(axis=1), np.int64)


def margins(scores: Floats, labels: Ints) -> Floats:
    """(N,) the right label's score less the largest other one."""
    rows = np.arange(len(scores))
    others = scores.copy()
    others[rows, labels] = -np.inf
    return np.asarray(scores[rows, labels] - others.max(axis=1), np.float32)


class ArtifactSubject:
    """A compiled artifact. It takes whole bytes, and is asked one image after the other, as a device asks it."""

    name = "artifact"
    network = None

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact

    def scores(self, images: Images) -> Floats:
        """Logarithms of probabilities."""
        found = self._artifact.run_all(np.ascontiguousarray(images, np.uint8))
        return np.log(np.maximum(found, LEAST, out=found), out=found)


class FunctionSubject:
    """Any function of images; where it is a network of torch, `network` is what gives gradients."""

    def __init__(self, name: str, function: Callable[[Images], Floats], network: Differentiable | None = None) -> None:
        self.name, self.network = name, network
        self._function = function

    def scores(self, images: Images) -> Floats:
        """What the function says."""
        return self._function(images)
