"""How fast a kernel is."""

from __future__ import annotations

from collections.abc import Mapping
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


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Speed of a family's kernels on one machine.

    Attributes:
        of: by the base of their name and their instructions, or the float32 lanes of the machine for portable C.
        source: on what, and how, they were found: "measured on ..." or "by a model of ...".
    """

    of: Mapping[tuple[str, str], Rate]
    source: str
