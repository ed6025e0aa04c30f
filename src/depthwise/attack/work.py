"""Parts of the work: what one process is given, and what it gives back; as plain arrays, so that both can be kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from depthwise.attack.budget import Images
from depthwise.attack.draws import Draws
from depthwise.attack.frame import Audit, attacked
from depthwise.attack.plan import Stage
from depthwise.attack.subject import Ints, Subject, answers
from depthwise.attack.target import Target

# Of a result, by name; all can be written by numpy.
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Some images, and the attack that they are for; none to ask all forms of the network about them.

    Attributes:
        name: by which its result is kept.
        numbers: of the images, which their draws depend on.
    """

    name: str
    images: Images
    labels: Ints
    numbers: tuple[int, ...]
    seed: int
    stage: Stage | None = None


class Workers(Protocol):
    """Who carries parts out: this process, or several."""

    @property
    def processes(self) -> int:
        """How many parts are worked on at a time."""

    def results(self, parts: Iterable[Part]) -> Iterator[Arrays]:
        """In the order of the parts."""


class Here:
    """This process."""

    processes = 1

    def __init__(self, target: Target) -> None:
        self._target = target

    def results(self, parts: Iterable[Part]) -> Iterator[Arrays]:
        """One after the other."""
        for part in parts:
            yield perform(self._target, part)


def perform(target: Target, part: Part) -> Arrays:
    """Carry one part out."""
    return _look(target, part) if part.stage is None else _attack(target, part, part.stage)


def _look(target: Target, part: Part) -> Arrays:
    """What every form says of the images, whether twice the same, and where gradients are none."""
    found: Arrays = {}
    for one in target.subjects:
        scores = one.scores(part.images)
        found[f"said {one.name}"] = answers(scores)
        found[f"unsteady {one.name}"] = np.array((scores != one.scores(part.images)).any(axis=1).sum())
        if one is target.judge:
            found["sure"] = _sureness(scores)
    for one in target.sources:
        found[f"flat {one.name}"], found[f"zeros {one.name}"] = _flatness(one, part)
    return found


def _sureness(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) the likeliest label's probability; logarithms of probabilities are logits too."""
    shares = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
    return np.asarray(1 / shares.sum(axis=1), np.float32)


def _flatness(source: Subject, part: Part) -> tuple[NDArray[Any], NDArray[Any]]:
    """How many images have no gradient, and the share of its elements that are exactly 0."""
    from depthwise.attack.gradient.losses import log_odds
    from depthwise.attack.gradient.network import without_gradient
    from depthwise.attack.gradient.steps import tensors

    assert source.network is not None
    x, labels = tensors(source.network, part.images, part.labels)
    flat, zeros = without_gradient(source.network, x, labels, log_odds)
    return np.array(flat), np.array(zeros * len(part.labels))


def _attack(target: Target, part: Part, stage: Stage) -> Arrays:
    source = target.source(stage.source)
    draws = Draws(part.seed, part.numbers)
    found = attacked(stage.attack, source, part.images, part.labels, draws, judge=target.judge)
    judged = found.images.astype(np.uint8) if stage.attack.budget.whole else found.images
    audit = found.audit
    return {
        "images": judged,
        "said": found.said,
        "sizes": found.sizes,
        "counts": found.counts,
        "until": found.until,
        "sure": _sureness(target.judge.scores(judged)),
        # What the other forms say of the same images: an int8 twin must say what its artifact does.
        **{f"said {one.name}": answers(one.scores(judged)) for one in target.subjects if one is not target.judge},
        "audit": np.array(
            [audit.largest, audit.allowed, audit.not_finite, audit.beyond, audit.least, audit.most], np.float64
        ),
    }


def audit_of(result: Arrays) -> Audit:
    """The audit in a result."""
    largest, allowed, not_finite, beyond, least, most = result["audit"].tolist()
    return Audit(
        largest=largest, allowed=allowed, not_finite=int(not_finite), beyond=int(beyond), least=least, most=most
    )
