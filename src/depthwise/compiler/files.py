"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from depthwise.errors import Refused


def write_file(path: Path, content: bytes) -> None:
    """Write a file in one step; one that exists is replaced.

    Raises: Refused, when it cannot be written.
    """
    fresh = _beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(fresh, content)
        fresh.replace(path)
    except OSError as problem:
        raise Refused(f"{path}: cannot be written ({problem.strerror}); choose another place") from None
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files in one step; a folder that holds no other files is replaced.

    Raises: Refused, when it holds other files or cannot be written.
    """
    if path.exists() and (not path.is_dir() or any(p.name not in files for p in path.iterdir())):
        raise Refused(f"{path}: exists and holds other files; choose another name or remove it")
    fresh, old = _beside(path), _beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.mkdir()
        for name, content in files.items():
            _write(fresh / name, content)
        if path.exists():
            path.rename(old)
        fresh.rename(path)
    except OSError as problem:
        if old.exists() and not path.exists():
            old.rename(path)
        raise Refused(f"{path}: cannot be written ({problem.strerror}); choose another place") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
