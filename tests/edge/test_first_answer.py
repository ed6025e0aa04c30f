"""What is loaded on the way to a first answer, seen in fresh interpreters: most of that time goes into imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

# Each takes from half a millisecond to several; numpy brings `typing` anyway, Pillow also `threading`.
SLOW = {"dataclasses", "hashlib", "inspect", "json", "logging", "pathlib", "random", "tempfile", "threading", "urllib"}


def added(code: str) -> set[str]:
    """Names of the modules, first parts, that code adds to those of a fresh interpreter."""
    asked = f"import sys\nbefore = set(sys.modules)\n{code}\nprint(*sorted(set(sys.modules) - before))"
    ended = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    return set(ended.stdout.splitlines()[-1].split())


def heads(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def test_opening_an_artifact_loads_no_module_that_it_can_do_without(path: Path) -> None:
    opened = f"from depthwise.edge.artifact import Artifact\nArtifact.open({str(path)!r}).labels"

    assert not heads(added(opened)) & (SLOW | {"numpy", "PIL", "typing", "contextlib"})


def test_running_one_loads_numpy_and_what_that_needs_alone(path: Path) -> None:
    opened = f"from depthwise.edge.artifact import Artifact\nartifact = Artifact.open({str(path)!r})"
    ran = f"{opened}\nimport numpy\nartifact.run(numpy.zeros(artifact.input_shape, numpy.uint8))"

    more = heads(added(ran)) - heads(added("import numpy"))
    assert more <= {"__future__", "depthwise", "mmap", "zlib"}


@pytest.mark.parametrize(("suffix", "plugin"), [("jpg", "Jpeg"), ("png", "Png"), ("webp", "WebP")])
def test_labelling_a_photo_loads_pillow_with_the_decoder_of_its_kind_alone(
    path: Path, tmp_path: Path, suffix: str, plugin: str
) -> None:
    photo = tmp_path / f"photo.{suffix}"
    Image.fromarray(np.full((40, 40, 3), 90, np.uint8)).save(photo)
    code = "from depthwise.edge.artifact import Artifact\nfrom depthwise.edge.decoding import picture"
    modules = added(f"{code}\nArtifact.open({str(path)!r}).label(picture({str(photo)!r}))")

    assert {name for name in modules if name.endswith("ImagePlugin")} == {f"PIL.{plugin}ImagePlugin"}
    # Pillow's own files load `logging`, and that `threading`.
    assert not heads(modules) & (SLOW - {"logging", "threading"} | {"numpy"})
