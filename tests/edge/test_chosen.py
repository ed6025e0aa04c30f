"""Of a folder of artifacts for several targets the one for this machine is taken."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from depthwise.compiler.several import file_for
from depthwise.compiler.targets import TARGETS
from depthwise.edge import chosen
from depthwise.edge.artifact import Artifact
from depthwise.errors import Refused


@pytest.mark.parametrize(
    ("system", "processor", "largest", "file"),
    [
        ("linux", "x86_64", 2**63 - 1, "linux-x86_64.so"),
        ("linux", "aarch64", 2**63 - 1, "linux-aarch64.so"),
        # Raspberry Pi OS of 32 bits starts a kernel of 64 where the board has one.
        ("linux", "aarch64", 2**31 - 1, "linux-armv7.so"),
        ("linux", "armv8l", 2**31 - 1, "linux-armv7.so"),
        # As `linux32 python3` is told.
        ("linux", "armv8l", 2**63 - 1, "linux-aarch64.so"),
        ("linux", "riscv64", 2**63 - 1, "linux-riscv64.so"),
        ("darwin", "arm64", 2**63 - 1, "macos-arm64.dylib"),
        ("win32", "AMD64", 2**63 - 1, "windows-x86_64.dll"),
        ("win32", "ARM64", 2**63 - 1, "windows-arm64.dll"),
    ],
)
def test_a_process_takes_what_it_can_load(
    system: str, processor: str, largest: int, file: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(sys, "maxsize", largest)
    monkeypatch.setattr(platform, "machine", lambda: processor)
    names = [file_for(row.name) for row in TARGETS if row.system]
    for name in names:
        (tmp_path / name).touch()

    assert file in names
    assert chosen.artifact_in(str(tmp_path)) == str(tmp_path / file)


def test_python_on_android_takes_what_androids_loader_takes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "getandroidapilevel", lambda: 30, raising=False)
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    for name in ("linux-aarch64.so", "android-aarch64.so"):
        (tmp_path / name).touch()

    assert chosen.artifact_in(str(tmp_path)) == str(tmp_path / "android-aarch64.so")


def test_a_folder_for_other_machines_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "mips64")
    (tmp_path / "linux-aarch64.so").touch()

    with pytest.raises(Refused, match=r"holds linux-aarch64\.so, and this is \w+ mips64; compile"):
        Artifact.open(tmp_path)
