"""Build one network for every target, run it where that can be done, and write the table of docs/targets.md.

    python scripts/targets_page.py [TARGET ...]     prints the rows of all targets, or of those named
    python scripts/targets_page.py --update         writes them into the page

Runs natively, under qemu-user (with the C libraries of Debian's cross compilers) and under wine. The golden cases are
the oracle's, so that an int8 artifact which they hold for gives its bytes.
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

from depthwise.bench.board import write_board
from depthwise.bench.subject import Subject
from depthwise.compiler import compile_model
from depthwise.compiler.outputs.compilers import compiler
from depthwise.compiler.targets import TARGETS, Target
from depthwise.kernels.headers import INTERFACE
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "targets.md"
SPEC = Spec(width=0.25, resolution=128, classes=10)
BEGIN, END = "<!-- rows of scripts/targets_page.py -->\n", "<!-- end of rows -->\n"
# The emulator of each processor, where Debian keeps a C library for it, and the processors that are emulated.
EMULATED = {
    "linux-aarch64": ("qemu-aarch64", "/usr/aarch64-linux-gnu", ("cortex-a53", "cortex-a76", "max,sve=off,sme=off")),
    "linux-armv7": ("qemu-arm", "/usr/arm-linux-gnueabihf", ("cortex-a7",)),
    "linux-riscv64": (
        "qemu-riscv64",
        "/usr/riscv64-linux-gnu",
        ("rv64", "rv64,v=true,vlen=128", "rv64,v=true,vlen=256"),
    ),
}


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
        "| target | levels | bytes of the file | arena, bytes | ran on, level picked there | golden cases hold at |\n"
        "| --- | --- | ---: | ---: | --- | --- |\n"
    )


def line(row: Target) -> str:
    """A row of the table: what was built, and what was found where it ran."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        built = compile_model(random_quantized(SPEC), target=row.name, out=folder / "model")
        runs = ran(row, folder)
    where = "; ".join(f"{run.where}: `{run.picked}`" for run in runs) or "built, not run"
    held = sorted({level for run in runs for level in run.held}, key=built.levels.index)
    differed = {level for run in runs for level in run.differed}
    said = f"DIFFER at {', '.join(differed)}" if differed else ", ".join(f"`{level}`" for level in held) or "-"
    levels = ", ".join(f"`{level}`" for level in built.levels)
    return f"| `{row.name}` | {levels} | {built.bytes:,} | {built.arena_bytes:,} | {where} | {said} |"


def ran(row: Target, folder: Path) -> list[Ran]:
    """What was found, on each processor that this machine has or emulates."""
    if row.system == "windows":
        return on_wine(row, folder)
    if row.system != "linux":
        return []
    board = folder / "board"
    write_board(Subject(name="random", model=random_quantized(SPEC), precision="int8"), row.name, board)
    (board / "measure").chmod(0o755)
    if row.processor == platform.machine():
        return [read("this machine", ["./measure", "0.001"], board)]
    emulator, libraries, processors = EMULATED[row.name]
    if shutil.which(emulator) is None or not Path(libraries).is_dir():
        return []
    command = [emulator, "-L", libraries]
    return [
        read(f"qemu {cpu.split(',sve')[0]}", [*command, "-cpu", cpu, "measure", "0.001"], board) for cpu in processors
    ]


def read(where: str, command: list[str], folder: Path) -> Ran:
    """What the program of `bench --portable` says."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return Ran(where=where, picked=f"ended with {done.returncode}", held=(), differed=("all",))
    document = json.loads(done.stdout)
    levels = {level["level"]: level["verified"] for level in document["levels"]}
    return Ran(
        where=where,
        picked=document["in_use"],
        held=tuple(name for name, held in levels.items() if held),
        differed=tuple(name for name, held in levels.items() if not held),
    )


def on_wine(row: Target, folder: Path) -> list[Ran]:
    """What the program of the tests says of a library for Windows, under wine."""
    if row.processor != platform.machine() or shutil.which("wine") is None:
        return []
    (folder / "model").rename(folder / "model.dll")
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
