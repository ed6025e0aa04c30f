"""How fast a kernel is."""

from __future__ import annotations

from dataclasses import dataclass

# Billions of cycles a second, where nobody says.
CLOCK = 3.0


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Speed of a kernel on one core.

    Attributes:
        products: multiply-adds a cycle.
        value: cycles for each value that it writes, on top of them.
    """

    products: float
    value: float = 0.0
