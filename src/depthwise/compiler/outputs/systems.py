"""The table of systems that libraries are built for: file format, linking, and what a process may do there."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass

from depthwise.compiler.outputs.constants import emit_assembly
from depthwise.compiler.outputs.windows import CODE, emit_coff
from depthwise.errors import Refused


@dataclass(frozen=True, kw_only=True)
class System:
    """One row of the table.

    Attributes:
        name: as a row of `targets.TARGETS` says it.
        here: what `platform.system()` calls it.
        zig: the end of the name of a target, as zig takes it.
        compile: arguments for what becomes part of a library.
        link: arguments that make a library.
        constants: the assembly of so many words out of weights.bin.
        code: C that a library needs beside the network, or empty.
    """

    name: str
    here: str
    zig: str
    compile: tuple[str, ...]
    link: tuple[str, ...]
    constants: Callable[[int], str]
    code: str = ""


SYSTEMS = (
    System(
        name="linux",
        here="Linux",
        zig="linux-gnu",
        compile=("-fPIC",),
        # Without the C library nothing has to be built or found for a target; compilers still call memcpy and memset,
        # which every process has.
        link=("-shared", "-nostdlib", "-s"),
        constants=emit_assembly,
    ),
    System(
        name="windows",
        here="Windows",
        zig="windows-gnu",
        compile=(),
        # The compiler's own library touches the stack of large frames page by page, as Windows wants it.
        link=("-shared", "-nostdlib", "-rtlib=compiler-rt", "-s"),
        constants=emit_coff,
        code=CODE,
    ),
)


def system(name: str) -> System:
    """The system of a name, or this machine's where that is empty.

    Raises: Refused, when libraries cannot be built for this machine's.
    """
    here = platform.system()
    found = next((row for row in SYSTEMS if name == row.name or (not name and here == row.here)), None)
    if found is None:
        known = ", ".join(row.name for row in SYSTEMS)
        raise Refused(f"libraries are built for {known}, and this is {name or here}; compile for target source instead")
    return found
