"""Trainings in processes of their own, in which PyTorch need not be loaded once more."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import torch

# The first optimizer of a process loads this, for seconds; here instead of in each fork.
import torch._dynamo
from torch.distributed import TCPStore  # type: ignore[attr-defined]

from tools.command import Fork, command_line

# Where a fresh process finds this folder.
TESTS = Path(__file__).parent.parent


def script(path: Path, *arguments: str) -> CompletedProcess[str]:
    """What `python PATH ARGUMENTS` prints and ends with."""
    return _begun(path, arguments, {})()


def together(processes: int, *arguments: object, path: Path | None = None) -> list[CompletedProcess[str]]:
    """What each of several processes prints that work as one, with the variables that torchrun sets.

    Args:
        path: of a script; the command `depthwise` where none is given.
    """
    # As torchrun does: on a port that is free, and that this process holds until all have ended.
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    shared = {
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port), "TORCHELASTIC_USE_AGENT_STORE": "True",
        "WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes),
    }  # fmt: skip
    words = tuple(map(str, arguments))
    ends = [_begun(path, words, {**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}) for rank in range(processes)]
    return [end() for end in ends]


def _begun(
    path: Path | None, arguments: tuple[str, ...], environment: dict[str, str]
) -> Callable[[], CompletedProcess[str]]:
    """A process that runs already; the function waits for its end."""
    if torch.cuda.is_available():
        # CUDA cannot be used in a fork of a process that may have used it.
        return _fresh(path, arguments, environment)
    work = command_line if path is None else lambda: runpy.run_path(str(path), run_name="__main__")
    return Fork(work, arguments, environment).ended


def _fresh(
    path: Path | None, arguments: tuple[str, ...], environment: dict[str, str]
) -> Callable[[], CompletedProcess[str]]:
    start = ["-m", "depthwise"] if path is None else [str(path)]
    begun = subprocess.Popen(
        [sys.executable, *start, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
        cwd=TESTS,
    )

    def ended() -> CompletedProcess[str]:
        out, err = begun.communicate()
        return CompletedProcess(list(arguments), begun.returncode, out, err)

    return ended
