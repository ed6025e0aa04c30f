"""Of a folder of artifacts for several targets the one for this machine is taken."""

from __future__ import annotations

import platform
import sys
import sysconfig
from pathlib import Path

import pytest

from depthwise.compiler.several import file_for
from depthwise.compiler.targets import TARGETS
from depthwise.edge import chosen
from depthwise.edge.artifact import Artifact
from depthwise.edge.foreign import foreign
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
        # A terminal under Rosetta is told of x86.
        ("darwin", "x86_64", 2**63 - 1, "macos-x86_64.dylib"),
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


@pytest.mark.parametrize(("build", "file"), [("win-amd64", "windows-x86_64.dll"), ("win-arm64", "windows-arm64.dll")])
def test_python_on_windows_takes_what_it_was_built_for_and_not_what_the_machine_has(
    build: str, file: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Python for x86 runs on Windows for ARM, and says ARM64 of the machine there."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sysconfig, "get_platform", lambda: build)
    for machine in ("ARM64", "AMD64"):
        monkeypatch.setattr(platform, "machine", lambda machine=machine: machine)
        for name in ("windows-x86_64.dll", "windows-arm64.dll"):
            (tmp_path / name).touch()

        assert chosen.artifact_in(str(tmp_path)) == str(tmp_path / file)


@pytest.mark.parametrize(
    ("system", "processor", "build", "says"),
    [("linux", "x86_64", "linux-x86_64", "linux i686"), ("win32", "AMD64", "win32", "win32 x86")],
)
def test_a_python_of_32_bits_on_64_is_refused_by_what_it_is(
    system: str, processor: str, build: str, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    monkeypatch.setattr(platform, "machine", lambda: processor)
    monkeypatch.setattr(sysconfig, "get_platform", lambda: build)
    for name in ("linux-x86_64.so", "windows-x86_64.dll"):
        (tmp_path / name).touch()

    with pytest.raises(Refused, match=rf"this is {says}; compile"):
        chosen.artifact_in(str(tmp_path))


def test_python_on_android_takes_what_androids_loader_takes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "getandroidapilevel", lambda: 30, raising=False)
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    for name in ("linux-aarch64.so", "android-aarch64.so"):
        (tmp_path / name).touch()

    assert chosen.artifact_in(str(tmp_path)) == str(tmp_path / "android-aarch64.so")


_PE = b"MZ" + bytes(58) + b"\x40\0\0\0" + b"PE\0\0"


@pytest.mark.parametrize(
    ("system", "head", "kind"),
    [
        ("win32", _PE + b"\x64\xaa", "Windows on arm64"),
        ("win32", _PE + b"\x64\x86", ""),
        ("darwin", b"\xcf\xfa\xed\xfe\x0c\0\0\1", "macOS on arm64"),
        ("darwin", b"\xcf\xfa\xed\xfe\7\0\0\1", ""),
        ("darwin", _PE + b"\x64\x86", "Windows"),
        ("win32", b"\x7fELF\2\1\1" + bytes(9) + b"\3\0\x3e\0", "x86_64"),
    ],
)
def test_a_library_of_this_system_for_another_processor_is_told_by_both(
    system: str, head: bytes, kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As under Rosetta, or where Windows runs programs for x86 on ARM; this process is one for x86."""
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(sysconfig, "get_platform", lambda: "win-amd64")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    (tmp_path / "library").write_bytes(head + bytes(64))

    assert foreign(str(tmp_path / "library")) == kind


def test_a_folder_for_other_machines_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "mips64")
    (tmp_path / "linux-aarch64.so").touch()

    with pytest.raises(Refused, match=r"holds linux-aarch64\.so, and this is \w+ mips64; compile"):
        Artifact.open(tmp_path)
