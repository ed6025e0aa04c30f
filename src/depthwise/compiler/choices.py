"""What may be chosen when a network is compiled, whatever the machine."""

from __future__ import annotations

from dataclasses import dataclass

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
