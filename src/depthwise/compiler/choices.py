"""What may be chosen when a network is compiled, whatever the machine."""

from __future__ import annotations

from dataclasses import dataclass

from depthwise.precision import Precision


@dataclass(frozen=True, kw_only=True)
class Choices:
    """How a network is compiled.

    Attributes:
        precision: "bf16" for a float model in bf16; None for the model's own.
        strassen: let float32 multiply by Strassen's way where that pays.
        threads: most threads that a call may run on.
        whole_maps: compute every block over its whole map at once, so that all depthwise outputs can be looked at.
    """

    precision: Precision | None = None
    strassen: bool = True
    threads: int = 1
    whole_maps: bool = False


# As users get it.
DEFAULT = Choices()
