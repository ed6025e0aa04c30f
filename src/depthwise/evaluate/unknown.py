"""Below which probability an answer is better called "unknown": chosen from right answers, kept in the model folder."""

from __future__ import annotations

from typing import Any

import numpy as np

from depthwise.errors import Refused
from depthwise.evaluate.report import Report

# The share of right answers that stay answers, as papers on unknown classes take it.
KEPT = 0.95
# Fewer right answers say nothing of their lowest twentieth.
LEAST_IMAGES = 20


def unknown(report: Report, kept: float = KEPT) -> dict[str, Any]:
    """The threshold of a report, as JSON values.

    Args:
        kept: of the right answers, the share that is not below the threshold, 0 to 1.
    Returns: `threshold`, a probability; `kept`; `images`, the right answers that it was taken from; `caught`, the share
        of wrong answers that are below it, None where none is wrong.
    Raises: Refused, when there are too few right answers.
    """
    right = report.predicted == report.predictions.truth
    if right.sum() < LEAST_IMAGES:
        raise Refused(
            f"--unknown needs {LEAST_IMAGES} right answers to choose a threshold from, and there are {right.sum()};"
            " give more images"
        )
    threshold = float(np.quantile(report.confidence[right], 1 - kept, method="lower"))
    wrong = report.confidence[~right]
    caught = float((wrong < threshold).mean()) if wrong.size else None
    return {"threshold": threshold, "kept": kept, "images": int(right.sum()), "caught": caught}


def sentence(found: dict[str, Any]) -> str:
    """What a threshold does, for people."""
    caught = "" if found["caught"] is None else f", and {found['caught']:.0%} of the wrong ones below"
    return f"unknown: below {found['threshold']:.1%}; {found['kept']:.0%} of the right answers lie above{caught}"
