#!/usr/bin/env python3
"""The README's two commands, as they stand there, and everything that scripts/check checks, in a fresh copy.

Needs Python 3.11 or newer, what pip needs to find packages, and nothing else. The copy, with the virtual environment
that the README's first command makes in it, lies in the temporary folder and is removed at the end; --keep keeps it.

The README's second command runs the tests, so scripts/check leaves them out; the last line is pytest's own closing
line.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MARKED = re.compile(r"^<!-- ci: (\w+) -->\n```sh\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
# What begins with a dot and belongs to the project.
DOTTED = (".ci", ".gitignore")
CLOSING = re.compile(r"\b\d+ (passed|failed|errors?|skipped|deselected)\b.* in [\d.]+s")


def main() -> int:
    """Run all parts, going on past a failure; the exit code."""
    place = Path(tempfile.mkdtemp(prefix="depthwise-ci-"))
    clone = place / "depthwise"
    try:
        copy(clone)
        commands = dict(MARKED.findall((ROOT / "README.md").read_text(encoding="utf-8")))
        if list(commands) != ["demo", "tests"]:
            print(f"error: README.md marks the commands {list(commands)}; it must mark demo and tests", file=sys.stderr)
            return 2
        parts = {
            "demo": ["/bin/sh", "-c", commands["demo"]],
            "tests": ["/bin/sh", "-c", commands["tests"]],
            "check": [sys.executable, "scripts/check", "--without", "tests"],
        }
        closing, failed = "", []
        for name, command in parts.items():
            code, last = show(name, command, clone)
            closing = last or closing
            failed += [name] if code else []
        print(f"==> failed: {', '.join(failed)}" if failed else "==> everything holds")
        print(closing, flush=True)
        return 1 if failed else 0
    finally:
        if "--keep" in sys.argv[1:]:
            print(f"kept: {clone}", file=sys.stderr)
        else:
            shutil.rmtree(place, ignore_errors=True)


def copy(clone: Path) -> None:
    """The files of the project without environments, caches and what else git ignores."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        # Not a clone, or no git.
        shutil.copytree(ROOT, clone, ignore=lambda _, found: {n for n in found if n[0] == "." and n not in DOTTED})
        return
    for name in names:
        if name and (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)


def show(name: str, command: list[str], clone: Path) -> tuple[int, str]:
    """Run a command and show what it says as it says it; its exit code, and pytest's closing line if it had one."""
    print(f"==> {name}: {command[-1] if command[0] == '/bin/sh' else 'scripts/check --without tests'}", flush=True)
    begun, closing = time.monotonic(), ""
    with subprocess.Popen(
        command,
        cwd=clone,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            print(line, end="", flush=True)
            if CLOSING.search(line):
                closing = line.strip()
    print(f"==> {name}: exit code {running.returncode} after {time.monotonic() - begun:.0f} s", flush=True)
    return running.returncode, closing


def environment() -> dict[str, str]:
    """That of a user with a clone: no virtual environment, and the real images where they lie beside this one."""
    own = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")}
    beside = ROOT.parent / "shared" / "data"
    if beside.is_dir():
        own.setdefault("DEPTHWISE_DATA", str(beside))
    # A test that stops running without a good reason fails (tests/tools/skips.py).
    own["PYTEST_ADDOPTS"] = f"{own.get('PYTEST_ADDOPTS', '')} --refuse-skips".strip()
    return own


if __name__ == "__main__":
    sys.exit(main())
