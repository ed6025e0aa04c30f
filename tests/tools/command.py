"""The command line in a process of its own, forked from that of the tests: nothing has to be loaded once more."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Iterable, Mapping
from subprocess import CompletedProcess
from typing import NoReturn

# What says how wide and how coloured a terminal is.
_TERMINAL = ("COLUMNS", "NO_COLOR", "FORCE_COLOR")


def depthwise(*arguments: object, **environment: str) -> CompletedProcess[str]:
    """What `depthwise ARGUMENTS` prints and ends with, where no terminal is; `environment` are further variables."""
    return _ended(arguments, environment, torch=True)


def without_torch(*arguments: object) -> CompletedProcess[str]:
    """The same on a machine without PyTorch."""
    return _ended(arguments, {}, torch=False)


def _ended(arguments: Iterable[object], environment: Mapping[str, str], *, torch: bool) -> CompletedProcess[str]:
    words = [os.fspath(word) if isinstance(word, os.PathLike) else str(word) for word in arguments]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            _become(words, (out.fileno(), err.fileno()), environment, torch)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(file.read().decode())
    return CompletedProcess(words, code, *said)


def _become(words: list[str], places: tuple[int, int], environment: Mapping[str, str], torch: bool) -> NoReturn:
    """Run the command in this process, and end it as it says."""
    code = 70  # no command ends with it
    try:
        _prepare(words, places, environment)
        if not torch:
            _without_torch()
        from depthwise.cli.main import main

        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _prepare(words: list[str], places: tuple[int, int], environment: Mapping[str, str]) -> None:
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


def _without_torch() -> None:
    """Forget PyTorch, and what of ours may have loaded it."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("torch", "depthwise")]:
        del sys.modules[name]
    sys.modules["torch"] = None  # type: ignore[assignment]
