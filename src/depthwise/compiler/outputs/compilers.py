"""The compilers: the zig that is installed with depthwise, or one of the system."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from depthwise import beside
from depthwise.compiler.outputs.systems import System, system
from depthwise.compiler.targets import Target
from depthwise.errors import Refused
from depthwise.kernels.machine import Machine
from depthwise.kernels.table import family_here, machine_of

# The end of what a compiler says that is worth repeating.
_TOLD = 400
_RUNNING: set[subprocess.Popen[str]] = set()


@dataclass(frozen=True, kw_only=True)
class Compiler:
    """A compiler with the arguments that make it compile for a target, on the target's system."""

    command: tuple[str, ...]
    system: System

    def machine(self) -> Machine:
        """The processor that it compiles for, as its predefined macros tell.

        Raises: Refused, when that has the most significant byte of a number first.
        """
        with work_folder() as folder:
            source = folder / "empty.c"
            source.touch()
            text = call(self, ("-dM", "-E", source.name), folder)
        words = (line.split() for line in text.splitlines())
        macros = {line[1]: " ".join(line[2:]) for line in words if len(line) > 1}
        if macros.get("__BYTE_ORDER__") == "__ORDER_BIG_ENDIAN__":
            raise Refused(
                f"{self.command[0]}: compiles for a big-endian processor, and libraries, int8 and bf16 are for"
                " little-endian ones; compile a float32 model with --target source, and build that C there"
            )
        return machine_of(frozenset(macros))

    def archiver(self) -> Compiler:
        """What puts objects together into an archive of the system's kind; it comes with zig."""
        kind = ("--format=darwin",) if self.system.name in ("macos", "ios") else ()
        return replace(self, command=(zig(), "ar", *kind))


def compiler(target: Target, cc: str | None) -> Compiler:
    """The compiler for a target.

    Raises: Refused, when it is not installed or cannot compile for the target.
    """
    assert target.zig is not None
    on = system(target.system)
    if cc is None:
        on = replace(on, link=(*on.link, *target.link))
        triple = ("-target", f"{target.processor}-{on.zig}{target.abi}") if target.processor else ()
        return Compiler(command=(zig(), "cc", *triple, *target.zig), system=on)
    if target.cc is None:
        raise Refused(f"--cc compiles for this machine only; leave it away for target {target.name}, or use host")
    found = shutil.which(cc)
    if found is None:
        raise Refused(f"there is no compiler {cc!r} on the path; name another one, or leave --cc away")
    return Compiler(command=(found, *target.cc, *family_here().tuning), system=on)


def zig() -> str:
    """The program zig.

    Raises: Refused, when it is not installed.
    """
    found = importlib.util.find_spec("ziglang")
    if found is None or found.origin is None:
        raise Refused("the compiler zig is not installed; run: pip install ziglang, or give --cc")
    name = "zig.exe" if os.name == "nt" else "zig"
    return str(Path(found.origin).with_name(name))


def call(chosen: Compiler, arguments: tuple[str, ...], folder: Path) -> str:
    """What the compiler writes to stdout, run inside a folder so that no path of this machine reaches the library."""
    environment = {**os.environ, "ZIG_LOCAL_CACHE_DIR": str(folder / "cache")}
    environment.setdefault("ZIG_GLOBAL_CACHE_DIR", str(folder / "cache"))
    try:
        # A group of its own, so that the processes which it starts can be ended with it.
        running = subprocess.Popen(
            [*chosen.command, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as problem:
        raise Refused(f"{chosen.command[0]}: cannot be started ({problem.strerror}); name another compiler") from None
    _RUNNING.add(running)
    try:
        out, said = running.communicate()
    except BaseException:
        _end(running)
        raise
    finally:
        _RUNNING.discard(running)
    if running.returncode != 0:
        said = " ".join(said.split())[-_TOLD:]
        raise Refused(f"{chosen.command[0]}: ended with {running.returncode} while it built the artifact: {said}")
    return out


def end_all() -> None:
    """End the compilers that other threads are waiting for, as an interrupt reaches the first thread alone."""
    for running in tuple(_RUNNING):
        _end(running)


def _end(running: subprocess.Popen[str]) -> None:
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(running.pid, signal.SIGKILL)
        else:
            running.kill()


@contextlib.contextmanager
def work_folder() -> Iterator[Path]:
    """A folder for a compiler to work in, gone at the end.

    Raises: Refused, when it cannot be made or written, as on a full disk.
    """
    try:
        with beside.work_folder() as folder:
            yield folder
    except OSError as problem:
        raise beside.not_kept(problem) from None
