"""What a library for Windows needs: its constants as assembly, its exports, and what else it has no C library for.

How it is compiled and linked stands in the row "windows" of systems.py; library.py calls the compiler.
"""

from __future__ import annotations

import re

from depthwise.compiler.outputs.constants import emit_coff
from depthwise.kernels.headers import INTERFACE


def emit_windows(words: int) -> str:
    """weights.s for a library: the constants, and that the functions of depthwise.h are exported and nothing else."""
    exported = "".join(f'    .ascii " -export:{name}"\n' for name in exports())
    return f'{emit_coff(words)}    .section .drectve,"yn"\n{exported}'


def exports() -> tuple[str, ...]:
    """The functions of depthwise.h."""
    return tuple(re.findall(r"^[\w \*]*\b(dw_\w+)\(", INTERFACE.read_text(encoding="utf-8"), re.MULTILINE))


# A library has an entry point here, and no C library that it could take the two functions from that compilers call.
CODE = """#include <stddef.h>

/* Called by the system when the library is loaded; 1 says that it is ready. */
int __stdcall DllMainCRTStartup(void *library, unsigned long reason, void *more)
{
    (void)library, (void)reason, (void)more;
    return 1;
}

/* The compiler is told not to make a call of memcpy out of memcpy's own loop. */
void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    unsigned char *target = to;
    const unsigned char *source = from;
    for (size_t i = 0; i < bytes; i++) {
        target[i] = source[i];
    }
    return to;
}

void *memset(void *at, int value, size_t bytes)
{
    unsigned char *target = at;
    for (size_t i = 0; i < bytes; i++) {
        target[i] = (unsigned char)value;
    }
    return at;
}
"""
