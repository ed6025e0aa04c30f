"""Every command looks at the places of its outputs before it begins to work."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from depthwise import shipped
from depthwise.cli import output, progress
from depthwise.cli.main import cli
from depthwise.errors import Refused
from depthwise.tables import Column, Table

MODEL = str(shipped.model_folder())
# Of a photo, at {}; what else they name is not there, so a command that began with its work would say so.
COMMANDS = [
    ["cost", "nosuch", "--html", "{}"],
    ["evaluate", "nosuch", "nosuch", "--html", "{}"],
    ["quantize", MODEL, "--data", "nosuch", "--out", "{}"],
    ["quantize", MODEL, "--data", "nosuch", "--out", "int8", "--html", "{}"],
    ["convert", "nosuch", "{}", "--to", "model"],
    ["convert", "nosuch", "{}", "--to", "timm"],
    ["convert", "nosuch", "{}", "--to", "onnx"],
    ["convert", "nosuch", "{}", "--to", "tflite"],
    ["compile", MODEL, "--out", "{}", "--cc", "nosuch"],
    ["compile", MODEL, "--out", "{}", "--target", "source"],
    ["bench", "nosuch", "--png", "{}"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_photo_is_not_written_over_and_nothing_is_begun(command: list[str], tmp_path: Path) -> None:
    photo = Path(shutil.copy(shipped.photo(), tmp_path / "photo"))
    with pytest.raises(Refused, match=r"photo: exists and is not an? ") as refusal:
        cli.main([part.format(photo) for part in command], standalone_mode=False)
    assert str(refusal.value).endswith("; choose another name or remove it")
    assert photo.read_bytes() == shipped.photo().read_bytes()
    assert [photo] == list(tmp_path.iterdir())


def test_a_model_is_replaced_by_force_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for dest in ("model", "model.onnx", "model.tflite"):
        command = ["convert", MODEL, dest]
        cli.main(command, standalone_mode=False)
        with pytest.raises(Refused, match=f"^{dest}: a model.* lies there; give --force to replace it, or choose"):
            cli.main(command, standalone_mode=False)
        cli.main([*command, "--force"], standalone_mode=False)


def end(command: list[str], **settings: Any) -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, "-m", "depthwise", *command], text=True, check=False, **settings)
    return done.returncode, done.stdout or "", done.stderr or ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here; a full stdout is not tried")
@pytest.mark.parametrize("environment", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
def test_a_stdout_that_is_full_closed_or_no_longer_read_ends_quietly(environment: dict[str, str]) -> None:
    own = {**{key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}, **environment}
    command = ["cost", "--json", "--sweep"]
    with Path("/dev/full").open("w") as full:
        assert end(command, env=own, stdout=full, stderr=subprocess.PIPE) == (1, "", "")
    assert end(command, env=own, stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1)) == (1, "", "")
    read, write = os.pipe()
    os.close(read)
    assert end(command, env=own, stdout=write, stderr=subprocess.PIPE) == (0, "", "")
    os.close(write)


def test_nothing_of_a_file_or_an_argument_moves_the_cursor_of_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "\x1b[2J\x1b]0;title\x07\x9b31m"
    path = tmp_path / f"{hostile}.onnx"
    path.write_bytes(b"")
    for command in (["convert", str(path), "out"], ["cost", str(path)], [hostile], ["cost", f"--{hostile}"]):
        code, _, said = end(command, capture_output=True)
        assert code == 2
        assert said.isascii()
        assert "\\x1b[2J" in said
        assert said.replace("\n", "").isprintable()
    output.console().print(hostile)
    output.print_table(Table(title="", columns=(Column(heading="label", is_text=True),), rows=((hostile,),)))
    for reporter in (progress.Bar(), progress.Lines()):
        reporter.notice(hostile)
    captured = capsys.readouterr()
    shown = captured.out + captured.err
    assert shown.count("\\x1b[2J") == 4
    assert shown.replace("\n", "").isprintable()


def test_a_compilation_that_is_terminated_leaves_nothing(tmp_path: Path) -> None:
    """A compiler that never ends stands for one that takes long, and its child for the programs that it starts."""
    slow, place = tmp_path / "slow", tmp_path / "temporary"
    place.mkdir()
    slow.write_text("#!/bin/sh\nsleep 100 &\necho $$ > running\nsleep 100\n")
    slow.chmod(0o755)
    command = [
        sys.executable,
        "-m",
        "depthwise",
        "compile",
        MODEL,
        "--out",
        str(tmp_path / "model.so"),
        "--cc",
        str(slow),
    ]
    own = {**os.environ, "TMPDIR": str(place)}
    with subprocess.Popen(command, env=own, stderr=subprocess.PIPE, text=True) as running:
        while not (found := list(place.glob("*/running"))) or not (group := found[0].read_text()):
            time.sleep(0.05)
        running.send_signal(signal.SIGTERM)
        _, said = running.communicate()
    assert running.returncode == 128 + signal.SIGTERM
    assert said.endswith("terminated\n")
    assert list(place.iterdir()) == []
    # Those that have ended and that nobody has waited for still count for a moment.
    while is_running(int(group)):
        time.sleep(0.05)


def is_running(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
