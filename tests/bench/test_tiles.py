"""Who asked the system for the tiles of AMX."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# A process of its own: once it has asked, it always has.
_ASKS = """
import ctypes, sys
from depthwise.bench.tiles import asked_for_tiles
before = asked_for_tiles()
code = ctypes.CDLL(None).syscall(158, 0x1023, 18) if "ask" in sys.argv else 1
print(before, asked_for_tiles(), code)
"""


def answer(*arguments: str) -> list[str]:
    return subprocess.check_output([sys.executable, "-c", _ASKS, *arguments], text=True).split()


def test_a_process_that_did_not_ask_for_tiles_has_none() -> None:
    before, after, _ = answer()

    assert before == after
    assert before in ("False", "None")


def test_a_process_that_asked_for_tiles_is_known_to_have_them() -> None:
    if not Path("/proc/cpuinfo").exists() or "amx_tile" not in Path("/proc/cpuinfo").read_text().split():
        pytest.skip("this processor has no tiles")
    before, after, code = answer("ask")
    if code != "0":
        pytest.skip("this processor has no tiles that the system lends")

    assert (before, after) == ("False", "True")
