"""Labels that do not flicker: probabilities averaged over time, and "unknown" where none is likely enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

UNKNOWN = "unknown"


class Smoothing:
    """A moving average, in which what lies `seconds` back counts 1/e of what is new, whatever the rate of frames.

    Source: exponential smoothing for unequal distances in time, with weight 1 - exp(-distance / seconds).
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last: list[float] = []
        self._at = 0.0

    def add(self, probabilities: Sequence[float], at: float) -> list[float]:
        """The average with probabilities of a moment, in seconds; their sum stays what it is."""
        passed = max(at - self._at, 0.0)
        self._at = at
        if not self._last or self._seconds <= 0:
            self._last = list(probabilities)
        else:
            share = 1 - math.exp(-passed / self._seconds)
            self._last = [old + share * (new - old) for old, new in zip(self._last, probabilities, strict=True)]
        return self._last


def threshold_of(record: dict[str, Any]) -> float:
    """Below which probability an artifact's answers are "unknown", as `depthwise evaluate --unknown` chose; else 0."""
    accuracy = record.get("accuracy")
    chosen = accuracy.get("unknown") if isinstance(accuracy, dict) else None
    found = chosen.get("threshold") if isinstance(chosen, dict) else None
    return float(found) if isinstance(found, int | float) and 0 <= found <= 1 else 0.0
