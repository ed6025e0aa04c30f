"""What docs/privacy.md promises: no socket, no file but those that are named, and no need of a network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

import depthwise
from depthwise.compiler import compile_model
from depthwise.compiler.outputs.wheel import wheel, wheel_place
from depthwise.compiler.targets import target
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="namespaces and strace are Linux's")

DEVICE = "from depthwise.edge.command import main; main()"
NV12 = bytes(range(96)) * 16  # 32 x 32 pixels
# Where Python, its packages, the system and its descriptions of itself lie.
OWN = str(Path(depthwise.__file__).parent)
SYSTEM = (sys.prefix, sys.base_prefix, OWN, "/usr", "/lib", "/etc", "/proc", "/sys", "/dev")
Way = tuple[list[str], bytes, set[Path]]


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("photo") / "photo.ppm"
    place.write_bytes(b"P6 32 32 255\n" + bytes(range(256)) * 12)
    return place


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed; no program is built to be watched")
    model = random_quantized(Spec(width=0.1, resolution=32, classes=3, shallow=True))
    return compile_model(model, target="host", form="program", cc="gcc", out=tmp_path_factory.mktemp("p") / "c").path


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    av: Any = pytest.importorskip("av", reason="PyAV is not installed; no video is watched")
    place: Path = tmp_path_factory.mktemp("film") / "film.avi"
    with av.open(str(place), "w") as out:
        stream = out.add_stream("mjpeg", rate=30)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuvj420p"
        out.mux(stream.encode(av.VideoFrame(32, 32, "yuvj420p")))
        out.mux(stream.encode(None))
    return place


@pytest.fixture(params=["run", "frames", "video", "program", "wheel"])
def way(request: pytest.FixtureRequest, path: Path, photo: Path, tmp_path: Path) -> Way:
    """A command, what it gets on standard input, and the files that it is given."""
    device = [sys.executable, "-c", DEVICE, str(path)]
    if request.param == "run":
        return [*device, str(photo)], b"", {path, photo}
    if request.param == "frames":
        return [*device, "--frames", "-", "--size", "32x32", "--layout", "nv12"], NV12, {path}
    if request.param == "video":
        film: Path = request.getfixturevalue("film")
        return [*device, "--video", str(film), "--json"], b"", {path, film}
    if request.param == "program":
        program: Path = request.getfixturevalue("program")
        return [str(program), str(photo)], b"", {program, photo}
    place, name = wheel_place(tmp_path / "hats-1.0", [target("host")])
    wheel({target("host"): path}, ("a",), name, place)
    ZipFile(place).extractall(tmp_path / "site")
    start = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); import hats; hats.main()"
    return [sys.executable, "-c", start, str(photo)], b"", {tmp_path / "site", photo}


def run(command: list[str], content: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, input=content, capture_output=True, check=False)


def needs(command: list[str], what: str) -> None:
    if shutil.which(command[0]) is None or run(command, b"").returncode != 0:
        pytest.skip(f"{command[0]} is not there or not allowed; {what}")


def test_it_works_where_there_is_no_network(way: Way) -> None:
    alone = ["unshare", "-rn"] if os.getuid() else ["unshare", "-n"]
    needs([*alone, "true"], "nothing is run without a network")
    command, content, _ = way

    done = run([*alone, *command], content)

    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_it_opens_no_socket_and_no_file_but_those_that_are_named(way: Way, tmp_path: Path) -> None:
    calls = tmp_path / "calls.txt"
    needs(["strace", "-o", os.devnull, "true"], "calls of the system are not watched")
    command, content, named = way

    done = run(["strace", "-f", "-e", "trace=%network,%file", "-o", str(calls), *command], content)

    assert done.returncode == 0, done.stderr
    text = calls.read_text(errors="replace")
    assert re.findall(r"^\d+ +(?:socket|connect|sendto|bind)\w*\(.*", text, re.MULTILINE) == []
    opened = set(re.findall(r'open(?:at)?\([^"]*"([^"]+)".*\) = \d+$', text, re.MULTILINE))
    strange = [name for name in opened if not name.startswith(SYSTEM) and not any(_is_of(name, one) for one in named)]
    assert [name for name in strange if Path(name).is_file()] == []
    written = re.findall(r'open(?:at)?\([^"]*"([^"]+)"[^"]*O_(?:WRONLY|RDWR|CREAT)[^"]*\) = \d+$', text, re.MULTILINE)
    assert [name for name in written if not name.startswith("/dev/")] == []


def _is_of(name: str, given: Path) -> bool:
    place = Path(name)
    return place == given or given in place.parents
