"""What surrounds every attack and what no attack may override: the budget, the verdict, and the audit.

An algorithm does not grade itself. It proposes images; here they are clipped, the subject is asked again, and what was
asked is counted by a line of code that the algorithm does not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from depthwise.attack.budget import LEVELS, TOLERANCE, Budget, Doubles, Floats, Images
from depthwise.attack.draws import Draws
from depthwise.attack.subject import Ints, Subject, answers

Bools = NDArray[np.bool_]


class Attack(Protocol):
    """A frozen record of settings, called with a model, images and labels."""

    @property
    def name(self) -> str:
        """Of the algorithm, for reports: "apgd-ce"."""

    @property
    def budget(self) -> Budget:
        """What it may change."""

    @property
    def asks(self) -> bool:
        """Whether it only asks, and needs no gradient."""

    def __call__(self, model: Asked, images: Images, labels: Ints, draws: Draws) -> Images:
        """Changed images (N, H, W, C) in levels: a proposal, which `attacked` clips and judges."""


class Asked:
    """A subject that counts how often it is asked about each image, and sees for itself when an answer is wrong.

    Attributes:
        counts: (N,) questions about each image.
        until: (N,) how many it took until the first wrong answer; 0 where there was none.
    """

    def __init__(self, subject: Subject, labels: Ints) -> None:
        self._subject, self._labels = subject, labels
        self.network = subject.network
        self.counts = np.zeros(len(labels), np.int64)
        self.until = np.zeros(len(labels), np.int64)

    def scores(self, images: Images, which: Ints) -> Floats:
        """(M, K) of M images, each a changed form of the image whose place `which` (M,) says; no place twice."""
        found = self._subject.scores(images)
        self.counts[which] += 1
        fresh = which[(answers(found) != self._labels[which]) & (self.until[which] == 0)]
        self.until[fresh] = self.counts[fresh]
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Verdict:
    """What one attack did to N images.

    Attributes:
        images: (N, H, W, C) after clipping.
        said: (N,) the judge's answers for them.
        fooled: (N,) whether they are wrong.
        sizes: (N,) how far they were changed, in units of eps.
        counts, until: (N,) questions asked, and asked until the first wrong answer (0 for none).
        audit: what was wrong with the proposal, and what the clipped images are.
    """

    images: Floats
    said: Ints
    fooled: Bools
    sizes: Doubles
    counts: Ints
    until: Ints
    audit: Audit


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What was found by measuring the images of an attack again.

    Attributes:
        largest: change of an image after clipping, in units of eps.
        allowed: the bound.
        not_finite: values of the proposal that are no numbers.
        beyond: images of the proposal that left the budget or the range of pixels and were clipped.
        least, most: of all pixels after clipping, in levels.
    """

    largest: float = 0.0
    allowed: float = 0.0
    not_finite: int = 0
    beyond: int = 0
    least: float = 0.0
    most: float = float(LEVELS)

    @property
    def faults(self) -> tuple[str, ...]:
        """What makes the figures wrong, a sentence each; nothing should ever be here."""
        found = []
        if self.largest > self.allowed + TOLERANCE / LEVELS:
            found.append(f"an image was changed by {self.largest:.6g}, and {self.allowed:.6g} is allowed")
        if self.not_finite:
            found.append(f"an attack proposed {self.not_finite:,} values that are no numbers")
        if self.least < 0 or self.most > LEVELS:
            found.append(f"pixels go from {self.least:g} to {self.most:g}, and 0 to {LEVELS} are valid")
        return tuple(found)

    def joined(self, other: Audit) -> Audit:
        """Of both together."""
        return Audit(
            largest=max(self.largest, other.largest),
            allowed=max(self.allowed, other.allowed),
            not_finite=self.not_finite + other.not_finite,
            beyond=self.beyond + other.beyond,
            least=min(self.least, other.least),
            most=max(self.most, other.most),
        )

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return dict(vars(self))


def attacked(
    attack: Attack, subject: Subject, images: Images, labels: Ints, draws: Draws, *, judge: Subject | None = None
) -> Verdict:
    """Carry an attack out, clip what it proposes, and let the model say what it is now.

    Args:
        subject: what the attack works on.
        images: (N, H, W, C) in levels.
        labels: (N,) right labels.
        judge: whose answer counts; None for the subject's own.
    """
    asked = Asked(subject, labels)
    proposed = attack(asked, images, labels, draws)
    budget = attack.budget
    changed = budget.clip(images, proposed)
    said = answers((judge or subject).scores(_as_given(budget, changed)))
    sizes = budget.size(images, changed)
    return Verdict(
        images=changed,
        said=said,
        fooled=said != labels,
        sizes=sizes,
        counts=asked.counts,
        until=asked.until,
        audit=_audit(budget, images, proposed, changed, sizes),
    )


def _as_given(budget: Budget, changed: Floats) -> Images:
    """Bytes, where a device gets bytes."""
    return changed.astype(np.uint8) if budget.whole else changed


def _audit(budget: Budget, images: Images, proposed: Images, changed: Floats, sizes: Doubles) -> Audit:
    """Measured by lines of their own, not by what `clip` did."""
    if not len(images):
        return Audit()
    moved = np.abs(np.nan_to_num(proposed).astype(np.float64) - changed).reshape(len(images), -1).max(axis=1)
    return Audit(
        largest=float(sizes.max()),
        allowed=budget.radius / LEVELS,
        not_finite=int((~np.isfinite(proposed)).sum()),
        # Rounding to a whole level moves a pixel by half of one.
        beyond=int((moved > (0.5 if budget.whole else 0) + TOLERANCE).sum()),
        least=float(changed.min()),
        most=float(changed.max()),
    )
