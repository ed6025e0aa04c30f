"""Damaged copies of files, and what a reader may answer to them: a model or a refusal, soon and in little memory."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable
from pathlib import Path

from depthwise.errors import Refused

# Numbers that break readers: ends of ranges, and just beyond them.
EDGES = (0, 1, 2, 3, 4, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 2**20, 2**31 - 1, 2**31, 2**32 - 1)
# Structure lies at the ends of a file and in its header, weights in between.
STRUCTURE = 4096
SECONDS = 1.0


def mutated(data: bytes, rng: random.Random) -> bytes:
    """A copy with one to eight wounds."""
    if rng.random() < 0.1:
        return data[: _place(len(data), rng)]
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        _wound(found, rng)
    return bytes(found)


def _wound(data: bytearray, rng: random.Random) -> None:
    place = _place(len(data), rng)
    match rng.randrange(6):
        case 0:
            data[place : place + 1] = bytes([rng.randrange(256)])
        case 1:
            data[place : place + 1] = bytes([(data[place] if place < len(data) else 0) ^ (1 << rng.randrange(8))])
        case 2:
            data[place : place + 4] = struct.pack("<I", rng.choice(EDGES))
        case 3:
            data[place : place + 8] = struct.pack("<Q", rng.choice((*EDGES, 2**40, 2**63, 2**64 - 1)))
        case 4:
            length = rng.choice((1, 4, 16, 256))
            start = _place(len(data), rng)
            data[place : place + length] = data[start : start + length]
        case _:
            del data[place : place + rng.choice((1, 4, 64))]


def _place(size: int, rng: random.Random) -> int:
    """More often where structure is: near the ends, or where a window of a file begins."""
    near = min(STRUCTURE, size)
    return rng.choice((rng.randrange(near), size - 1 - rng.randrange(near), rng.randrange(size)))


def outcome(read: Callable[[Path], object], path: Path) -> tuple[str, float]:
    """What a reader made of a file, "read" or the refusal, and the seconds that it took.

    Raises: whatever is no refusal, which is a bug.
    """
    start = time.perf_counter()
    try:
        read(path)
        answer = "read"
    except Refused as refusal:
        answer = str(refusal)
    return answer, time.perf_counter() - start
