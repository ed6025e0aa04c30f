"""What a processor is to the planner."""

from __future__ import annotations

from dataclasses import dataclass

from depthwise.precision import Precision

# Makers of processors, as these name them.
INTEL, AMD = "GenuineIntel", "AuthenticAMD"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What the planner needs to know of a processor.

    Attributes:
        lanes: float32 values in its widest vector, 4, 8 or 16.
        registers: number of vector registers.
        features: macros that compilers predefine for it, of those that some kernel needs.
        family: of processors that it belongs to, by name of a row of `kernels.table.FAMILIES`.
        maker: as the processor names it, where tiles depend on it; else empty.
        is_own: whether an artifact with several levels chooses this one on processors of that maker alone.
    """

    lanes: int
    registers: int
    features: frozenset[str] = frozenset()
    family: str = "portable"
    maker: str = ""
    is_own: bool = False

    @property
    def begins_two(self) -> bool:
        """Whether it begins two products of its widest vectors a cycle: with 512 bits Intel's for servers do, and AMD's
        not."""
        return self.maker == INTEL and self.lanes == 16


# Vectors of 4 exist nearly everywhere, and compilers split them up well where they do not.
PORTABLE = Machine(lanes=4, registers=16)


@dataclass(frozen=True, kw_only=True)
class Level:
    """A processor of a family, by the instructions that it has.

    Attributes:
        name: what `--cpu` takes.
        about: one line for help.
        machine: as the planner knows it.
        carried: networks of which a library with several levels carries this one, as it is faster than those below.
        zig, cc: arguments that make zig, or a system compiler, use its instructions.
    """

    name: str
    about: str
    machine: Machine
    carried: frozenset[Precision]
    zig: tuple[str, ...]
    cc: tuple[str, ...]
