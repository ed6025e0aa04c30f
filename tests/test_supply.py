"""What the package needs and ships is pinned, listed and licensed, each in one place that the others agree with."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from depthwise import shipped

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BILL: dict[str, Any] = json.loads((ROOT / "src/depthwise/sbom.cdx.json").read_text())
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
# Left out of the pins: PyTorch, as its builds differ, and what only jobs over many images need, which is large.
UNPINNED = {"triton", "torch", "pyarrow", "ray", "optuna"}


def name_of(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def pins(file: str) -> dict[str, list[str]]:
    """The lines of each package: its version and its hashes."""
    blocks = re.findall(
        r"^([\w.-]+)==\S+.*\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", read(file), re.MULTILINE
    )
    found: dict[str, list[str]] = {}
    for name, hashes in blocks:
        found.setdefault(name_of(name), []).append(hashes)
    return found


def read(file: str) -> str:
    return (ROOT / "requirements" / file).read_text()


@pytest.mark.parametrize("file", ["build.txt", "run.txt", "tests.txt"])
def test_every_line_of_the_pins_has_a_version_and_hashes(file: str) -> None:
    lines = [line for line in read(file).splitlines() if not line.startswith(("#", "    --hash"))]
    assert len(lines) == sum(map(len, pins(file).values()))


def test_every_dependency_is_pinned_and_listed() -> None:
    needed = set(map(name_of, PROJECT["dependencies"]))
    others = {name_of(line) for lines in EXTRAS.values() for line in lines} - {"depthwise"}
    assert needed <= set(pins("run.txt"))
    assert needed | others <= set(pins("tests.txt")) | UNPINNED
    assert {"hatchling"} <= set(pins("build.txt"))
    listed = {part["name"]: part for part in BILL["components"] if part["type"] == "library"}
    assert needed | others | set(pins("tests.txt")) <= set(listed)
    assert {name for name, part in listed.items() if part["scope"] == "required"} == set(pins("run.txt"))


def test_exact_versions_of_the_project_are_those_of_the_pins() -> None:
    for line in (*PROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines)):
        if "==" in line and name_of(line) not in UNPINNED:
            name, version = line.split("==")
            assert f"\n{name}=={version} " in read("tests.txt")


def test_what_ships_under_other_terms_is_named_wherever_one_looks() -> None:
    data = {part["name"]: part for part in BILL["components"] if part["type"] == "data"}
    for path in (shipped.model_folder() / "weights.safetensors", shipped.photo()):
        part = data[path.relative_to(ROOT / "src").as_posix()]
        assert part["hashes"][0]["content"] == hashlib.sha256(path.read_bytes()).hexdigest()
        [licence] = part["licenses"]
        assert next(iter(licence["license"].values())) in PROJECT["license"]
    terms = [ROOT / name for name in PROJECT["license-files"] if name != "LICENSE"]
    for page in (*terms, shipped.model_folder() / "README.md", ROOT / "README.md"):
        assert re.search(r"non-commercial\s+research\s+and\s+education", page.read_text()), page
    for page in terms:
        assert "Rachel Michetti" in page.read_text()
