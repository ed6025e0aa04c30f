"""Small C programs of this room, built for this machine with the compiler that builds artifacts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from depthwise.beside import work_folder
from depthwise.compiler import targets
from depthwise.compiler.outputs import compilers
from depthwise.errors import Refused


def compile_c(
    source: Path, out: Path, *others: Path, flags: tuple[str, ...] = (), is_program: bool = False, triple: str = ""
) -> Path:
    """Compile one C file to a library, or to a program that `others` are linked to.

    Args:
        triple: of another machine than this one, as zig calls it.
    Raises: Refused, when the compiler is missing or fails.
    """
    command = compilers.compiler(targets.target("host"), None).command
    if triple:
        command = (*command[:2], "-target", triple)
    kind = () if is_program else ("-shared", "-fPIC", "-nostdlib")
    with work_folder() as cache:
        environment = {**os.environ, "ZIG_LOCAL_CACHE_DIR": str(cache)}
        environment.setdefault("ZIG_GLOBAL_CACHE_DIR", str(cache))
        done = subprocess.run(
            [*command, "-std=gnu11", "-O2", *kind, *flags, str(source), *map(str, others), "-o", str(out)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[-300:]
        raise Refused(f"{source.name}: the compiler ended with {done.returncode}: {said}")
    return out
