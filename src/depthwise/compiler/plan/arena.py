"""One block of memory for everything that a network needs while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Bytes; a cache line, and the widest vector.
ALIGNMENT = 64


@dataclass(frozen=True, kw_only=True)
class Value:
    """Something that lies in the arena from moment `first` to moment `last`, both included."""

    name: str
    bytes: int
    first: int
    last: int


@dataclass(frozen=True, kw_only=True)
class Region:
    """Where a value lies, in bytes from the beginning of the arena."""

    offset: int
    bytes: int


def place(values: Sequence[Value]) -> tuple[dict[str, Region], int]:
    """A place for each value, such that no two that exist at the same moment overlap, and the bytes of the whole.

    The largest value first, each at the lowest place that is free for as long as it lives. Consecutive activations
    then take turns at the two ends, so that what was just written is still in the cache.

    Source: the "greedy by size" offset calculation of arXiv:2001.03288.
    """
    placed: list[tuple[Value, Region]] = []
    for value in sorted(values, key=lambda v: (-v.bytes, v.first, v.name)):
        offset = 0
        neighbours = [r for v, r in placed if v.first <= value.last and value.first <= v.last]
        for region in sorted(neighbours, key=lambda r: r.offset):
            if region.offset - offset >= value.bytes:
                break
            offset = max(offset, _aligned(region.offset + region.bytes))
        placed.append((value, Region(offset=offset, bytes=value.bytes)))
    regions = {value.name: region for value, region in placed}
    total = max((region.offset + region.bytes for region in regions.values()), default=0)
    return {value.name: regions[value.name] for value in values}, _aligned(total)


def _aligned(bytes_: int) -> int:
    return -(-bytes_ // ALIGNMENT) * ALIGNMENT
