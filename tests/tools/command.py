"""The command line in a process of its own, forked from that of the tests: nothing has to be loaded once more.

tools/trainings.py forks trainings.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Mapping
from subprocess import CompletedProcess
from typing import NoReturn

# What says how wide and how coloured a terminal is.
_TERMINAL = ("COLUMNS", "NO_COLOR", "FORCE_COLOR")


def depthwise(*arguments: object, **environment: str) -> CompletedProcess[str]:
    """What `depthwise ARGUMENTS` prints and ends with, where no terminal is; `environment` are further variables."""
    return Fork(command_line, arguments, environment).ended()


def without_torch(*arguments: object) -> CompletedProcess[str]:
    """The same on a machine without PyTorch."""
    return Fork(_command_line_without_torch, arguments, {}).ended()


def command_line() -> None:
    """`depthwise`, with the arguments of this process."""
    from depthwise.cli.main import main

    main()


class Fork:
    """A process that was forked from this one, runs `work`, and ends as that says.

    Args:
        work: what it does, with `arguments` as its command line.
        environment: further variables.
    """

    def __init__(self, work: Callable[[], object], arguments: Iterable[object], environment: Mapping[str, str]) -> None:
        self._words = [os.fspath(word) if isinstance(word, os.PathLike) else str(word) for word in arguments]
        self._said = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        sys.stdout.flush()
        self._number = os.fork()
        if self._number == 0:
            _become(work, self._words, [file.fileno() for file in self._said], environment)

    def ended(self) -> CompletedProcess[str]:
        """Wait until it ends; what it printed."""
        code = os.waitstatus_to_exitcode(os.waitpid(self._number, 0)[1])
        said = []
        for file in self._said:
            with file:
                file.seek(0)
                said.append(file.read().decode())
        return CompletedProcess(self._words, code, *said)


def _become(
    work: Callable[[], object], words: list[str], places: list[int], environment: Mapping[str, str]
) -> NoReturn:
    """Do the work in this process, and end it as that says."""
    code = 70  # no command ends with it
    try:
        _prepare(words, places, environment)
        work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _prepare(words: list[str], places: list[int], environment: Mapping[str, str]) -> None:
    for name in _TERMINAL:
        os.environ.pop(name, None)
    os.environ.update(environment)
    encoding = os.environ.get("PYTHONIOENCODING", "utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, place in enumerate((nothing, *places)):
        os.dup2(place, number)
    sys.argv = ["depthwise", *words]
    sys.stdin = os.fdopen(0, encoding=encoding, closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding=encoding, closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding=encoding, errors="backslashreplace", buffering=1, closefd=False)


def _command_line_without_torch() -> None:
    """Forget PyTorch, and what of ours may have loaded it, first."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("torch", "depthwise")]:
        del sys.modules[name]
    sys.modules["torch"] = None  # type: ignore[assignment]
    command_line()
