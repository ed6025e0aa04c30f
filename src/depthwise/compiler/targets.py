"""The table of targets: what a network can be compiled for."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import Literal

from depthwise.errors import Refused
from depthwise.kernels.arm.levels import ARMV7
from depthwise.kernels.cuda.rows import GPU
from depthwise.kernels.machine import PORTABLE, Level, Machine
from depthwise.kernels.riscv import levels as riscv
from depthwise.kernels.table import family_here, family_named
from depthwise.kernels.x86.instructions import AMX, AVX512BF16, AVX512VNNI
from depthwise.kernels.x86.levels import BASELINE
from depthwise.kernels.x86.makers import INTEL
from depthwise.precision import PRECISIONS, Precision

# Beyond, threads wait for each other longer than they compute.
MOST_THREADS = 64
Ran = Literal["machine", "emulator", "built only"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """One row of the table.

    Attributes:
        name: what `--target` takes.
        about: one line for help and lists.
        needs: of a device beside a processor of its kind, in a few words.
        ran: on what its artifacts were run when it was made: "machine", "emulator", or "built only".
        machine: the processor, or None where the compiler is asked what this machine has.
        level: what the level of its instructions is called.
        zig: arguments that make zig use its instructions; None where only source is written.
        family: of processors, by name of a row of `kernels.table.FAMILIES`; empty for this machine's.
        processor: as zig calls it; empty for this machine's.
        system: by name of a row of `outputs.systems.SYSTEMS`; empty for this machine's.
        abi: what zig's name of the target has behind that of the system.
        link: arguments for zig when it links, beside those of the system.
        cc: arguments for a system compiler; None where that cannot compile for it.
        threads: most threads that a call may run on, unless others are asked for.
        most_threads: the most that may be asked for.
        carries_levels: whether one library carries all levels of its family that make a difference, instead of one.
        highest: the highest level that it carries, and that may be chosen; empty for that of the family.
        gpu: whether the network runs on a GPU, and only what is around it on the processor.
    """

    name: str
    about: str
    needs: str
    ran: Ran
    machine: Machine | None
    level: str
    zig: tuple[str, ...] | None
    family: str = ""
    processor: str = ""
    system: str = ""
    abi: str = ""
    link: tuple[str, ...] = ()
    cc: tuple[str, ...] | None = None
    threads: int = 8
    most_threads: int = MOST_THREADS
    carries_levels: bool = False
    highest: str = ""
    gpu: bool = False


def threads(row: Target, wanted: int | None) -> int:
    """Most threads that a call of an artifact for a target may run on.

    Raises: Refused, when so many cannot be.
    """
    found = row.threads if wanted is None else wanted
    if not 1 <= found <= MOST_THREADS:
        raise Refused(f"--threads is {found}; give a number from 1 to {MOST_THREADS}")
    if found > row.most_threads:
        raise Refused(f"--threads is {found}, and calls of target {row.name} run on one thread; leave it away")
    return found


def precision_for(row: Target, model: Precision, wanted: Precision | None) -> Precision:
    """The precision in which a model is compiled for a target.

    Args:
        model: its own.
        wanted: None for what is usual.
    Raises: Refused, when the target has no kernels for it.
    """
    found = wanted or ("float16" if row.gpu and model == "float32" else model)
    if row.gpu and found not in ("float16", "int8"):
        raise Refused(f"target {row.name} computes in float16 or int8, not in {found}; leave --precision away")
    if PRECISIONS[found].gpu and not row.gpu:
        raise Refused(f"{found} is for target cuda; for target {row.name} leave --precision away, or take bf16")
    return found


# What the systems of targets are asked for.
_NEEDS = {
    "linux": "Linux, with any C library",
    "android": "Android 5, pages of 4 or 16 KB",
    "macos": "macOS 11",
    "ios": "iOS 13, the linker of an app",
    "windows": "Windows Vista",
}
_PAGES = ", pages up to 64 KB"


# Of x86 on systems other than Linux. Macs keep the registers of AVX-512 only for threads that have used them, so that
# nobody is told of them; Windows asks for a permission of its own before it keeps tiles.
_HIGHEST = {"macos": "avx2", "windows": "bf16"}


def _x86(name: str, about: str, level: str, *, system: str = "linux", ran: Ran = "machine", threads: int = 8) -> Target:
    """A target for processors of x86 from a level on; from the lowest on it carries the others."""
    row = next(row for row in family_named("x86").levels if row.name == level)
    return Target(
        name=name,
        about=about,
        needs=_NEEDS[system],
        ran=ran,
        family="x86",
        processor="x86_64",
        system=system,
        machine=row.machine,
        level=level,
        zig=row.zig,
        carries_levels=row.machine == BASELINE,
        highest=_HIGHEST.get(system, ""),
    )


def _arm64(name: str, about: str, system: str, *, ran: Ran, threads: int = 8, level: str = "neon") -> Target:
    """A target for 64-bit processors of ARM from a level on; where the system tells of them it carries the others."""
    row = next(row for row in family_named("arm").levels if row.name == level)
    return Target(
        name=name,
        about=about,
        needs=f"{_NEEDS[system]}{_PAGES if system == 'linux' else ''}",
        ran=ran,
        family="arm",
        processor="aarch64",
        system=system,
        machine=row.machine,
        level=level,
        zig=row.zig,
        threads=threads,
        # zig brings no headers of iOS that would say what a thread is.
        most_threads=1 if system == "ios" else MOST_THREADS,
        carries_levels=system in ("linux", "android"),
    )


def _cuda(name: str, about: str, host: str, processor: str, level: str) -> Target:
    """A target for an NVIDIA GPU beside a processor, whose lowest level runs what is around the network."""
    row = next(row for row in family_named(host).levels if row.name == level)
    return Target(
        name=name,
        about=about,
        needs="NVIDIA GPU from 6.1 on, driver of CUDA 11.4, glibc",
        ran="built only",
        family="cuda",
        processor=processor,
        system="linux-dl",
        machine=GPU,
        level="cuda",
        zig=row.zig,
        threads=1,
        most_threads=1,
        gpu=True,
    )


TARGETS = (
    Target(
        name="host",
        about="a library for the processor of this machine",
        needs="this machine",
        ran="machine",
        machine=None,
        level="host",
        zig=("-mcpu=native",),
        cc=("-march=native",),
    ),
    Target(
        name="source",
        about="a folder of C that any C11 compiler builds",
        needs="gcc, clang or a compiler with their vectors; for int8 little-endian numbers",
        ran="machine",
        family="portable",
        machine=PORTABLE,
        level="portable",
        zig=None,
        threads=1,
    ),
    _x86("linux-x86_64", "a library for any 64-bit x86 with Linux, for each at its best", "portable"),
    _x86("linux-x86_64-v3", "a library for x86 with AVX2 and FMA and Linux", "avx2"),
    _x86("linux-x86_64-v4", "a library for x86 with AVX-512 and Linux", "avx512"),
    _arm64("linux-aarch64", "a library for any 64-bit ARM with Linux, for each at its best", "linux", ran="emulator"),
    Target(
        name="linux-armv7",
        about="a library for 32-bit ARM with NEON and Linux, in the ABI of hard floats",
        needs=_NEEDS["linux"],
        ran="emulator",
        family="arm",
        processor="arm",
        system="linux",
        abi="eabihf",
        machine=ARMV7,
        level="neon",
        zig=("-mcpu=generic+v7a",),
        # Processors before ARMv7VE do not divide, and the C library does not do it for them.
        link=("-rtlib=compiler-rt",),
    ),
    Target(
        name="linux-riscv64",
        about="a library for any 64-bit RISC-V with Linux, for each at its best",
        needs=_NEEDS["linux"],
        ran="emulator",
        family="riscv",
        processor="riscv64",
        system="linux",
        machine=riscv.BASELINE,
        level="portable",
        zig=("-mcpu=baseline_rv64",),
        carries_levels=True,
    ),
    _arm64(
        "android-aarch64",
        "a library for any 64-bit ARM with Android, for each at its best",
        "android",
        ran="built only",
    ),
    _x86(
        "macos-x86_64",
        "a library (.dylib) for a Mac of Intel with macOS 11 or later, up to AVX2",
        "portable",
        system="macos",
        ran="built only",
    ),
    _arm64(
        "macos-arm64",
        "a library (.dylib) for a Mac of Apple silicon with macOS 11 or later",
        "macos",
        ran="built only",
        # All have it, and nobody asks the system for more.
        level="dotprod",
    ),
    _arm64(
        "ios-arm64",
        "an archive (.a) to link into an app for iOS 13 or later",
        "ios",
        ran="built only",
        threads=1,
    ),
    _x86(
        "windows-x86_64",
        "a library (.dll) for any 64-bit x86 with Windows, for each at its best",
        "portable",
        system="windows",
        ran="emulator",
    ),
    _arm64("windows-arm64", "a library (.dll) for any 64-bit ARM with Windows", "windows", ran="built only"),
    _cuda(
        "cuda",
        "a library for an NVIDIA GPU beside a 64-bit x86 with Linux",
        "x86",
        "x86_64",
        "portable",
    ),
    _cuda(
        "cuda-aarch64",
        "a library for an NVIDIA GPU beside a 64-bit ARM with Linux: Jetson, Grace",
        "arm",
        "aarch64",
        "neon",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """What a user is told of a target.

    Attributes:
        target, about, needs, ran: as in its row.
        levels: that an artifact carries in some precision, from the lowest to the highest; none where it has but one.
        threads: the most of a call, where nothing is asked for.
    """

    target: str
    about: str
    needs: str
    levels: tuple[str, ...]
    threads: int
    ran: Ran


def listed() -> tuple[Listed, ...]:
    """All targets, in the order of the table."""
    return tuple(
        Listed(
            target=row.name,
            about=row.about,
            needs=row.needs,
            levels=tuple(level.name for level in offered_levels(row)) if row.carries_levels else (),
            threads=row.threads,
            ran=row.ran,
        )
        for row in TARGETS
    )


def target(name: str) -> Target:
    """The target of a name.

    Raises: Refused, with near names, when there is none.
    """
    names = [row.name for row in TARGETS]
    if name in names:
        return TARGETS[names.index(name)]
    if near := difflib.get_close_matches(name, names, n=2):
        raise Refused(f"there is no target {name!r}; is it {' or '.join(near)}?")
    known = ", ".join(names)
    raise Refused(
        f"there is no target {name!r}; take one of {known} (`depthwise compile --list-targets` explains them)"
    )


def usual_threads() -> str:
    """How many threads the targets have where nothing is asked for, in a few words."""
    usual = TARGETS[0].threads
    others = (f"{row.threads} for {row.name}" for row in TARGETS if row.threads != usual)
    return ", ".join((str(usual), *others))


def at_level(row: Target, cpu: str | None) -> Target:
    """A target for another processor of its family than the one that it stands for, and for no other.

    Raises: Refused, when there is no such level, or the target has no choice of it.
    """
    if cpu is None:
        return row
    offered = offered_levels(row)
    if not offered:
        raise Refused(f"--cpu: target {row.name} here has no processors to choose among; leave it away")
    level = next((level for level in offered if level.name == cpu), None)
    if level is None:
        raise Refused(f"there is no processor {cpu!r}; --cpu takes {', '.join(level.name for level in offered)}")
    cc = level.cc if row.cc is not None else None
    return replace(row, machine=level.machine, level=level.name, carries_levels=False, zig=level.zig, cc=cc)


def offered_levels(row: Target) -> tuple[Level, ...]:
    """The levels that `--cpu` chooses among for a target, from the lowest to the highest."""
    # Only where one library is for many processors, or for this machine's, is there a choice.
    if not (row.carries_levels or row.machine is None):
        return ()
    known = (family_named(row.family) if row.family else family_here()).levels
    names = [level.name for level in known]
    return known[: names.index(row.highest) + 1] if row.highest else known


def for_machine(row: Target, machine: Machine, precision: Precision) -> tuple[Target, ...]:
    """What a library for one processor carries: its level, and below one on tiles, which a system may refuse, one
    without."""
    # On Intel dot products of bf16 take longer than the same in float32.
    slow = BF16_DOTS if machine.maker == INTEL else frozenset[str]()
    machine = replace(machine, features=machine.features - slow)
    found = replace(row, machine=machine)
    if precision == "float32" or not AMX.needs <= machine.features:
        return (found,)
    assert row.zig is not None
    less = "".join(f"-{name}" for name in _TILES)
    without = replace(
        found,
        machine=replace(machine, features=machine.features - AMX.needs | AVX512VNNI.needs),
        zig=(*row.zig[:-1], row.zig[-1] + less),
        cc=None if row.cc is None else (*row.cc, *(f"-mno-{name.replace('_', '-')}" for name in _TILES)),
    )
    return (without, replace(found, level="amx"))


# The macro of those dot products.
BF16_DOTS = AVX512BF16.needs - AVX512VNNI.needs
# What compilers call the tiles, and what is computed on them.
_TILES = ("amx_tile", "amx_int8", "amx_bf16")


def levels(row: Target, precision: Precision) -> tuple[Target, ...]:
    """The levels that a library carries, from the lowest to the highest, each as a target for it alone."""
    if not row.carries_levels:
        return (row,)
    carried = (level for level in offered_levels(row) if precision in level.carried)
    return tuple(at_level(row, level.name) for level in carried)
