"""The processors that qemu emulates for the scripts that run, count and compare artifacts."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Processor:
    """One processor: as qemu calls it, as people do, and the highest level of instructions that it has."""

    cpu: str
    name: str
    level: str


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """What runs the artifacts of a target.

    Attributes:
        program: of qemu.
        libraries: where Debian's cross compilers keep the C library of the target; empty for this machine's.
        getppid: the number of that call, by which programs mark what is counted.
        processors: that are emulated, from the lowest level to the highest.
    """

    program: str
    libraries: str
    getppid: int
    processors: tuple[Processor, ...]

    def command(self, processor: Processor) -> tuple[str, ...]:
        """What stands before a program."""
        libraries = ("-L", self.libraries) if self.libraries else ()
        return (self.program, *libraries, "-cpu", processor.cpu)

    def at(self, level: str) -> Processor:
        """The first processor that has a level and none above it."""
        return next(processor for processor in self.processors if processor.level == level)

    def is_there(self) -> bool:
        """Whether programs that need a C library can be run."""
        return shutil.which(self.program) is not None and Path(self.libraries or "/").is_dir()


def _processors(*rows: tuple[str, str, str]) -> tuple[Processor, ...]:
    return tuple(Processor(cpu=cpu, name=name, level=level) for cpu, name, level in rows)


# By target. On a processor of x86 its own programs run without one.
EMULATORS = {
    "linux-aarch64": Emulator(
        program="qemu-aarch64",
        libraries="/usr/aarch64-linux-gnu",
        getppid=173,
        processors=_processors(
            ("cortex-a53", "cortex-a53", "neon"),
            ("cortex-a72", "cortex-a72", "neon"),
            ("cortex-a76", "cortex-a76", "dotprod"),
            ("max,sve=off,sme=off", "max", "i8mm"),
        ),
    ),
    "linux-armv7": Emulator(
        program="qemu-arm",
        libraries="/usr/arm-linux-gnueabihf",
        getppid=64,
        processors=_processors(("cortex-a7", "cortex-a7", "neon")),
    ),
    "linux-riscv64": Emulator(
        program="qemu-riscv64",
        libraries="/usr/riscv64-linux-gnu",
        getppid=173,
        processors=_processors(
            ("rv64,v=false", "rv64", "portable"),
            ("rv64,v=true,vlen=128,vext_spec=v1.0", "rv64 with V of 128 bits", "v128"),
            ("rv64,v=true,vlen=256,vext_spec=v1.0", "rv64 with V of 256 bits", "v256"),
        ),
    ),
    # qemu 7.2 knows nothing above AVX2.
    "linux-x86_64": Emulator(
        program="qemu-x86_64",
        libraries="",
        getppid=110,
        processors=_processors(("qemu64", "qemu64", "portable"), ("Nehalem", "nehalem", "v2"), ("max", "max", "avx2")),
    ),
}
