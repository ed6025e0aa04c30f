"""A family of processors: what it has and how it is used, as one record. Each family is a folder beside this file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from depthwise.kernels.instructions import Instructions
from depthwise.kernels.kernel import Kernel
from depthwise.kernels.machine import Level, Machine
from depthwise.kernels.rate import Rates
from depthwise.kernels.tiling import Product, Tiling


@dataclass(frozen=True, kw_only=True)
class Family:
    """One row of `kernels.table.FAMILIES`.

    Attributes:
        name: as its instructions say it (`Instructions.family`), and its folder.
        here: what `platform.machine()` calls such processors, in small letters.
        kernels: of the rows for one operation and precision the fastest stands first.
        tiling: how a matrix product is cut for a kernel in some instructions on a machine.
        lanes: values that a depthwise layer's or a pool's kernel takes at a time, of so many channels.
        levels: processors that `--cpu` chooses among, from the lowest to the highest.
        machines: the processors as compilers' predefined macros tell of them, the widest first.
        rates: speed of kernels, by the maker of the machine (`Machine.maker`, empty for machines of any); none where
            nothing was measured.
        tuning: arguments for a compiler of the system, whatever the processor of the family.
    """

    name: str
    here: tuple[str, ...] = ()
    kernels: tuple[Kernel, ...] = ()
    tiling: Callable[[Product, Machine, Instructions], Tiling]
    lanes: Callable[[int, Machine, Instructions], int]
    levels: tuple[Level, ...] = ()
    machines: tuple[tuple[str, Machine], ...] = ()
    rates: Mapping[str, Rates] = field(default_factory=dict)
    tuning: tuple[str, ...] = ()
