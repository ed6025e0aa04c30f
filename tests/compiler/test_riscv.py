"""RISC-V on emulated processors: a library picks the right level."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from depthwise.compiler.compile import emit_for
from depthwise.compiler.emit.emit import file_of_level
from depthwise.compiler.lower.compilation import compilation
from depthwise.compiler.outputs.compilers import compiler
from depthwise.compiler.targets import levels, target
from depthwise.kernels.machine import Machine
from depthwise.kernels.riscv.levels import LEVELS
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from depthwise.precision import PRECISIONS
from tools.emitted import build, write_sources
from tools.emulated import needs

# A processor that has a level and none above it.
PROCESSORS = {"portable": "rv64,v=false", "v128": "rv64,v=true,vlen=128", "v256": "rv64,v=true,vlen=256"}
LEVEL_NAMES = [level.name for level in LEVELS]
REPORT = Path(__file__).parents[1] / "tools" / "levels.c"


def machine_of(level: str) -> Machine:
    return next(row.machine for row in LEVELS if row.name == level)


# AT_HWCAP of RV64GC: of a kernel that knows no vectors, or lets no process use them.
WITHOUT_V = "0x112D"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All levels of a network in one program that reports what it finds; and one for which the kernel grants no V."""
    needs("qemu-riscv64")
    folder = tmp_path_factory.mktemp("levels")
    rows = {row.level: row for row in levels(target("linux-riscv64"), "int8")}
    job = compilation(
        random_quantized(Spec(width=0.1, resolution=32, classes=11, shallow=True)), target="test", precision="int8"
    )
    emitted = emit_for(job, {name: machine_of(name) for name in rows})
    write_sources(emitted, folder)
    flags = ("-std=c11", "-O1", PRECISIONS["int8"].contract, "-I.", "-Wno-unused-command-line-argument")
    for name, text in emitted.levels.items():
        (folder / file_of_level(name)).write_text(text, encoding="utf-8")
        build((*compiler(rows[name], None).command, *flags, "-c", file_of_level(name)), folder)
    objects = [str(Path(file_of_level(name)).with_suffix(".o")) for name in rows]
    sources = (str(REPORT), "model.c", "weights.s", *objects)
    command = (*compiler(rows["portable"], None).command, *flags, "-static", "-nostdlib", *sources)
    build((*command, "-o", "program"), folder)
    build((*command, f"-DHWCAP={WITHOUT_V}", "-o", "without"), folder)
    return folder / "program"


def said(program: Path, cpu: str) -> list[str]:
    done = subprocess.run(("qemu-riscv64", "-cpu", cpu, str(program)), capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("highest", LEVEL_NAMES)
def test_a_library_uses_the_highest_level_that_the_processor_has(highest: str, library: Path) -> None:
    has = LEVEL_NAMES[: LEVEL_NAMES.index(highest) + 1]

    assert said(library, PROCESSORS[highest]) == [
        f"in use {highest}",
        *(f"{name} {'holds' if name in has else 'lacking'}" for name in LEVEL_NAMES),
    ]


def test_vectors_that_the_kernel_does_not_grant_are_not_used(library: Path) -> None:
    assert said(library.with_name("without"), PROCESSORS["v256"]) == [
        "in use portable",
        "portable holds",
        "v128 lacking",
        "v256 lacking",
    ]
