"""A program that labels pictures and frames: the network with main.c around it, and the system's C library."""

from __future__ import annotations

from pathlib import Path

from depthwise.compiler.outputs.code import Code, built_objects
from depthwise.compiler.outputs.compilers import Compiler, call, work_folder
from depthwise.errors import Refused
from depthwise.files import write_file
from depthwise.kernels.headers import INTERFACE
from depthwise.places import Kind

MAIN = Path(__file__).with_name("main.c").read_text(encoding="utf-8")
# Systems whose C library zig knows.
_SYSTEMS = ("", "linux", "windows", "macos")
# The oldest GNU C library that a program for Linux runs with, by the processor; those before had other names of
# functions, or were not there yet.
_GLIBC = {"x86_64": "2.17", "aarch64": "2.17", "arm": "2.17", "riscv64": "2.27"}
# What the program says of a wrong option, by which it is known.
_MARK = b"is no option of: [--json] [--top N]"
_MOST_BYTES = 1 << 30


def _is_program(path: Path) -> bool:
    return path.stat().st_size <= _MOST_BYTES and _MARK in path.read_bytes()


PROGRAM = Kind(name="a program that depthwise wrote", is_one=_is_program)


def program(code: Code, out: Path) -> int:
    """Write the program; returns its bytes.

    Raises: Refused, when it cannot be built for the system, a compiler fails, or it cannot be written.
    """
    if code.row.system not in _SYSTEMS:
        raise Refused(f"a program cannot be built for {code.row.name}; take --form static, and link it with your own")
    with work_folder() as folder:
        made = built_objects(code, folder)
        (folder / INTERFACE.name).write_bytes(INTERFACE.read_bytes())
        (folder / "main.c").write_text(MAIN, encoding="utf-8", newline="\n")
        name = "program.exe" if code.compiler.system.name == "windows" else "program"
        own = ("-std=c11", "-O2", *_oldest(code.compiler), "-s", "-o", name)
        call(code.compiler, (*own, "main.c", *made), folder)
        write_file(out, folder / name, PROGRAM, executable=True)
        return (folder / name).stat().st_size


def _oldest(chosen: Compiler) -> tuple[str, ...]:
    """Has zig link with the oldest C library; of two targets the last one counts."""
    if "-target" not in chosen.command:
        return ()
    triple = chosen.command[chosen.command.index("-target") + 1]
    oldest = _GLIBC.get(triple.partition("-")[0])
    return ("-target", f"{triple}.{oldest}") if oldest and "-gnu" in triple and "linux" in triple else ()
