"""A static library with its headers, for programs that take the network into themselves."""

from __future__ import annotations

from pathlib import Path

from depthwise.compiler.outputs.code import Code, built_objects
from depthwise.compiler.outputs.compilers import call, work_folder
from depthwise.files import write_folder
from depthwise.kernels.headers import CPP, INTERFACE
from depthwise.places import Kind, beginning, names

ARCHIVE = "libmodel.a"
_TITLE = "# A network as a static library"
README = f"""{_TITLE}

`depthwise.h` says how it is called from C and from all that calls C, `depthwise.hpp` is the same in C++.

    cc -std=c11 -o program program.c {ARCHIVE}

It needs no library but, for more than one thread, that of POSIX threads (`-pthread`). A program holds one such
library; for several networks in one program compile shared libraries (`--form library`).
"""
_OWN = frozenset({ARCHIVE, INTERFACE.name, CPP.name, "README.md"})


def _is_static(folder: Path) -> bool:
    return names(folder) == _OWN and beginning(folder / "README.md").startswith(_TITLE.encode())


STATIC = Kind(name="a folder with a static library that depthwise wrote", is_one=_is_static, folder=True)


def static_folder(code: Code, out: Path) -> int:
    """Write the folder; returns the bytes of all its files.

    Raises: Refused, when a compiler fails, or the folder cannot be written or holds other files.
    """
    with work_folder() as folder:
        made = built_objects(code, folder)
        # D: without times and owners, so that the same network gives the same bytes.
        call(code.compiler.archiver(), ("rcsD", ARCHIVE, *made), folder)
        own = {INTERFACE.name: INTERFACE.read_bytes(), CPP.name: CPP.read_bytes(), "README.md": README.encode()}
        write_folder(out, {ARCHIVE: folder / ARCHIVE, **own}, STATIC)
        return (folder / ARCHIVE).stat().st_size + sum(map(len, own.values()))
