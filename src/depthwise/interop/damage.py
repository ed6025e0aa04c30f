"""What reading a damaged or hostile file can raise, where its parts are used as what they say that they are."""

from __future__ import annotations

import struct

# One net around a whole reader: a file can lie about each of a hundred numbers, types and places.
DAMAGE = (
    struct.error, ValueError, TypeError, IndexError, AttributeError, ArithmeticError, MemoryError, KeyError,
    RecursionError,
)  # fmt: skip
