"""All that an attack found, as one record; the table, the document and the page are made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.attack.budget import Floats, Images
from depthwise.attack.frame import Audit
from depthwise.attack.plan import Settings, Stage, rungs
from depthwise.attack.subject import Ints
from depthwise.attack.work import Arrays
from depthwise.evaluate.metrics import Share

# A share of images that attacks without gradients fool beyond the others, from which on gradients are taken for masked.
MASKED = 0.02


@dataclass(frozen=True, kw_only=True)
class StageFindings:
    """One attack on one form.

    Attributes:
        images: that still stood before it.
        fooled: of these, after it.
        questions: asked by attacks that only ask.
        seconds: on the clock; what was kept from before costs none.
    """

    stage: Stage
    images: int
    fooled: int
    questions: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class ClassRobustness:
    """One class, or all.

    Attributes:
        clean: right answers of the judge, `beside` of each other form of the network.
        robust: right answers that no attack changed.
    """

    label: int
    images: int
    clean: int
    robust: int
    beside: dict[str, int]


@dataclass(kw_only=True, eq=False)
class Findings:
    """What is known of N images; `note` adds to it while attacks go on.

    Attributes:
        images: (N, H, W, C) as they were.
        labels: (N,) right labels.
        said: (N,) answers of each form for the clean images, by its name.
        sure: (N,) the judge's probability of its answer for them.
        unsteady: how many images each form answered differently when asked twice.
        flat: of each source, images without a gradient, and the share of its elements that are 0, summed over images.
        changed, changed_said, changed_sure: the images that fooled the judge at eps, its answers for them, and how sure
            it was; where none did, the originals.
        by: (N,) place of the stage that fooled; -1 for none.
        smallest: (N,) smallest change known that fools, in units of eps; infinite where none is known.
        until: (N,) questions until the first wrong answer, of attacks that only ask and stay within eps; 0 for none.
        differing: images for which the int8 twin and the artifact gave other answers.
    """

    settings: Settings
    judge: str
    sources: tuple[str, ...]
    images: Images
    labels: Ints
    said: dict[str, Ints]
    sure: Floats | Ints
    unsteady: dict[str, float]
    flat: dict[str, tuple[int, float]]
    stages: list[StageFindings] = field(default_factory=list)
    audit: Audit = field(default_factory=Audit)
    differing: int = 0
    changed: NDArray[Any] = field(init=False)
    changed_said: Ints = field(init=False)
    changed_sure: NDArray[np.float32] = field(init=False)
    by: Ints = field(init=False)
    smallest: NDArray[np.float64] = field(init=False)
    until: Ints = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.labels)
        kind = np.uint8 if self.settings.budget.whole else np.float32
        self.changed = self.images.astype(kind)
        self.changed_said = self.said[self.judge].copy()
        self.changed_sure = np.array(self.sure, np.float32)
        self.by = np.full(count, -1, np.int64)
        self.smallest = np.where(self.right, np.inf, 0.0)
        self.until = np.zeros(count, np.int64)

    @property
    def right(self) -> NDArray[np.bool_]:
        """(N,) whether the clean image is answered rightly."""
        return np.asarray(self.said[self.judge] == self.labels)

    @property
    def robust(self) -> NDArray[np.bool_]:
        """(N,) whether it is, and no attack at eps changed that."""
        return np.asarray(self.right & (self.by < 0))

    @property
    def standing(self) -> Ints:
        """Places of the robust images."""
        return np.flatnonzero(self.robust)

    def standing_at(self, eps: float) -> Ints:
        """Places of the images that nothing known fools within another bound."""
        return np.flatnonzero(self.smallest > eps + 1e-9)

    def note(self, rows: Ints, fell: NDArray[np.bool_], stage: Stage, result: Arrays) -> None:
        """Add what a stage did to the images at some places; it is then to be put among the stages."""
        which, sizes = rows[fell], result["sizes"][fell]
        self.smallest[which] = np.minimum(self.smallest[which], sizes)
        if stage.attack.asks and stage.attack.budget.eps == self.settings.budget.eps:
            self.until[which] = result["until"][fell]
        # The worst answer counts, whichever attack it came from, and at whatever bound within eps.
        at_eps = (sizes <= self.settings.budget.eps + 1e-6) & (self.by[which] < 0)
        fresh = which[at_eps]
        self.by[fresh] = len(self.stages)
        self.changed[fresh] = result["images"][fell][at_eps]
        self.changed_said[fresh] = result["said"][fell][at_eps]
        self.changed_sure[fresh] = result["sure"][fell][at_eps]

    @property
    def clean_share(self) -> Share:
        """Right answers without an attack."""
        return Share(int(self.right.sum()), len(self.labels))

    @property
    def robust_share(self) -> Share:
        """Right answers that no attack changed."""
        return Share(int(self.robust.sum()), len(self.labels))

    @property
    def curve(self) -> tuple[tuple[float, Share], ...]:
        """Accuracy at bounds from 0 upwards, by the smallest change known for each image."""
        bounds = (0.0, *rungs(self.settings.budget))
        return tuple((eps, self._share_at(eps)) for eps in bounds)

    def _share_at(self, eps: float) -> Share:
        if eps == self.settings.budget.eps:
            return self.robust_share
        return Share(len(self.standing_at(eps)), len(self.labels))

    @property
    def questions(self) -> tuple[float, float] | None:
        """Median, and the 95th of a hundred, of the questions that it took to fool an image; None where none did."""
        took = self.until[self.until > 0]
        return (float(np.median(took)), float(np.quantile(took, 0.95))) if len(took) else None

    def classes(self) -> tuple[ClassRobustness, ...]:
        """Those that have images."""
        found = []
        for label in np.unique(self.labels).tolist():
            own = self.labels == label
            # A form with smoothed roundings answers as the one without.
            others = [name for name in self.said if name != self.judge and "smoothed" not in name]
            beside = {name: int((self.said[name][own] == label).sum()) for name in others}
            found.append(
                ClassRobustness(
                    label=label,
                    images=int(own.sum()),
                    clean=int(self.right[own].sum()),
                    robust=int(self.robust[own].sum()),
                    beside=beside,
                )
            )
        return tuple(found)

    @property
    def masked(self) -> int:
        """Images that only attacks without gradients fooled, though others tried before."""
        tried = any(not one.stage.attack.asks for one in self.stages)
        asks = [place for place, one in enumerate(self.stages) if one.stage.attack.asks]
        return int(np.isin(self.by, asks).sum()) if tried else 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the figures less than they seem, a sentence each."""
        count = len(self.labels)
        found = [*self.audit.faults]
        for name, (flat, zeros) in self.flat.items():
            if flat:
                found.append(
                    f"{flat:,} of {count:,} images have no gradient at all through {name}: attacks by its gradients"
                    " say nothing of them"
                )
            elif zeros / count > 0.5:
                found.append(f"{zeros / count:.0%} of the gradients' elements through {name} are exactly 0")
        if self.masked > MASKED * count:
            found.append(
                f"{self.masked:,} of {count:,} images were fooled by mere questions and by no gradient: the gradients"
                " are masked, and the network is weaker than attacks by gradients say"
            )
        for name, images in self.unsteady.items():
            if images:
                found.append(f"{name} answers {images:,.0f} images differently when it is asked twice")
        if self.differing:
            found.append(
                f"the int8 model and the artifact give other answers for {self.differing:,} attacked images: this"
                " artifact was not made from this model"
            )
        found += self._worse_than_beside()
        return tuple(found)

    def _worse_than_beside(self) -> list[str]:
        """Classes that the judge knows far less well than another form: what a planted fault of int8 looks like."""
        found = []
        for one in self.classes():
            for name, right in one.beside.items():
                lost = right - one.clean
                if lost > 3 and lost > 0.1 * one.images + 2 * one.images**0.5:
                    found.append(
                        f"class {one.label} is known by {name} in {right} of {one.images} images and by {self.judge} in"
                        f" {one.clean}: quantisation does not explain that"
                    )
        return found
