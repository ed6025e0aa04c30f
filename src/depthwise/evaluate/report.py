"""All that was measured, as one record; the table, the document and the page are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from depthwise.evaluate import metrics
from depthwise.evaluate.metrics import Bin, ClassFigures, Ints, Pair, Share
from depthwise.evaluate.predictions import Predictions

TOP = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Mistake:
    """One image with a wrong answer.

    Attributes:
        index: among the predictions.
        probability: of the wrong label, `true_probability` of the right one.
    """

    index: int
    true: int
    predicted: int
    probability: float
    true_probability: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """The figures of one network on one folder.

    Attributes:
        subject: the model folder or artifact, as it was given.
        kind: "model" or "artifact".
        predictions: what it said of each image.
        warnings: why the figures may be too good, a sentence each.
    """

    subject: str
    kind: str
    predictions: Predictions
    warnings: tuple[str, ...] = ()

    @cached_property
    def predicted(self) -> Ints:
        """(N,) the likeliest label of each image; of equal ones the first."""
        found: Ints = self.predictions.probabilities.argmax(axis=1)
        return found

    @cached_property
    def confidence(self) -> NDArray[np.floating]:
        """(N,) probability of the likeliest label."""
        found: NDArray[np.floating] = self.predictions.probabilities.max(axis=1)
        return found

    @cached_property
    def _ranks(self) -> Ints:
        return metrics.ranks(self.predictions.probabilities, self.predictions.truth)

    @property
    def images(self) -> int:
        """How many were measured."""
        return len(self.predictions.items)

    @property
    def top1(self) -> Share:
        """Images whose likeliest label is right."""
        return Share(int((self._ranks == 0).sum()), self.images)

    @property
    def top5(self) -> Share:
        """Images whose right label is among the five likeliest."""
        return Share(int((self._ranks < TOP).sum()), self.images)

    @cached_property
    def confusion(self) -> Ints:
        """(K, K) numbers of images; rows are the right classes, columns those predicted."""
        return metrics.confusion(self.predictions.truth, self.predicted, len(self.predictions.labels))

    @cached_property
    def classes(self) -> tuple[ClassFigures, ...]:
        """Each class, in the order of the labels."""
        return metrics.class_figures(self.predictions.labels, self.confusion)

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Classes taken for others, the most frequent first."""
        return metrics.confused_pairs(self.confusion)

    @property
    def weakest(self) -> list[ClassFigures]:
        """Classes that have images, the least well recognised (by recall, then F1) first."""
        tested = [one for one in self.classes if one.images]
        return sorted(tested, key=lambda one: (one.right / one.images, one.f1))

    @property
    def balanced_top1(self) -> float:
        """Mean recall of the classes that have images: top-1 as if all had equally many."""
        recalls = [one.recall.share for one in self.classes if one.recall is not None]
        return sum(recalls) / len(recalls)

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that have images."""
        scores = [one.f1 for one in self.classes if one.images and one.f1 is not None]
        return sum(scores) / len(scores)

    @property
    def log_loss(self) -> float:
        """In nats an image."""
        return metrics.log_loss(self.predictions.probabilities, self.predictions.truth)

    @cached_property
    def bins(self) -> tuple[Bin, ...]:
        """Images by confidence."""
        return metrics.reliability(self.confidence, self._ranks == 0)

    @property
    def calibration_error(self) -> float:
        """Expected calibration error, 0 to 1."""
        return metrics.calibration_error(self.bins)

    @property
    def mean_confidence(self) -> float:
        """Mean probability of the likeliest label; above top-1, the network is too sure."""
        return float(self.confidence.mean(dtype=np.float64))

    @cached_property
    def mistakes(self) -> tuple[Mistake, ...]:
        """Wrong answers, the most confident first."""
        truth = self.predictions.truth
        wrong = np.flatnonzero(self.predicted != truth)
        order = wrong[np.argsort(-self.confidence[wrong], kind="stable")]
        return tuple(
            Mistake(
                index=int(i),
                true=int(truth[i]),
                predicted=int(self.predicted[i]),
                probability=float(self.confidence[i]),
                true_probability=float(self.predictions.probabilities[i, truth[i]]),
            )
            for i in order
        )

    @property
    def images_per_second(self) -> float:
        """Through the network alone, on this machine."""
        return self.images / max(self.predictions.network_seconds, 1e-9)
