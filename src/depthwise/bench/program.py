"""The artifact in a C program: from the start of the process to the first answer, without Python."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from depthwise.bench.peers import Pixels
from depthwise.bench.results import Program, times
from depthwise.bench.zig import compile_c
from depthwise.kernels.headers import INTERFACE


def program(artifact: Path, pixels: Pixels, folder: Path, starts: int) -> Program | None:
    """Build the program and start it a few times; None where programs are not started in this way.

    Raises: Refused, when the compiler fails.
    """
    if not sys.platform.startswith("linux") or starts < 1:
        return None
    library = folder / "libartifact.so"
    library.write_bytes(artifact.read_bytes())
    built = compile_c(
        Path(__file__).with_name("program.c"),
        folder / "program",
        library,
        flags=(f"-I{INTERFACE.parent}", f"-Wl,-rpath,{folder}"),
        is_program=True,
    )
    image = folder / "pixels.bin"
    image.write_bytes(pixels.tobytes())
    starts_ns, most = [], -1
    for _ in range(starts):
        begun = time.perf_counter_ns()
        with subprocess.Popen([str(built), str(image)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            label = process.stdout.readline()
            starts_ns.append(time.perf_counter_ns() - begun)
            most = int(process.stdout.readline() or -1)
        if not label or process.returncode != 0:
            return None
    return Program(
        first=times(starts_ns),
        memory_bytes=most * 1024 if most >= 0 else None,
        file_bytes=built.stat().st_size + artifact.stat().st_size,
    )
