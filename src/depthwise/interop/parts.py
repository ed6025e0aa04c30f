"""Channels that a graph, of ONNX or TFLite, takes in another order: by one node, or cut apart and joined again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Pictures are grey or of three colours, or of four with transparency.
MOST = 4
# What to do about a graph that changes the size of its pictures.
RESIZED = "export it without that, and let pictures come in the size that its first convolution takes"


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A node that takes places along one axis of its data.

    Attributes:
        places: those in each of its outputs, by the name of the output.
        drops: whether its outputs are without the axis, of which each has one place.
    """

    axis: int
    places: Mapping[Any, Sequence[int]]
    drops: bool = False


@dataclass(frozen=True, kw_only=True)
class Join:
    """A node that puts values behind each other along an axis, which is a new one where it `stacks` them."""

    axis: int
    names: Sequence[Any]
    stacks: bool = False


def joined(cuts: Sequence[Cut | None], join: Join) -> Cut | None:
    """What a join makes of one value's cuts, as one cut under the name ""; None where something else is in it."""
    whole = [cut for cut in cuts if cut is not None and (cut.axis, cut.drops) == (join.axis, join.stacks)]
    places = {name: part for cut in whole for name, part in cut.places.items()}
    if len(whole) < len(cuts) or not set(join.names) <= set(places):
        return None
    return Cut(axis=join.axis, places={"": [place for name in join.names for place in places[name]]})


def copies_of(cut: Cut | None, size: int) -> int:
    """How many times a cut of one output takes the only place of an axis; 0 where it does something else."""
    if cut is None or cut.drops or len(cut.places) != 1 or size != 1:
        return 0
    (places,) = cut.places.values()
    return len(places) if 1 < len(places) <= MOST and not any(places) else 0


def order_of(cut: Cut | None, size: int) -> tuple[int, ...] | None:
    """The order in which a cut of one output takes all places of an axis; None where it leaves some out.

    Args:
        size: of the axis.
    """
    if cut is None or cut.drops or len(cut.places) != 1 or size > MOST:
        return None
    (places,) = cut.places.values()
    return tuple(places) if sorted(places) == list(range(size)) else None
