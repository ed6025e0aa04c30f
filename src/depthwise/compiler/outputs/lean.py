"""zig without its headers for AVX-512, which take longer to read than all else that a small network needs."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

from depthwise.compiler.outputs.compilers import Compiler, zig
from depthwise.kernels.machine import Machine

# Headers that immintrin.h includes for every processor, whose types come with AVX-512 or AMX; and how each is called
# by the macro that says that it was read.
_ALL, _LATER = "immintrin.h", re.compile(r"__m512|__mmask|__tile")
_GUARD = re.compile(r"^#ifndef (\w+)\n#define \1$", re.MULTILINE)


def lean(chosen: Compiler, machine: Machine) -> Compiler:
    """The compiler without these headers where it is zig and a processor of x86 has no AVX-512, else as it is.

    The same is compiled half a second sooner, file by file.
    """
    if chosen.command[0] != zig() or machine.family != "x86" or "__AVX512F__" in machine.features:
        return chosen
    return replace(chosen, command=(*chosen.command, *_guards()))


@cache
def _guards() -> tuple[str, ...]:
    """Definitions that make zig believe that it has read them; assembly has no use for them, which is no mistake."""
    folder = Path(zig()).with_name("lib") / "include"
    texts = (file.read_text(encoding="utf-8") for file in sorted(folder.glob("*intrin.h")) if file.name != _ALL)
    found = (_GUARD.search(text) for text in texts if _LATER.search(text))
    return ("-Wno-unused-command-line-argument", *(f"-D{guard[1]}" for guard in found if guard))
