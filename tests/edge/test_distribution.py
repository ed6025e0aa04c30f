"""`depthwise-edge` as a device gets it: a wheel in an environment that has Pillow and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import PIL
import pytest
from PIL import Image

from depthwise.compiler import compile_model
from depthwise.edge.artifact import Artifact
from depthwise.edge.decoding import picture
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec

ROOT = Path(__file__).parents[2]
SMALL = Spec(width=0.25, resolution=32, classes=3, shallow=True)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="environments of Windows have other folders")


def built(project: Path, out: Path, **environment: str) -> Path:
    """The wheel of a project of this repository."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=project, env=os.environ | environment, capture_output=True, check=True)
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(ROOT / "edge", tmp_path_factory.mktemp("edge"))


def modules(wheel: Path) -> set[str]:
    return {name for name in ZipFile(wheel).namelist() if name.startswith("depthwise/")}


def needed(wheel: Path) -> list[str]:
    """The distributions that a wheel always needs."""
    archive = ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    requirements = Parser().parsestr(archive.read(name).decode()).get_all("Requires-Dist") or []
    return [text for text in requirements if "extra ==" not in text]


def test_it_has_the_edge_room_and_needs_pillow_alone(edge: Path) -> None:
    outside = {name for name in modules(edge) if not name.startswith("depthwise/edge/")}

    shared = {f"depthwise/{name}.py" for name in ("__init__", "errors", "limits", "processor")}
    assert outside == {*shared, "depthwise/py.typed"}
    assert needed(edge) == ["pillow>=12"]
    assert {"LICENSE", "NOTICE"} <= {Path(name).name for name in ZipFile(edge).namelist()}


def test_depthwise_brings_the_same_files_or_depends_on_them(edge: Path, tmp_path: Path) -> None:
    whole = built(ROOT, tmp_path / "whole")
    apart = built(ROOT, tmp_path / "apart", DEPTHWISE_EDGE_APART="1")

    assert modules(apart) | modules(edge) == modules(whole)
    assert not modules(apart) & modules(edge)
    assert [text for text in needed(apart) if text not in needed(whole)] == ["depthwise-edge==0.1.0"]
    assert b"depthwise-run = " in ZipFile(whole).read("depthwise-0.1.0.dist-info/entry_points.txt")
    assert b"depthwise-run = " not in ZipFile(apart).read("depthwise-0.1.0.dist-info/entry_points.txt")


def test_a_device_with_pillow_alone_labels_a_photo(edge: Path, tmp_path: Path) -> None:
    artifact = compile_model(random_quantized(SMALL, seed=1), target="host", out=tmp_path / "m.so", threads=1).path
    photo = tmp_path / "photo.png"
    Image.linear_gradient("L").convert("RGB").save(photo)
    run = device(edge, tmp_path / "device")

    done = run("depthwise-run", str(artifact), str(photo), "--json")
    refused = run("depthwise-run", str(photo), str(photo))
    imported = run("python", "-c", "import depthwise.edge.artifact, importlib.util as u; print(u.find_spec('numpy'))")

    assert (done.returncode, done.stderr) == (0, "")
    with Artifact.open(artifact) as opened:
        expected = opened.label(picture(photo))
        labels = opened.labels
    answers = json.loads(done.stdout)["images"][0]["answers"]
    assert {answer["label"]: answer["probability"] for answer in answers} == dict(zip(labels, expected, strict=True))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"error: {photo}: ")
    assert imported.stdout == "None\n"


def device(wheel: Path, folder: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command of a new environment in which a wheel was installed, and Pillow lies."""
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    own = Path(PIL.__file__).parents[1]
    for name in ("PIL", "pillow.libs"):
        if (own / name).exists():
            (packages / name).symlink_to(own / name)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "--quiet"]
    subprocess.run([*pip, str(wheel)], capture_output=True, check=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def run(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [folder / "bin" / command, *arguments], env=environment, capture_output=True, text=True, check=False
        )

    return run
