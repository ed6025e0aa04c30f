"""The compilers that the tests of this room use."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from depthwise.compiler.outputs.compilers import compiler
from depthwise.compiler.outputs.lean import lean
from depthwise.compiler.targets import target
from depthwise.kernels.x86.instructions import AVX512VBMI
from tools.emitted import AVX512_IN_LOOPS, needs_features, predefined, tiles_permitted


@pytest.fixture(scope="session")
def zig() -> tuple[str, ...]:
    """The compiler that the package brings, for this machine."""
    chosen = compiler(target("host"), None)
    return lean(chosen, chosen.machine()).command


@pytest.fixture(scope="session")
def zig_with_tiles(zig: tuple[str, ...]) -> tuple[str, ...]:
    """zig for kernels on tiles and all of AVX-512 around them: in C where this machine lacks one or the other."""
    needs_features(frozenset({"__AVX2__", "__FMA__"}), zig)
    command = compiler(target("host"), None).command
    if "__AMX_TILE__" not in predefined(zig):
        command = (*command, "-DDWK_TILES_IN_C")
    elif not tiles_permitted():
        command = (*command[:-1], f"{command[-1]}-amx_tile-amx_int8-amx_bf16", "-DDWK_TILES_IN_C")
    if AVX512VBMI.needs <= predefined(zig):
        return command
    quiet = ("-Wno-psabi", "-Wno-unused-command-line-argument")
    return (*command, "-I.", "-include", str(AVX512_IN_LOOPS), *quiet)


@pytest.fixture(scope="session")
def gcc() -> str:
    """The system's gcc; the test is skipped where there is none."""
    found = shutil.which("gcc")
    if found is None:
        pytest.skip("gcc is not installed; what it alone can check is not checked")
    return found


@pytest.fixture(scope="session", params=["gcc", "clang"])
def cc(request: pytest.FixtureRequest) -> str:
    """Each compiler of the system that `--cc` is meant for; the test is skipped for one that is not there."""
    found = _newest(request.param)
    if found is None:
        pytest.skip(f"{request.param} is not installed; nothing is built with it")
    return found


def _newest(name: str) -> str | None:
    """A compiler on the path, or the newest of those whose names end with a version."""
    if found := shutil.which(name):
        return found
    paths = [path for folder in os.get_exec_path() for path in Path(folder).glob(f"{name}-*")]
    versions = {int(path.name[len(name) + 1 :]): path for path in paths if re.fullmatch(rf"{name}-\d+", path.name)}
    return str(versions[max(versions)]) if versions else None
