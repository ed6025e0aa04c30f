"""Pin what the README's commands install: every package's version and the SHA-256 of its files; and list it all.

    pip install uv && python scripts/pin.py

writes the files in `requirements/`, which `pip install --require-hashes` takes on any system and every supported
Python, and from them `src/depthwise/sbom.cdx.json`, the bill of materials in the wheel. PyTorch is left out: its builds
for the CPU, CUDA and ROCm are other files of the same version, and which one is wanted is for who installs it to say.
So is Triton, of which each build for CUDA needs a version of its own.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "src/depthwise/shipped"
BILL = ROOT / "src/depthwise/sbom.cdx.json"
PROJECT = "pyproject.toml"
# What builds the package itself, which a build without isolation needs.
BUILDS = "hatchling\neditables\n"
# Sources and extras of each file. `cloud` is left out, which is PyTorch and what `bench` has as well.
FILES: dict[str, tuple[str, ...]] = {
    "build": ("-",),
    "run": (PROJECT,),
    "tests": (
        PROJECT,
        "-",
        "--extra",
        "interop",
        "--extra",
        "bench",
        "--extra",
        "dev",
        "--extra",
        "heic",
        "--extra",
        "live",
    ),
}
# Newer ones than these say that they are for older Pythons alone, which uv passes over and pip does not.
HELD = {"tests": "backports-strenum<1.3\n"}
HEAD = "# Written by scripts/pin.py. PyTorch is not in it: install the build that you want first.\n"
# Files of the package that are not under its licence: shipped/LICENSE.md.
DATA = {
    "everyday-200/weights.safetensors": "LicenseRef-everyday-200",
    "everyday-200-int8/weights.safetensors": "LicenseRef-everyday-200",
    "photo.jpg": "CC0-1.0",
}


def main() -> int:
    """Write all files; the exit code."""
    for name, sources in FILES.items():
        command = [
            "uv",
            "pip",
            "compile",
            "--quiet",
            "--universal",
            "--generate-hashes",
            "--no-annotate",
            "--no-header",
            "--no-emit-package",
            "triton",
        ]
        command += ["--upgrade", "--python-version", "3.11", *sources]
        done = subprocess.run(
            command, cwd=ROOT, input=BUILDS + HELD.get(name, ""), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            print(done.stderr, file=sys.stderr)
            return done.returncode
        (ROOT / "requirements" / f"{name}.txt").write_text(HEAD + done.stdout, encoding="utf-8")
    BILL.write_text(json.dumps(bill(), indent=1) + "\n", encoding="utf-8")
    return 0


def bill() -> dict[str, Any]:
    """The bill of materials: CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json)."""
    needed, all_of_them = (
        pinned((ROOT / "requirements" / name).read_text("utf-8")) for name in ("run.txt", "tests.txt")
    )
    components = [
        component(name, version, "required" if name in needed else "optional")
        for name, versions in sorted(all_of_them.items())
        for version in versions
    ]
    # Of what is not pinned the range stands in the metadata of the package.
    components += [component(name, "", "optional") for name in sorted(named() - set(all_of_them))]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": "depthwise",
                "name": "depthwise",
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": components + [data(path, licence) for path, licence in DATA.items()],
    }


def pinned(text: str) -> dict[str, list[str]]:
    """Versions by name in a file of requirements; some differ from Python to Python."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([\w.+!-]+)", text, re.MULTILINE):
        found.setdefault(normal(name), []).append(version)
    return found


def named() -> set[str]:
    """Names of all dependencies in pyproject.toml, those of extras too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for lines in project["optional-dependencies"].values() for line in lines)]
    return {normal(re.match(r"[\w.-]+", line)[0]) for line in lines} - {"depthwise"}  # type: ignore[index]


def normal(name: str) -> str:
    """A name as the index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def component(name: str, version: str, scope: str) -> dict[str, Any]:
    """One package of the Python index."""
    purl = f"pkg:pypi/{name}@{version}" if version else f"pkg:pypi/{name}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        **({"version": version} if version else {}),
        "scope": scope,
        "purl": purl,
    }


def data(path: str, licence: str) -> dict[str, Any]:
    """One file that ships with the package under terms of its own."""
    kind = {"id": licence} if not licence.startswith("LicenseRef") else {"name": licence}
    return {
        "type": "data",
        "bom-ref": path,
        "name": f"depthwise/shipped/{path}",
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256((SHIPPED / path).read_bytes()).hexdigest()}],
        "licenses": [{"license": kind}],
    }


if __name__ == "__main__":
    sys.exit(main())
