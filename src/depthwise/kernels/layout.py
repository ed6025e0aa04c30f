"""How an activation lies in memory: in which order its values are, and how a byte is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What kernels that hand values to each other must agree on.

    Attributes:
        order: "pixels" has the channels of a pixel side by side, "planes" the pixels of a channel.
        stored: of int8. "plain" bytes as docs/int8.md has them; "signed" ones are less by 128, for instructions that
            take signed bytes; "pairs" are two pixels in a 32-bit word, for processors that multiply nothing narrower.
    """

    order: Literal["pixels", "planes"] = "pixels"
    stored: Literal["plain", "signed", "pairs"] = "plain"


PIXELS = Layout()

# What a signed byte is less than the byte of docs/int8.md; it is that byte with its highest bit turned.
LESS = 128


def stored(byte: int, layout: Layout) -> int:
    """The byte, 0 to 255, as which a byte of docs/int8.md lies in memory."""
    return byte ^ LESS if layout.stored == "signed" else byte
