"""The conductor's side of a worker: start it, give orders, read answers."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from depthwise.bench.peers import Setting
from depthwise.errors import Refused


class Worker:
    """A contender that is loaded, in a process of its own. Closing it ends the process.

    Attributes:
        name: of the contender.
        first_ns: from the start of the process to its first answer.
        label: of that answer.
        bytes_before: its memory before anything of the contender was loaded; None where the system does not tell.
        asked_for_tiles: whether it asked the system for the tiles of AMX; None where the system does not tell.

    Raises: Refused, when it cannot be loaded, with what it says.
    """

    def __init__(self, name: str, file: Path, setting: Setting, images: Path) -> None:
        self.name = name
        text = json.dumps(dataclasses.asdict(setting))
        command = [sys.executable, "-m", "depthwise.bench.worker", name, str(file), text, str(images)]
        begun = time.perf_counter_ns()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment(setting.threads),
        )
        said = self._read()
        self.first_ns = time.perf_counter_ns() - begun
        self.label: int = said["label"]
        self.bytes_before: int | None = said["bytes_before"]
        self.asked_for_tiles: bool | None = said["asked_for_tiles"]

    def order(self, what: str) -> dict[str, Any]:
        """Have something done; what the worker answers."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": what}) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise Refused(self._ended()) from None
        return self._read()

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # of a process that is gone, with an order not yet read
                self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            message = self._ended()
            self.close()
            raise Refused(message)
        said: dict[str, Any] = json.loads(line)
        if "error" in said:
            self.close()
            raise Refused(said["error"])
        return said

    def _ended(self) -> str:
        code = self._process.wait()
        return f"{self.name}: its process ended with {code}; leave it out with --against"


def environment(threads: int) -> dict[str, str]:
    """Of a process that is measured: for libraries that look at OpenMP's variable alone; and with compiled Python of
    ours beside that of the peers, which pip compiled, also where this process is told to keep none."""
    return {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONDONTWRITEBYTECODE": "",
    }
