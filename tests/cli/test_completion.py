"""What a shell is offered, as it asks for it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def offered(*words: str) -> list[str]:
    """Values for the last word."""
    program = "import sys; sys.argv[0] = 'depthwise'; from depthwise.cli.main import main; main()"
    asked = {"COMP_WORDS": " ".join(("depthwise", *words)), "COMP_CWORD": str(len(words))}
    environment = os.environ | asked | {"_DEPTHWISE_COMPLETE": "bash_complete"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("compile", "m", "--target", "linux-x"), "linux-x86_64"),
        (("compile", "m", "--cpu", "av"), "avx2"),
        (("run", "m.so", "--cpu", "av"), "avx2"),
        (("train", "photos", "--pretrained", "im"), "imagenet"),
        (("train", "photos", "--pretrained", "keras/0.25-1"), "keras/0.25-128"),
        (("qu",), "quantize"),
    ],
)
def test_values_are_completed(words: tuple[str, ...], expected: str) -> None:
    found = offered(*words)

    assert expected in found
    assert all(value.startswith(words[-1]) for value in found)
