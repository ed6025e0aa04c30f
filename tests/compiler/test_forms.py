"""Every form of a network, for this machine and for 64-bit ARM in an emulator: the same digits, and nothing beside."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from depthwise.compiler import compile_model
from depthwise.compiler.outputs.wheel import wheel, wheel_place
from depthwise.compiler.targets import target
from depthwise.edge.artifact import Artifact
from depthwise.edge.frames import LAYOUTS, Frame
from depthwise.edge.seeing import seen
from depthwise.errors import Refused
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec

SPEC = Spec(width=0.1, resolution=32, classes=3, shallow=True)
LABELS = ('a "b" \\', "two\nlines", "🐈")
APP = """#include "depthwise.h"

#include <stdio.h>

int main(void)
{
    static unsigned char rgb[50 * 60 * 3];
    float probabilities[3];
    if (fread(rgb, 1, sizeof rgb, stdin) != sizeof rgb || dw_classify(rgb, 50, 60, 180, probabilities, NULL) != DW_OK) {
        return 1;
    }
    printf("%.9g %.9g %.9g\\n", (double)probabilities[0], (double)probabilities[1], (double)probabilities[2]);
    return 0;
}
"""
# One C compiler and one way to start what it makes, for each machine.
ARM = ("linux-aarch64", "aarch64-linux-gnu-gcc", ("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"))
HOST = ("host", "gcc", ())
# Levels in one library are tested elsewhere; forms for ARM are of the lowest alone.
LOWEST = {"host": None, "linux-aarch64": "neon"}


@pytest.fixture(scope="module")
def model() -> QuantizedModel:
    return random_quantized(SPEC, seed=1).replace(labels=LABELS)


@pytest.fixture(scope="module")
def rgb() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (50, 60, 3), np.uint8)


@pytest.fixture(scope="module")
def library(model: QuantizedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_model(model, target="host", out=tmp_path_factory.mktemp("library") / "model.so").path


@pytest.fixture(scope="module")
def digits(library: Path, rgb: np.ndarray) -> str:
    """What the library says of the picture, which every other form must say too."""
    with Artifact.open(library) as artifact:
        return " ".join(f"{share:.9g}" for share in seen(artifact, rgb))


@pytest.fixture(params=[HOST, ARM], ids=lambda machine: machine[0])
def machine(request: pytest.FixtureRequest) -> tuple[str, str, tuple[str, ...]]:
    target, compiler, start = request.param
    missing = [name for name in (compiler, *start[:1]) if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed; forms for {target} are not run")
    return target, compiler, start


def run(command: Sequence[object], content: bytes = b"", **more: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([str(word) for word in command], input=content, capture_output=True, check=False, **more)  # type: ignore[call-overload,no-any-return]


def ppm(rgb: np.ndarray) -> bytes:
    return b"P6\n# a comment\n%d %d 255\n" % (rgb.shape[1], rgb.shape[0]) + rgb.tobytes()


def shares(line: bytes) -> str:
    """Probabilities of a line of the program's JSON, in the order of the labels, digit by digit."""
    answers = sorted(json.loads(line, parse_float=str)["answers"], key=lambda answer: int(answer["index"]))
    assert [answer["label"] for answer in answers] == list(LABELS)
    return " ".join(answer["probability"] for answer in answers)


def test_a_program_labels_pictures_and_frames(
    machine: tuple[str, str, tuple[str, ...]], model: QuantizedModel, library: Path, rgb: np.ndarray, digits: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    name, _, start = machine
    path = compile_model(model, target=name, cpu=LOWEST[name], form="program", out=tmp_path / "classifier").path
    (tmp_path / "photo.ppm").write_bytes(ppm(rgb))
    program = (*start, path)
    yuv = np.random.default_rng(4).integers(0, 256, 50 * 60 * 2, np.uint8).tobytes()

    photo = run([*program, tmp_path / "photo.ppm", "--json", "--top", "3"])
    stream = run([*program, "--json", "--top", "3", "-"], 2 * ppm(rgb))
    checked, wrong, cut = run(program), run([*program, "--jason", "x.ppm"]), run([*program, "-"], ppm(rgb)[:-1])

    assert (photo.returncode, photo.stderr, shares(photo.stdout)) == (0, b"", digits)
    assert [shares(line) for line in stream.stdout.splitlines()] == [digits, digits]
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
    assert (wrong.returncode, wrong.stdout) == (2, b"")
    assert cut.returncode == 2
    assert b"cut off" in cut.stderr
    with Artifact.open(library) as artifact:
        for way in ("yuv420", "nv12", "yuyv"):
            content = yuv[: LAYOUTS[way].bytes(50, 60)]
            frame = Frame.of_bytes(LAYOUTS[way], 50, 60, content)
            got = run([*program, "--json", "--top", "3", "--size", "60x50", "--layout", way, "-"], content)
            assert shares(got.stdout) == " ".join(f"{share:.9g}" for share in artifact.see(frame))
    if shutil.which("readelf"):
        needed = re.findall(rb"NEEDED.*\[(.*)\]", run(["readelf", "-d", path]).stdout)
        assert set(needed) <= {b"libc.so.6", b"ld-linux-aarch64.so.1"}


def test_static_source_and_shared_library_give_the_same_digits_in_a_program_of_c(
    machine: tuple[str, str, tuple[str, ...]],
    model: QuantizedModel,
    library: Path,
    rgb: np.ndarray,
    digits: str,
    tmp_path: Path,
) -> None:
    name, compiler, start = machine
    (tmp_path / "app.c").write_text(APP)
    cpu = LOWEST[name]
    static = compile_model(model, target=name, cpu=cpu, form="static", out=tmp_path / "static").path
    source = compile_model(model, target=name, form="source", out=tmp_path / "source").path
    shared = library if cpu is None else compile_model(model, target=name, cpu=cpu, out=tmp_path / "model.so").path
    strict = [compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{static}", tmp_path / "app.c"]

    # As the page in the folder says, a level a line and then all of it, with this test's program in place of main.c;
    # but not optimised, which takes most of the time.
    lines = [line.split()[1:] for line in (source / "README.md").read_text().splitlines() if line.startswith("    cc ")]
    for level in lines[:-1]:
        built = subprocess.run(
            [compiler, "-Wall", "-Wextra", "-Werror", *level, "-O0"], cwd=source, capture_output=True, check=False
        )
        assert (built.returncode, built.stderr) == (0, b"")
    whole = [flag for flag in lines[-1] if flag.startswith("-") and flag not in ("-o", "-O3")]
    own = [source / part for part in lines[-1] if part.endswith((".c", ".o")) and part != "main.c"]
    parts: list[list[object]] = [[static / "libmodel.a"], [*whole, *own], [shared]]
    for number, more in enumerate(parts):
        app = tmp_path / f"app{number}"
        built = run([*strict, *more, "-o", app])
        assert (built.returncode, built.stderr) == (0, b"")
        got = run([*start, app], rgb.tobytes())
        assert (got.returncode, got.stdout.decode()) == (0, digits + "\n"), more


def test_a_folder_of_c_is_a_package_of_cmake(
    model: QuantizedModel, rgb: np.ndarray, digits: str, tmp_path: Path
) -> None:
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed; the package of CMake is not built")
    source = compile_model(model, target="source", out=tmp_path / "source").path
    page = (Path(__file__).parents[2] / "docs" / "calling.md").read_text(encoding="utf-8")
    (lists,) = re.findall(r"^```cmake\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    app = tmp_path / "app"
    app.mkdir()
    (app / "CMakeLists.txt").write_text(lists)
    (app / "app.c").write_text(APP)

    for command in (
        ["cmake", "-S", source, "-B", tmp_path / "b", f"-DCMAKE_INSTALL_PREFIX={tmp_path / 'place'}"],
        ["cmake", "--build", tmp_path / "b"],
        ["cmake", "--install", tmp_path / "b"],
        ["cmake", "-S", app, "-B", tmp_path / "a", f"-DCMAKE_PREFIX_PATH={tmp_path / 'place'}"],
        ["cmake", "--build", tmp_path / "a"],
    ):
        done = run(command)
        assert done.returncode == 0, (done.stdout + done.stderr).decode()

    assert run([tmp_path / "a" / "app"], rgb.tobytes()).stdout.decode() == digits + "\n"


def test_a_wheel_needs_nothing_beside_it(model: QuantizedModel, rgb: np.ndarray, digits: str, tmp_path: Path) -> None:
    path = compile_model(model, target="host", form="wheel", out=tmp_path / "my.hats-1.2").path
    (tmp_path / "photo.ppm").write_bytes(ppm(rgb))
    venv.create(tmp_path / "v", with_pip=False)
    python = tmp_path / "v" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", path]
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    assert run(pip, env=bare).returncode == 0
    code = (
        "import my_hats as hats, sys; a = hats.top(sys.argv[1], 3); print(*('%.9g' % x.probability for x in"
        " sorted(a, key=lambda x: x.number))); print(hats.__version__, hats.label(sys.argv[1]).label == a[0].label,"
        " sorted({'numpy', 'PIL', 'depthwise'} & set(sys.modules)))"
    )
    imported = run([python, "-c", code, tmp_path / "photo.ppm"], env=bare)
    command = run([tmp_path / "v" / "bin" / "my_hats", tmp_path / "photo.ppm", "--json"], env=bare)

    assert path.name.startswith("my_hats-1.2-py3-none-linux_")
    assert imported.stdout.decode() == f"{digits}\n1.2 True []\n", imported.stderr
    answers = json.loads(command.stdout)["images"][0]["answers"]
    assert sorted(answer["label"] for answer in answers) == sorted(LABELS)


def test_a_wheel_for_two_platforms_holds_and_names_both(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"one")
    (tmp_path / "another").write_bytes(b"another")
    artifacts = {target("linux-aarch64"): tmp_path / "one", target("linux-riscv64"): tmp_path / "another"}
    place, name = wheel_place(tmp_path / "hats-2.0", tuple(artifacts))
    wheel(artifacts, LABELS, name, place)
    first = place.read_bytes()
    wheel(artifacts, LABELS, name, place)

    archive = ZipFile(place)
    assert place.name == "hats-2.0-py3-none-manylinux_2_17_aarch64.manylinux_2_31_riscv64.whl"
    assert place.read_bytes() == first
    about = archive.read("hats-2.0.dist-info/WHEEL").decode()
    assert "Tag: py3-none-manylinux_2_17_aarch64\nTag: py3-none-manylinux_2_31_riscv64\n" in about
    assert (archive.read("hats/linux-aarch64.artifact"), archive.testzip()) == (b"one", None)
    assert {"hats/_depthwise/errors.py", "hats/_depthwise/edge/artifact.py"} <= set(archive.namelist())


@pytest.mark.parametrize(
    ("out", "names", "says"),
    [
        ("json-1.0", "host", "is a module of Python itself"),
        ("9lives-1.0", "host", "is no name that Python imports"),
        ("hats-new", "host", "is no version"),
        ("hats-1.0-py3-none-any.whl", "linux-aarch64", "it is called hats-1.0-py3-none-manylinux_2_17_aarch64.whl"),
        ("hats-1.0", "linux-x86_64,linux-x86_64-v3", "holds one artifact for linux x86_64"),
        ("hats-1.0", "ios-arm64", "pip has no name for the platform"),
        ("hats-1.0", "source", "target source has no form wheel"),
    ],
)
def test_wheels_that_cannot_be_are_refused_before_work(
    out: str, names: str, says: str, model: QuantizedModel, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match=re.escape(says)):
        compile_model(model, target=names, form="wheel", out=tmp_path / out)


def test_a_program_replaces_a_program_and_nothing_else(model: QuantizedModel, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear sir")
    with pytest.raises(Refused, match="exists and is not a program that depthwise wrote"):
        compile_model(model, target="host", form="program", out=tmp_path / "letter")
    with pytest.raises(Refused, match="there is no form 'exe'; there are library, static, program, source, wheel"):
        compile_model(model, target="host", form="exe", out=tmp_path / "x")
