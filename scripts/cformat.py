#!/usr/bin/env python3
"""Say which C clang-format would write otherwise: headers, what tests compile, and the emitted C that was reviewed.

usage: scripts/check cformat             what would change
       scripts/cformat.py --write        change it

How C looks is in .clang-format, and for emitted C in tests/golden/.clang-format.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Not resolved: the python of a virtual environment is a link, and its tools lie beside the link.
TOOL = Path(sys.executable).with_name("clang-format")
ROOMS = ("src", "tests")


def main(arguments: list[str]) -> int:
    """Look, or write; the exit code."""
    if arguments not in ([], ["--write"]):
        print((__doc__ or "").strip())
        return 0 if arguments in (["-h"], ["--help"]) else 2
    files = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.[ch]"))
    how = ("-i",) if arguments else ("--dry-run", "--Werror")
    return subprocess.run((str(TOOL), *how, *map(str, files)), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
