"""Emitted C to a shared library, or to an archive of objects."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from depthwise.compiler.outputs.compilers import Compiler, call, end_all, work_folder
from depthwise.compiler.outputs.trailer import add_trailer
from depthwise.compiler.words import Words
from depthwise.files import write_file
from depthwise.kernels.headers import included
from depthwise.kinds import ARTIFACT
from depthwise.places import Kind, beginning
from depthwise.precision import PRECISIONS, Precision

# zig adds what debuggers want, and with it the name of the folder, unless it is told not to.
FLAGS = ("-std=c11", "-O3", "-g0")
# What a system needs beside the network: a loop of memcpy must not become a call of memcpy.
_PLAIN = ("-std=c11", "-Os", "-fno-builtin", "-w")
# The objects of an archive; the first is near its beginning, by which it is known.
_NETWORK, _CONSTANTS = "depthwise-model.o", "depthwise-weights.o"
ARCHIVE = Kind(
    name="an archive that depthwise wrote",
    is_one=lambda path: (found := beginning(path)).startswith(b"!<arch>\n") and b"depthwise" in found,
)


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A file of C with the compiler of its level."""

    name: str
    text: str
    compiler: Compiler


def library(
    chosen: Compiler, model_c: str, words: Words, precision: Precision, out: Path, levels: Sequence[Unit] = ()
) -> int:
    """Build a shared library with its trailer, or an archive where the system takes one; returns its bytes.

    Args:
        chosen: the compiler of model_c, which also links.
        levels: further files, each compiled for a processor of its own.
    Raises: Refused, when the compiler fails or the library cannot be written.
    """
    with work_folder() as folder:
        write_sources((Unit(name="model.c", text=model_c, compiler=chosen), *levels), words, chosen, folder)
        flags = (*FLAGS, *chosen.system.compile, PRECISIONS[precision].contract)
        made = objects(levels, flags, folder)
        built = folder / (_archived if chosen.system.is_static else _linked)(chosen, flags, made, folder)
        if not chosen.system.is_static:
            add_trailer(built)
        write_file(out, built, ARCHIVE if chosen.system.is_static else ARTIFACT)
        return built.stat().st_size


def _linked(chosen: Compiler, flags: tuple[str, ...], made: list[str], folder: Path) -> str:
    """Makes a shared library of model.c, weights.s and the objects of its levels; returns its name."""
    system, more = chosen.system, []
    if system.code:
        _write(folder / "system.c", system.code)
        more.append(_object(Unit(name="system.c", text=system.code, compiler=chosen), _PLAIN, folder))
    if system.c_library is not None:
        name, text = system.c_library
        _write(folder / "library.c", text)
        call(chosen, (*_PLAIN, *system.link, f"-Wl,-soname,{name}", "-o", name, "library.c"), folder)
        more.append(name)
    name = f"model{system.ending}"
    call(chosen, (*flags, *system.link, "-o", name, "model.c", *made, "weights.s", *more), folder)
    return name


def _archived(chosen: Compiler, flags: tuple[str, ...], made: list[str], folder: Path) -> str:
    """Makes an archive of the same objects; returns its name."""
    call(chosen, (*flags, "-c", "-o", _NETWORK, "model.c"), folder)
    call(chosen, (*flags, "-c", "-o", _CONSTANTS, "weights.s"), folder)
    call(chosen.archiver(), ("rcsD", "model.a", _NETWORK, *made, _CONSTANTS), folder)
    return "model.a"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def write_sources(units: Sequence[Unit], words: Words, chosen: Compiler, folder: Path) -> None:
    """Write files of C with the headers that they include, and the constants in the form that compiles fastest."""
    for unit in units:
        for file, content in included(unit.text).items():
            (folder / file).write_bytes(content)
        _write(folder / unit.name, unit.text)
    _write(folder / "weights.s", chosen.system.constants(words.size))
    words.save(folder / "weights.bin")


def objects(units: Sequence[Unit], flags: tuple[str, ...], folder: Path) -> list[str]:
    """The objects of files, made at the same time; an interrupt ends those that are at work."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            return list(pool.map(lambda unit: _object(unit, flags, folder), units))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            end_all()
            raise


def _object(unit: Unit, flags: tuple[str, ...], folder: Path) -> str:
    name = str(Path(unit.name).with_suffix(".o"))
    call(unit.compiler, (*flags, "-c", "-o", name, unit.name), folder)
    return name
