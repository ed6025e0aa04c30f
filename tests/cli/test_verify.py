from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.command import depthwise
from tools.plain_artifact import changed, plain_artifact


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plain_artifact(tmp_path_factory.mktemp("verify"))


def verify(*arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `depthwise verify`."""
    done = depthwise("verify", *arguments)
    return done.returncode, done.stdout, done.stderr


def test_an_artifact_that_agrees_is_said_to_with_the_largest_difference(artifact: Path) -> None:
    expected = f"{artifact}: every golden case agrees, the largest difference is 6e-08\n"
    assert verify(artifact) == (0, expected, "")


def test_json_is_one_document(artifact: Path) -> None:
    code, out, err = verify(artifact, "--json")

    assert (code, err) == (0, "")
    found = {"verified": True, "worst": 2**-24, "levels": [], "lacking": []}
    assert json.loads(out) == {"schema": 1, "artifact": str(artifact), **found}


def test_an_artifact_that_differs_ends_with_1_and_says_by_how_much(artifact: Path, tmp_path: Path) -> None:
    other = changed(artifact, tmp_path / "other.so", golden=4)
    code, out, err = verify(other)

    assert (code, out) == (1, "")
    assert err.startswith(f"error: {other}: dw_verify gives an answer that differs from the one it carries")
    assert err.endswith("(the largest difference is 0.25)\n")


def test_an_artifact_that_differs_gives_a_document_too(artifact: Path, tmp_path: Path) -> None:
    code, out, _ = verify(changed(artifact, tmp_path / "other.so", golden=4), "--json")
    document = json.loads(out)

    assert (code, document["schema"], document["verified"]) == (1, 1, False)
    assert "0.25" in document["reason"]


def test_what_is_no_artifact_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "a.so").write_bytes(b"\x7fELF")

    code, out, err = verify(tmp_path / "a.so")
    assert (code, out) == (2, "")
    assert (
        err == f"error: {tmp_path / 'a.so'}: is not an artifact, or its end is missing; write it again with"
        " `depthwise compile`\n"
    )
