"""Whether two contenders compute the same network: no time of another network is compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Answers = NDArray[np.float64]

# The farthest that a probability may be off in float32, and the least correlation of probabilities in the others,
# whose roundings differ from runtime to runtime.
FLOAT_TOLERANCE = 1e-4
LEAST_CORRELATION = {"bf16": 0.995, "int8": 0.97}


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


def agrees(found: Agreement, precision: str) -> bool:
    """Whether they are answers of the same network."""
    if precision == "float32":
        return found.largest <= FLOAT_TOLERANCE
    return found.correlation >= LEAST_CORRELATION[precision]
