"""A folder that is carried to a board, and the file that comes back."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from depthwise.bench import board
from depthwise.bench.board import Timed, read_timed, timed_table, write_board
from depthwise.bench.subject import Subject
from depthwise.errors import Refused
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec

SUBJECT = Subject(
    name="small", model=random_quantized(Spec(width=0.1, resolution=32, classes=3, shallow=True)), precision="int8"
)
LIBRARIES = Path("/usr/aarch64-linux-gnu")


def test_a_board_says_that_golden_cases_hold_and_what_a_call_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = shutil.which("qemu-aarch64")
    if emulator is None or not LIBRARIES.is_dir():
        pytest.skip("qemu-aarch64 is not installed; what is written for a board is not run")
    folder = tmp_path / "board"
    write_board(SUBJECT, "linux-aarch64", folder)
    (folder / "measure").chmod(0o755)
    done = subprocess.run(
        [emulator, "-L", LIBRARIES, "measure", "0.01"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    (folder / "result.json").write_text(done.stdout)
    lines = read_timed(folder / "result.json")

    assert {line.threads for line in lines} >= {1}
    assert all(line.verified and line.precision == "int8" and line.what == "0.1-32" for line in lines)
    assert all(0 < line.least <= line.median for line in lines)
    document = json.loads(done.stdout)
    assert (document["machine"], document["record"]["target"]) == ("aarch64", "linux-aarch64")
    assert [level["level"] for level in document["levels"]][-1] == document["in_use"]
    # Where a result lies in it, it is still the folder that may be written anew; with the library of before.
    library = (folder / "libmodel.so").read_bytes()
    monkeypatch.setattr(board, "compile_model", lambda *_, out, **__: out.write_bytes(library))
    write_board(SUBJECT, "linux-aarch64", folder)
    assert not (folder / "result.json").exists()


def test_files_of_boards_and_of_bench_are_shown_together(tmp_path: Path) -> None:
    (tmp_path / "here.json").write_text(
        json.dumps(
            {
                "machine": {"processor": "AMD EPYC"},
                "name": "mine",
                "precision": "int8",
                "results": [{"name": "onnxruntime", "threads": 2, "times": {"fastest": 1.5, "median": 2.0}}],
            }
        )
    )
    (line,) = read_timed(tmp_path / "here.json")

    assert line == Timed(
        file="here.json",
        where="AMD EPYC",
        what="mine, onnxruntime",
        precision="int8",
        level="-",
        threads=2,
        least=1.5,
        median=2.0,
        verified=None,
    )
    rows = ("here.json", "AMD EPYC", "mine, onnxruntime", "int8", "-", "-", "2", "1.500", "2.000")
    assert timed_table([line]).rows == (rows,)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": "depthwise board"}', "[" * 100000, '{"results": 3}'])
def test_a_file_of_something_else_is_refused_in_a_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(Refused, match=r"is neither what run.sh of `depthwise bench --portable` writes nor what"):
        read_timed(tmp_path / "other.json")
    with pytest.raises(Refused, match="cannot be read"):
        read_timed(tmp_path / "none.json")


def test_only_targets_with_linux_have_such_a_folder(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="--portable is for boards with Linux; --target takes linux-x86_64, "):
        write_board(SUBJECT, "macos-arm64", tmp_path / "board")
