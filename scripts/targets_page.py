"""Build one network for every target, run it where that can be done, and write the table of docs/targets.md.

    python scripts/targets_page.py [TARGET ...]     prints the rows of all targets, or of those named
    python scripts/targets_page.py --update         writes them into the page

Runs natively, under qemu-user (with the C libraries of Debian's cross compilers) and under wine. The golden cases are
the oracle's, so that an int8 artifact which they hold for gives its bytes. Instructions are those of
tests/golden/instructions.txt, and on x86 counted anew.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import count_instructions
from depthwise.bench.board import board_program
from depthwise.compiler import compile_model
from depthwise.compiler.outputs.compilers import compiler
from depthwise.compiler.targets import TARGETS, Target
from depthwise.kernels.headers import INTERFACE
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from emulators import EMULATORS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "targets.md"
SPEC = Spec(width=0.25, resolution=128, classes=10)
BEGIN, END = "<!-- rows of scripts/targets_page.py -->\n", "<!-- end of rows -->\n"
# What that program ends with where the processor lacks what the artifact was built for.
LACKING = 2
# The network whose instructions are counted: the same with 1,000 labels.
COUNTED = "0.25-128"


@dataclass(frozen=True, kw_only=True)
class Ran:
    """One run: on what, the level that was picked, and those that verified or did not."""

    where: str
    picked: str
    held: tuple[str, ...]
    differed: tuple[str, ...]


def main(arguments: list[str]) -> int:
    """Print the rows, or write them into the page; the exit code."""
    update = arguments == ["--update"]
    named = [row for row in TARGETS if row.system and (update or not arguments or row.name in arguments)]
    rows = []
    for row in named:
        rows.append(line(row))
        print(rows[-1], flush=True)
    if update:
        text = PAGE.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        after = rest.partition(END)[2]
        table = heading() + "".join(f"{row}\n" for row in rows)
        PAGE.write_text(f"{before}{BEGIN}{table}{END}{after}", encoding="utf-8")
    return 1 if any("DIFFER" in row for row in rows) else 0


def heading() -> str:
    """The first two lines of the table."""
    return (
        "| target | levels | bytes of the file | arena, bytes | ran on, level picked there | golden cases hold at |"
        " million instructions |\n| --- | --- | ---: | ---: | --- | --- | --- |\n"
    )


def line(row: Target) -> str:
    """A row of the table: what was built, and what was found where it ran."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        built = compile_model(random_quantized(SPEC), target=row.name, out=folder / "libmodel.so")
        runs = ran(row, folder)
    where = "; ".join(f"{run.where}: `{run.picked}`" for run in runs) or "built, not run"
    held = sorted({level for run in runs for level in run.held}, key=built.levels.index)
    differed = {level for run in runs for level in run.differed}
    said = f"DIFFER at {', '.join(differed)}" if differed else ", ".join(f"`{level}`" for level in held) or "-"
    levels = ", ".join(f"`{level}`" for level in built.levels)
    counts = instructions(row, built.levels)
    return f"| `{row.name}` | {levels} | {built.bytes:,} | {built.arena_bytes:,} | {where} | {said} | {counts} |"


def instructions(row: Target, levels: tuple[str, ...]) -> str:
    """What an inference takes at each level that was counted."""
    known = count_instructions.known()
    found = []
    for level in levels if row.name in EMULATORS else ():
        case = count_instructions.Case(network=COUNTED, target=row.name, level=level, precision="int8")
        if str(case) in known:
            found.append((level, known[str(case)]))
        elif level in count_instructions.known_levels(row.name):
            found.append((level, count_instructions.counted(case)))
    return ", ".join(f"`{level}` {count / 1e6:.2f}" for level, count in found) or "-"


def ran(row: Target, folder: Path) -> list[Ran]:
    """What was found, on each processor that this machine has or emulates."""
    if row.system == "windows":
        return on_wine(row, folder)
    if row.system != "linux":
        return []
    board_program(row, folder)
    if row.processor == platform.machine():
        return read("this machine", ("./measure", "0.001"), folder)
    emulator = EMULATORS[row.name]
    if not emulator.is_there():
        return []
    return [
        run
        for processor in emulator.processors
        for run in read(f"qemu {processor.name}", (*emulator.command(processor), "measure", "0.001"), folder)
    ]


def read(where: str, command: tuple[str, ...], folder: Path) -> list[Ran]:
    """What the program of `bench --portable` says; nothing where the processor lacks all levels."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode == LACKING:
        return []
    if done.returncode != 0:
        return [Ran(where=where, picked=f"ended with {done.returncode}", held=(), differed=("all",))]
    document = json.loads(done.stdout)
    levels = {level["level"]: level["verified"] for level in document["levels"]}
    return [
        Ran(
            where=where,
            picked=document["in_use"],
            held=tuple(name for name, held in levels.items() if held),
            differed=tuple(name for name, held in levels.items() if not held),
        )
    ]


def on_wine(row: Target, folder: Path) -> list[Ran]:
    """What the program of the tests says of a library for Windows, under wine."""
    if row.processor != platform.machine() or shutil.which("wine") is None:
        return []
    (folder / "libmodel.so").rename(folder / "model.dll")
    flags = ("-O1", "-nostdlib", "-Wl,--entry=mainCRTStartup", f"-I{INTERFACE.parent}", "-lkernel32")
    source = ROOT / "tests" / "compiler" / "windows.c"
    command = [*compiler(row, None).command, *flags, "-o", "program.exe", str(source)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    environment = os.environ | {"WINEPREFIX": str(folder / "wine"), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree="}
    done = subprocess.run(
        ["wine", "program.exe"], cwd=folder, env=environment, input=b"", capture_output=True, check=False
    )
    said = dict(text.split(maxsplit=2)[:2] for text in done.stdout.decode().splitlines())
    held = tuple(level for level, found in said.items() if found == "holds")
    differed = tuple(level for level, found in said.items() if found == "differs")
    return [Ran(where="wine", picked=held[-1] if held else "none", held=held, differed=differed)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
