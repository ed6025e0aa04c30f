"""The programs of docs/calling.md: each compiles, and gives the answers of the artifact."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from depthwise.compiler import compile_model
from depthwise.edge.artifact import Artifact
from depthwise.edge.frames import LAYOUTS, Frame
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from tools.caches import lasting

SPEC = Spec(width=0.1, resolution=32, classes=3, shallow=True)
PAGE = (Path(__file__).parents[2] / "docs" / "calling.md").read_text(encoding="utf-8")
# The compiler of a language, the file that it compiles, and how; libmodel.a and the headers lie beside it.
WAYS = {
    "c": ("gcc", "app.c", "gcc -std=c11 -Wall -Wextra -Werror -o app app.c libmodel.a"),
    "cpp": ("g++", "app.cpp", "g++ -std=c++17 -Wall -Wextra -Werror -o app app.cpp libmodel.a"),
    "rust": ("rustc", "app.rs", "rustc app.rs -C link-arg=libmodel.a"),
    "go": ("go", "app.go", "go build -o app app.go"),
}


def programs(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = random_quantized(SPEC, seed=1)
    return compile_model(model, target="host", form="static", out=tmp_path_factory.mktemp("c") / "static").path


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the pages' programs print, in their order: of a black frame, and in C++ of a frame of NV12."""
    model = random_quantized(SPEC, seed=1)
    built = compile_model(model, target="host", out=tmp_path_factory.mktemp("library") / "model.so")
    with Artifact.open(built.path) as artifact:
        black = artifact.see(Frame.of_bytes(LAYOUTS["rgb"], 480, 640, bytes(480 * 640 * 3)))
        grey = artifact.see(Frame.of_bytes(LAYOUTS["nv12"], 480, 640, b"\x80" * (480 * 640 * 3 // 2)))
        best = black.index(max(black))
        return [f"{artifact.labels[best]} {black[best]:.6f}\n", f"{max(grey):.6f}\n"]


@pytest.mark.parametrize("language", WAYS)
def test_each_program_of_the_page_compiles_and_answers(
    language: str, static: Path, expected: list[str], tmp_path: Path
) -> None:
    compiler, file, command = WAYS[language]
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed; the page's programs in that language are not compiled")
    found = programs(language)
    assert found
    for number, text in enumerate(found):
        here = tmp_path / str(number)
        shutil.copytree(static, here)
        (here / file).write_text(text)
        home = {"HOME": str(tmp_path), "GOCACHE": str(lasting("go")), "GO111MODULE": "off", "CGO_ENABLED": "1"}
        done = subprocess.run(
            command.split(), cwd=here, env=os.environ | home | _RUSTUP, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        ran = subprocess.run([here / "app"], capture_output=True, text=True, check=True)
        assert ran.stdout == expected[number]


# rustup finds its compilers in the home of whoever installed it.
_RUSTUP = {
    name: os.environ.get(name, str(Path.home() / folder))
    for name, folder in (("RUSTUP_HOME", ".rustup"), ("CARGO_HOME", ".cargo"))
}


def test_the_header_for_cpp_is_silent_in_both_standards(static: Path, tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed; depthwise.hpp is not compiled")
    (tmp_path / "app.cpp").write_text(programs("cpp")[0])
    for standard in ("c++17", "c++20"):
        strict = [
            "g++",
            f"-std={standard}",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-Wconversion",
            "-pedantic",
            "-fsyntax-only",
        ]
        done = subprocess.run(
            [*strict, f"-I{static}", "app.cpp"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
