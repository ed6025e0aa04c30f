"""A network as C with the compilers that build it: what every output is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from depthwise.compiler.outputs.compilers import Compiler, call
from depthwise.compiler.outputs.library import FLAGS, Unit, objects, write_sources
from depthwise.compiler.pack import Packed
from depthwise.compiler.targets import Target
from depthwise.kernels.table import family_here, family_named
from depthwise.precision import PRECISIONS, Precision

MODEL = "model.c"


@dataclass(frozen=True, kw_only=True)
class Code:
    """Emitted C, before anything is built.

    Attributes:
        texts: of each file by its name, model.c first; behind it, where there are several levels, one for each.
        rows: the target that each file is for.
        compilers: of each file; none where C is written and not compiled.
        packed: the constants.
    """

    texts: Mapping[str, str]
    rows: Mapping[str, Target]
    packed: Packed
    precision: Precision
    compilers: Mapping[str, Compiler] = field(default_factory=dict)

    @property
    def row(self) -> Target:
        """The target, at its lowest level."""
        return self.rows[MODEL]

    @property
    def compiler(self) -> Compiler:
        """That of model.c, which also links."""
        return self.compilers[MODEL]

    @property
    def units(self) -> list[Unit]:
        """The files with their compilers, model.c first."""
        return [Unit(name=name, text=text, compiler=self.compilers[name]) for name, text in self.texts.items()]

    @property
    def flags(self) -> tuple[str, ...]:
        """What every file is compiled with."""
        return (*FLAGS, *self.compiler.system.compile, PRECISIONS[self.precision].contract)


def flags_of(row: Target) -> tuple[str, ...]:
    """What gcc and clang are told of a target's processor."""
    if not row.family:
        return (*(row.cc or ()), *family_here().tuning)
    family = family_named(row.family)
    level = next((level for level in family.levels if level.name == row.level), None)
    return () if level is None else (*level.cc, *family.tuning)


def built_objects(code: Code, folder: Path) -> list[str]:
    """The names of the object files of all parts, built in a folder that is a compiler's to work in."""
    write_sources(code.units, code.packed.words, code.compiler, folder)
    # What describes the lines of C to a debugger is larger than the network.
    made = objects(code.units, (*code.flags, "-g0"), folder)
    call(code.compiler, (*code.flags, "-c", "-o", "weights.o", "weights.s"), folder)
    return [*made, "weights.o"]
