"""Builds small C libraries for tests, among them an artifact that no compiler of ours wrote."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path
from zlib import crc32

from depthwise.kernels.headers import FOLDER
from tools.caches import lasting

INCLUDE = tuple(f"-I{folder}" for folder in sorted({path.parent for path in FOLDER.rglob("*.h")}))
STRICT = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-pedantic")
LABELS = ("red", 'green "as grass"', "blue\n🐳")
# Without the C library, which zig would first have to build; memcpy is every process's own.
ZIG = (sys.executable, "-m", "ziglang", "cc", "-nostdlib")


def build(source: Path, out: Path, *flags: str, compiler: tuple[str, ...] = ZIG) -> Path:
    """Compile and link one C file that includes the kernels' headers."""
    caches = dict.fromkeys(_CACHES, str(lasting("zig")))
    command = [*compiler, *INCLUDE, "-O2", *flags, str(source), "-o", str(out)]
    done = subprocess.run(command, env=os.environ | caches, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return out


_CACHES = ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR")


def trailer(library: bytes, major: int = 1, minor: int = 0) -> bytes:
    """The trailer that docs/artifact.md describes."""
    return struct.pack("<8sQIII", b"DWTRAIL2", len(library), crc32(library), major, minor)


def plain_artifact(folder: Path, *flags: str) -> Path:
    """The artifact of plain_artifact.c; without flags for the least of this machine's processors."""
    path = build(Path(__file__).with_suffix(".c"), folder / "plain.so", *STRICT, *flags, "-shared", "-fPIC")
    content = path.read_bytes()
    path.write_bytes(content + trailer(content))
    return path


def changed(
    path: Path,
    out: Path,
    *,
    interface: int = 1 << 16,
    labels: int = 3,
    golden: int = 0,
    record: bytes | None = b"{}",
    without: str = "",
    minor: int = 0,
) -> Path:
    """A copy of that artifact which says other things of itself, or lacks a function, under a sound trailer."""
    library = path.read_bytes()[:-28]
    settings = struct.pack("<Iiii64s", interface, labels, golden, record is not None, record or b"")
    start = library.index(b"SETTINGS") + 8
    library = library[:start] + settings + library[start + len(settings) :]
    if without:
        library = library.replace(without.encode() + b"\0", b"x" * len(without) + b"\0")
    out.write_bytes(library + trailer(library, minor=minor))
    return out
