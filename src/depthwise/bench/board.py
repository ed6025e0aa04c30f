"""Measuring on a board without depthwise: a folder that is carried there, and the file that comes back."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depthwise.bench.subject import Subject
from depthwise.bench.zig import compile_c
from depthwise.compiler import compile_model
from depthwise.compiler.targets import TARGETS, Target, target
from depthwise.errors import Refused
from depthwise.files import read_file, write_folder
from depthwise.kernels.headers import INTERFACE
from depthwise.places import Kind, names
from depthwise.tables import Column, Table

_SOURCE = Path(__file__).with_name("board.c")
_LIMIT = 4 << 20
_RUN = """#!/bin/sh
# Measures the network on this board and writes result.json; read it elsewhere with: depthwise bench --read result.json
# Run as: sh run.sh
cd "$(dirname "$0")" || exit 1
chmod +x measure
./measure > result.part
code=$?
if [ "$code" -eq 126 ] || [ "$code" -eq 127 ]; then
    echo "measure does not start here; building it anew with cc" >&2
    echo "(if that does not help: does this disk allow programs? see: mount | grep noexec)" >&2
    cc -O2 -o measure measure.c ./libmodel.so -Wl,-rpath,'$ORIGIN' && ./measure > result.part
    code=$?
fi
[ "$code" -eq 0 ] && mv result.part result.json && echo "wrote $(pwd)/result.json"
exit "$code"
"""
_FILES = frozenset({"run.sh", "measure", "measure.c", "depthwise.h", "libmodel.so"})
# What run.sh leaves.
_RESULTS = frozenset({"result.json", "result.part"})
BOARD = Kind(name="a folder for a board", is_one=lambda path: names(path) - _RESULTS == _FILES, folder=True)
# The oldest C library that a program runs with, where it is not what others have.
_OLDEST = {"linux-riscv64": ".2.27"}


@dataclass(frozen=True, kw_only=True)
class Timed:
    """A line of a table: one contender on one machine.

    Attributes:
        file: that says it.
        where: the board, or its processor.
        what: the network, or the contender.
        precision, level: what is computed in, and by which instructions; "-" where nobody says.
        threads: that could compute.
        least, median: milliseconds a call.
        verified: whether the golden cases held; None where nobody says.
    """

    file: str
    where: str
    what: str
    precision: str
    level: str
    threads: int
    least: float
    median: float
    verified: bool | None


def write_board(subject: Subject, name: str, out: Path) -> None:
    """Write the folder for a board: an artifact, a program that times it, its source, and the script that starts it.

    Args:
        name: of a target with Linux.
    Raises: Refused, when the target has no such folder, something fails to compile, or the folder cannot be written.
    """
    row = target(name)
    if row.system != "linux":
        known = ", ".join(row.name for row in TARGETS if row.system == "linux")
        raise Refused(f"--portable is for boards with Linux; --target takes {known}")
    with tempfile.TemporaryDirectory(prefix="depthwise-") as place:
        library = Path(place, "libmodel.so")
        compile_model(subject.model, target=name, out=library, precision=subject.precision, keep_dead=subject.keep_dead)
        program = board_program(row, Path(place))
        files = {path.name: path.read_bytes() for path in (library, program, INTERFACE)}
    files |= {"measure.c": _SOURCE.read_bytes(), "run.sh": _RUN.encode()}
    write_folder(out, files, BOARD)


def board_program(row: Target, folder: Path, source: Path = _SOURCE) -> Path:
    """Build a program, such as the one that times an artifact, beside the libmodel.so that it is linked to.

    Returns: `measure` in that folder, which asks for an old C library.
    Raises: Refused, when it fails to compile.
    """
    return compile_c(
        source,
        folder / "measure",
        # By its name and not by its path, which the program would then look for.
        flags=(f"-I{INTERFACE.parent}", f"-L{folder}", "-lmodel", "-Wl,-rpath,$ORIGIN", "-s"),
        is_program=True,
        triple=f"{row.processor}-linux-gnu{row.abi}{_OLDEST.get(row.name, '.2.17')}",
    )


def read_timed(path: Path) -> tuple[Timed, ...]:
    """The lines of a file that a board wrote, or that `depthwise bench --json` printed.

    Raises: Refused, when it is neither.
    """
    try:
        document = json.loads(read_file(path, _LIMIT))
        lines = _of_board if document.get("kind") == "depthwise board" else _of_bench
        return tuple(lines(path.name, document))
    except OSError as problem:
        raise Refused(f"{path}: cannot be read ({problem.strerror or problem})") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Refused(
            f"{path}: is neither what run.sh of `depthwise bench --portable` writes nor what `depthwise bench --json`"
            " prints"
        ) from None


def _of_board(file: str, document: dict[str, Any]) -> list[Timed]:
    record = document["record"]
    where = document["board"] or document["processor"] or document["machine"]
    what = f"{float(record['spec']['width']):g}-{int(record['spec']['resolution'])}"
    return [
        Timed(
            file=file,
            where=str(where),
            what=what,
            precision=str(record["precision"]),
            level=str(level["level"]),
            threads=int(timed["threads"]),
            least=float(timed["least_ms"]),
            median=float(timed["median_ms"]),
            verified=bool(level["verified"]),
        )
        for level in document["levels"]
        for timed in level["times"]
    ]


def _of_bench(file: str, document: dict[str, Any]) -> list[Timed]:
    networks = document.get("networks", [document])
    return [
        Timed(
            file=file,
            where=str(document["machine"]["processor"]),
            what=f"{network['name']}, {result['name']}",
            precision=str(network["precision"]),
            level="-",
            threads=int(result["threads"]),
            least=float(result["times"]["fastest"]),
            median=float(result["times"]["median"]),
            verified=None,
        )
        for network in networks
        for result in network["results"]
    ]


def timed_table(lines: Sequence[Timed]) -> Table:
    """All lines, file by file."""
    texts = ("file", "where", "what", "precision", "level", "golden cases")
    numbers = ("threads", "ms least", "ms median")
    said = {True: "hold", False: "DIFFER", None: "-"}
    return Table(
        title="Milliseconds a call",
        columns=(*(Column(heading=h, is_text=True) for h in texts), *(Column(heading=h) for h in numbers)),
        rows=tuple(
            (
                line.file,
                line.where,
                line.what,
                line.precision,
                line.level,
                said[line.verified],
                str(line.threads),
                f"{line.least:.3f}",
                f"{line.median:.3f}",
            )
            for line in lines
        ),
    )
