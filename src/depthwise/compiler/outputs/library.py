"""Emitted C to a shared library."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from depthwise.compiler.outputs.compilers import Compiler, call, end_all, work_folder
from depthwise.compiler.outputs.trailer import ARTIFACT, trailer
from depthwise.compiler.pack import Words
from depthwise.files import write_file
from depthwise.kernels.headers import included
from depthwise.precision import PRECISIONS, Precision

FLAGS = ("-std=c11", "-O3")
# What a system needs beside the network: a loop of memcpy must not become a call of memcpy.
_PLAIN = ("-std=c11", "-Os", "-fno-builtin")


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A file of C with the compiler of its level."""

    name: str
    text: str
    compiler: Compiler


def library(
    chosen: Compiler, model_c: str, words: Words, precision: Precision, out: Path, levels: Sequence[Unit] = ()
) -> int:
    """Build a shared library with its trailer; returns its bytes.

    Args:
        chosen: the compiler of model_c, which also links.
        levels: further files, each compiled for a processor of its own.
    Raises: Refused, when the compiler fails or the library cannot be written.
    """
    with work_folder() as folder:
        for unit in (Unit(name="model.c", text=model_c, compiler=chosen), *levels):
            for file, content in included(unit.text).items():
                (folder / file).write_bytes(content)
            (folder / unit.name).write_text(unit.text, encoding="utf-8", newline="\n")
        (folder / "weights.s").write_text(chosen.system.constants(words.size), encoding="utf-8", newline="\n")
        (folder / "weights.bin").write_bytes(words.astype("<u4").tobytes())
        flags = (*FLAGS, *chosen.system.compile, PRECISIONS[precision].contract)
        objects = _objects(levels, flags, folder)
        if chosen.system.code:
            (folder / "system.c").write_text(chosen.system.code, encoding="utf-8", newline="\n")
            objects.append(_object(Unit(name="system.c", text=chosen.system.code, compiler=chosen), _PLAIN, folder))
        call(chosen, (*flags, *chosen.system.link, "-o", "model.so", "model.c", *objects, "weights.s"), folder)
        content = (folder / "model.so").read_bytes()
    content += trailer(content)
    write_file(out, content, ARTIFACT)
    return len(content)


def _objects(levels: Sequence[Unit], flags: tuple[str, ...], folder: Path) -> list[str]:
    """The objects of all levels, made at the same time; an interrupt ends those that are at work."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            return list(pool.map(lambda unit: _object(unit, flags, folder), levels))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            end_all()
            raise


def _object(unit: Unit, flags: tuple[str, ...], folder: Path) -> str:
    name = str(Path(unit.name).with_suffix(".o"))
    call(unit.compiler, (*flags, "-c", "-o", name, unit.name), folder)
    return name
