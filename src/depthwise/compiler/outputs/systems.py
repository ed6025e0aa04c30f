"""The table of systems that libraries are built for: file format, linking, and what a process may do there."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass, replace

from depthwise.compiler.outputs.android import C_LIBRARY
from depthwise.compiler.outputs.constants import emit_assembly, emit_macho
from depthwise.compiler.outputs.windows import CODE, emit_windows
from depthwise.errors import Refused


@dataclass(frozen=True, kw_only=True)
class System:
    """One row of the table.

    Attributes:
        name: as a row of `targets.TARGETS` says it.
        here: what `platform.system()` calls it.
        zig: the end of the name of a target, as zig takes it.
        ending: of the file's usual name.
        compile: arguments for what becomes part of a library.
        link: arguments that make a library; none where it stays an archive of objects, for the linker of an app.
        constants: the assembly of so many words out of weights.bin.
        code: C that a library needs beside the network, or empty.
        c_library: C of a library that stands for the system's, as (file name, text), where zig brings none.
    """

    name: str
    here: str
    zig: str
    ending: str
    compile: tuple[str, ...]
    link: tuple[str, ...]
    constants: Callable[[int], str]
    code: str = ""
    c_library: tuple[str, str] | None = None

    @property
    def is_static(self) -> bool:
        """Whether the result is an archive."""
        return not self.link


_LINUX = System(
    name="linux",
    here="Linux",
    zig="linux-gnu",
    ending=".so",
    compile=("-fPIC",),
    # Without the C library nothing has to be built or found for a target; compilers still call memcpy and memset,
    # which every process has. The compiler's own library divides on ARM of 32 bits.
    link=("-shared", "-nostdlib", "-s"),
    constants=emit_assembly,
)
# glibc before 2.34 has dlopen in a library of its own, which is still there after it.
_DL = ("libdl.so.2", "void dlopen(void) {}\nvoid dlsym(void) {}\n")
SYSTEMS = (
    _LINUX,
    # For what looks for a library while it runs.
    replace(_LINUX, name="linux-dl", here="", c_library=_DL),
    System(
        name="android",
        here="Android",
        zig="linux-android",
        ending=".so",
        compile=("-fPIC",),
        # Pages have 16 KB on some devices since Android 15. Compilers call the compiler's own library for atomics.
        link=("-shared", "-nostdlib", "-rtlib=compiler-rt", "-s", "-Wl,-z,max-page-size=16384"),
        constants=emit_assembly,
        c_library=("libc.so", C_LIBRARY),
    ),
    System(
        name="macos",
        here="Darwin",
        zig="macos.11.0",
        ending=".dylib",
        compile=("-fPIC",),
        link=("-shared", "-nostdlib", "-lSystem", "-s"),
        constants=emit_macho,
    ),
    System(
        name="ios",
        here="iOS",
        zig="ios.13.0",
        ending=".a",
        compile=("-fPIC",),
        link=(),
        constants=emit_macho,
    ),
    System(
        name="windows",
        here="Windows",
        zig="windows-gnu",
        ending=".dll",
        compile=(),
        # The compiler's own library touches the stack of large frames page by page, as Windows wants it.
        link=("-shared", "-nostdlib", "-rtlib=compiler-rt", "-lkernel32", "-s"),
        constants=emit_windows,
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
