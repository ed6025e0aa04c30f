"""Figures of a classifier, as pure functions of probabilities (N images, K classes) and right labels (N,)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]

BINS = 15
# Standard deviations to each side that hold 95% of a normal distribution.
Z95 = NormalDist().inv_cdf(0.975)
# The least probability that counts in the log loss, the smallest normal float32; below it artifacts give 0.
LEAST = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class Share:
    """A part of a number of images, at least one."""

    count: int
    of: int

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.count / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the share, when the images are a random sample.

        Source: Wilson's score interval, doi:10.1080/01621459.1927.10502953; it holds for few images too.
        """
        n, p = self.of, self.share
        middle = p + Z95**2 / (2 * n)
        half = Z95 * math.sqrt(p * (1 - p) / n + Z95**2 / (4 * n**2))
        scale = 1 + Z95**2 / n
        # At 0 and 1 the formula gives exactly that end, but for rounding.
        low = 0.0 if self.count == 0 else (middle - half) / scale
        high = 1.0 if self.count == n else (middle + half) / scale
        return low, high


@dataclass(frozen=True, kw_only=True)
class ClassFigures:
    """One class; what nothing was counted for is None.

    Attributes:
        images: that are of this class.
        predicted: that were taken for it.
        right: that are and were.
    """

    label: str
    images: int
    predicted: int
    right: int

    @property
    def precision(self) -> float | None:
        """Share of right ones among those taken for this class."""
        return self.right / self.predicted if self.predicted else None

    @property
    def recall(self) -> Share | None:
        """Those found among the images of this class."""
        return Share(self.right, self.images) if self.images else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall."""
        both = self.images + self.predicted
        return 2 * self.right / both if both else None


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Images whose highest probability lies above `low` and not above `high`.

    Attributes:
        confidence: mean of that probability, None without images.
        accuracy: share of right answers, None without images.
    """

    low: float
    high: float
    images: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Images of class `true` that were taken for class `predicted`."""

    true: int
    predicted: int
    images: int
    share: float


def ranks(probabilities: Floats, truth: Ints) -> Ints:
    """(N,) at which place the right label stands, 0 for the first; of equal ones the lower index stands first."""
    own = np.take_along_axis(probabilities, truth[:, None], axis=1)
    earlier = np.arange(probabilities.shape[1]) < truth[:, None]
    before = (probabilities > own) | ((probabilities == own) & earlier)
    places: Ints = before.sum(axis=1, dtype=np.int64)
    return places


def confusion(truth: Ints, predicted: Ints, classes: int) -> Ints:
    """(K, K) numbers of images; rows are the right classes, columns those predicted."""
    counts: Ints = np.bincount(truth * classes + predicted, minlength=classes**2).reshape(classes, classes)
    return counts


def class_figures(labels: tuple[str, ...], matrix: Ints) -> tuple[ClassFigures, ...]:
    """The figures of each class, in the order of the labels."""
    rows, columns, right = matrix.sum(axis=1), matrix.sum(axis=0), matrix.diagonal()
    return tuple(
        ClassFigures(label=label, images=int(rows[i]), predicted=int(columns[i]), right=int(right[i]))
        for i, label in enumerate(labels)
    )


def confused_pairs(matrix: Ints) -> tuple[Pair, ...]:
    """Every mistake that was made, the most frequent first; among equals the one that hits the larger share."""
    of = matrix.sum(axis=1)
    found = [
        Pair(true=int(i), predicted=int(j), images=int(matrix[i, j]), share=float(matrix[i, j] / of[i]))
        for i, j in np.argwhere(matrix)
        if i != j
    ]
    return tuple(sorted(found, key=lambda pair: (-pair.images, -pair.share)))


def log_loss(probabilities: Floats, truth: Ints) -> float:
    """Mean of -ln of the right label's probability, in nats; ln K for one who knows nothing."""
    own = np.take_along_axis(probabilities, truth[:, None], axis=1).astype(np.float64)
    return float(-np.log(np.maximum(own, LEAST)).mean())


def reliability(confidence: Floats, right: NDArray[np.bool_], bins: int = BINS) -> tuple[Bin, ...]:
    """Images by their highest probability, in bins of equal width; source: arXiv:1706.04599 section 2."""
    edges = np.arange(bins + 1) / bins
    place = np.digitize(confidence, edges[1:-1], right=True)
    found = []
    for index in range(bins):
        inside = place == index
        count = int(inside.sum())
        found.append(
            Bin(
                low=float(edges[index]),
                high=float(edges[index + 1]),
                images=count,
                confidence=float(confidence[inside].mean(dtype=np.float64)) if count else None,
                accuracy=float(right[inside].mean()) if count else None,
            )
        )
    return tuple(found)


def calibration_error(bins: tuple[Bin, ...]) -> float:
    """Expected calibration error: how far confidence and accuracy lie apart, averaged over images; 0 is perfect."""
    gaps = [
        b.images * abs(b.accuracy - b.confidence) for b in bins if b.accuracy is not None and b.confidence is not None
    ]
    return sum(gaps) / sum(b.images for b in bins)
