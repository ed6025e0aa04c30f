"""How long things took, in memory that does not grow."""

from __future__ import annotations

import math

# Quantiles are right to this part of themselves.
_STEP = 1.02
_LEAST, _MOST = 1e-6, 1e3  # seconds
_COUNTS = int(math.log(_MOST / _LEAST, _STEP)) + 2
SHOWN = (0.5, 0.95, 0.99)


class Times:
    """Counts of durations, in steps of 2%."""

    def __init__(self) -> None:
        self._counts = [0] * _COUNTS
        self.number = 0
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        place = int(math.log(min(max(seconds, _LEAST), _MOST) / _LEAST, _STEP))
        self._counts[place] += 1
        self.number += 1
        self.total += seconds

    def quantile(self, share: float) -> float:
        """The duration that this share of all does not exceed, in seconds; 0 where nothing was counted."""
        left = share * self.number
        for place, count in enumerate(self._counts):
            left -= count
            if left <= 0 and count:
                return float(_LEAST * _STEP ** (place + 0.5))
        return 0.0

    def milliseconds(self) -> dict[str, float]:
        """p50, p95 and p99."""
        return {f"p{share * 100:.0f}": round(self.quantile(share) * 1e3, 4) for share in SHOWN}
