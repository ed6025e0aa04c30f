"""What may be chosen when a network is compiled, whatever the machine."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from depthwise.errors import Refused
from depthwise.limits import LONGEST_SIDE
from depthwise.precision import Precision


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What an artifact has beside its network; on small chips there is no room for all of it.

    Attributes:
        prepare: whether it brings frames of any size to the network's (dw_prepare, dw_classify).
        longest_side: the most pixels that a side of such a frame has; scratch for it grows with them.
        arena: whether it has memory of its own, for callers that bring none.
    """

    prepare: bool = True
    longest_side: int = LONGEST_SIDE
    arena: bool = True


# All of it.
WHOLE = Parts()
# Those that can be left out, by name.
PARTS = ("prepare", "arena")


def parts(left_out: Collection[str], longest_side: int = LONGEST_SIDE) -> Parts:
    """An artifact without some of `PARTS`, for frames with sides of so many pixels at most.

    Raises: Refused, when there is no such part, or a longest side is asked for of frames that nothing prepares.
    """
    for name in left_out:
        if name not in PARTS:
            raise Refused(f"there is no part {name!r} to leave out; there are {' and '.join(PARTS)}")
    if not 1 <= longest_side <= LONGEST_SIDE:
        raise Refused(f"the longest side of a frame is {longest_side:,} pixels; it must be from 1 to {LONGEST_SIDE:,}")
    if "prepare" in left_out and longest_side != LONGEST_SIDE:
        raise Refused("a longest side is asked for, of frames that nothing prepares; leave it away")
    return Parts(prepare="prepare" not in left_out, arena="arena" not in left_out, longest_side=longest_side)


@dataclass(frozen=True, kw_only=True)
class Choices:
    """How a network is compiled.

    Attributes:
        precision: "bf16" for a float model in bf16; None for the model's own.
        strassen: let float32 multiply by Strassen's way where that pays.
        threads: most threads that a call may run on.
        parts: what the artifact has beside its network.
        whole_maps: compute every block over its whole map at once, so that all depthwise outputs can be looked at.
    """

    precision: Precision | None = None
    strassen: bool = True
    threads: int = 1
    parts: Parts = WHOLE
    whole_maps: bool = False


# As users get it.
DEFAULT = Choices()
