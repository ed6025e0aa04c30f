"""The precisions that a network is compiled in."""

from __future__ import annotations

from typing import Literal

Precision = Literal["float32", "bf16", "int8"]
FLOAT = 4
# Bytes of a value of an activation.
VALUE: dict[Precision, int] = {"float32": FLOAT, "bf16": 2, "int8": 1}
