"""Whether two contenders compute the same network: no time of another network is compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthwise.precision import Precision

Answers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What is asked of answers of the same network.

    Attributes:
        largest: the farthest that a probability may be off.
        correlation: the least correlation of probabilities.
    """

    largest: float = 1.0
    correlation: float = -1.0


# Roundings of short numbers differ from runtime to runtime.
DEMANDS: dict[Precision, Demand] = {
    "float32": Demand(largest=1e-4),
    "bf16": Demand(correlation=0.995),
    "int8": Demand(correlation=0.97),
}


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How near answers are to ours.

    Attributes:
        largest: largest difference of a probability.
        correlation: of all probabilities, over the images together; 1 where none varies.
        same_label: share of the images that get our label, 0 to 1.
    """

    largest: float
    correlation: float
    same_label: float


def agreement(answers: Answers, ours: Answers) -> Agreement:
    """Compare (images, classes) probabilities."""
    one, other = (x - x.mean(axis=1, keepdims=True) for x in (answers, ours))
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return Agreement(
        largest=float(np.abs(answers - ours).max()),
        correlation=float((one * other).sum()) / size if size > 0 else float(np.array_equal(answers, ours)),
        same_label=float((answers.argmax(axis=1) == ours.argmax(axis=1)).mean()),
    )


def agrees(found: Agreement, precision: Precision) -> bool:
    """Whether they are answers of the same network."""
    demand = DEMANDS[precision]
    return found.largest <= demand.largest and found.correlation >= demand.correlation
