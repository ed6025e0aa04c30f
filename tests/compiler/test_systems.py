"""Libraries for other systems are of their file formats, export what depthwise.h promises, and ask for nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import make_model
from depthwise.compiler import compile_model
from depthwise.compiler.outputs.windows import exports
from depthwise.kernels.headers import INTERFACE


def test_what_is_exported_is_what_the_interface_declares() -> None:
    text = INTERFACE.read_text(encoding="utf-8")

    assert {"dw_interface", "dw_level", "dw_record", "dw_run", "dw_classify", "dw_verify"} <= set(exports())
    assert len(exports()) == sum(
        line.startswith(("int32_t dw_", "const char *dw_", "uint32_t dw_", "size_t dw_")) for line in text.splitlines()
    )


def test_a_windows_library_exports_the_interface_alone_and_imports_nothing(tmp_path: Path) -> None:
    objdump = shutil.which("objdump")
    if objdump is None:
        pytest.skip("objdump is not installed; libraries for other systems are not looked into")
    built = compile_model(make_model(), target="windows-x86_64", out=tmp_path / "model.dll")
    done = subprocess.run([objdump, "-p", built.path], capture_output=True, text=True, check=True)

    table = done.stdout.split("[Ordinal/Name Pointer] Table")[1].splitlines()
    assert {line.split()[-1] for line in table if "] dw" in line} == set(exports())
    assert "pei-x86-64" in done.stdout
    assert "DLL Name:" not in done.stdout
