"""The C of small networks, as a person would review it: one whole model.c, and of the others one function a form.

That no byte moved anywhere else, `scripts/check replay` says.
"""

from __future__ import annotations

import difflib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import make_model
from depthwise.compiler.choices import Choices
from depthwise.compiler.compile import emit, emit_for
from depthwise.compiler.lower import golden
from depthwise.compiler.lower.compilation import Compilation, lowered_for
from depthwise.kernels.machine import Machine
from depthwise.kernels.x86.instructions import AVX512BF16
from depthwise.kernels.x86.levels import LEVELS
from depthwise.network.live import live
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.precision import Precision
from tools.emitted import AVX512, NEON, SSE, machine_with

GOLDEN = Path(__file__).parents[1] / "golden"
WHOLE = "threads"
NETWORKS: dict[str, tuple[dict[str, Any], Machine]] = {
    "portable": ({"resolution": 32}, SSE),
    "odd-grey-same": ({"resolution": 45, "channels": 1, "padding": "same", "activation": "relu"}, NEON),
    "int8": ({"resolution": 33, "channels": 1}, SSE),
    "bf16": ({"resolution": 33, "width": 0.35}, machine_with(AVX512BF16)),
    "threads": ({"resolution": 65, "padding": "same"}, AVX512),
    "twin-shallow-512": ({"resolution": 40, "convolution": "standard", "shallow": True}, AVX512),
}
ANSWERS = np.zeros((golden.CASES, 3), np.float32)
# A comment and the function of a step behind it.
FUNCTION = re.compile(r"^/\*(?:(?!\*/).)*\*/\nstatic void dwl_\w+\([^)]*\)\n\{\n.*?^\}\n", re.MULTILINE | re.DOTALL)


def test_a_whole_model_is_the_text_that_was_reviewed(pytestconfig: pytest.Config) -> None:
    assert_golden(f"model-{WHOLE}.c", model_c(WHOLE), pytestconfig)


def test_every_form_of_a_function_is_the_text_that_was_reviewed(pytestconfig: pytest.Config) -> None:
    first: dict[str, str] = {}
    for name in NETWORKS:
        for function in FUNCTION.findall(model_c(name)):
            first.setdefault(form_of(function), f"/* network {name} */\n{function}")
    assert_golden("functions.c", "\n".join(first.values()), pytestconfig)


def test_every_file_of_emitted_c_is_as_clang_format_writes_it(tmp_path: Path) -> None:
    """Also with a label of two lines, features that are gone, and several levels in one artifact."""
    tool = Path(sys.executable).with_name("clang-format")
    if not tool.exists():
        pytest.skip("clang-format is not installed")
    model = random_quantized(make_model(resolution=32).spec, hidden_zero_points=True, rounded=True)
    model = model.replace(labels=("a", "two\nlines", "b"))
    found = emit(model, target_name="golden", machine=SSE, found=live(model))
    job = Compilation(model=model, lowered=lowered_for(model, None, "int8"), answers=ANSWERS, target="golden")
    several = emit_for(job, {level.name: level.machine for level in LEVELS[:3]})
    named = {f"{level}.c": text for level, text in several.levels.items()}
    files = {"model.c": found.model_c, "weights.c": found.weights_c(), "levels.c": several.model_c, **named}
    place = tmp_path / "emitted"
    place.mkdir()
    shutil.copy(GOLDEN.parents[1] / ".clang-format", tmp_path)
    shutil.copy(GOLDEN / ".clang-format", place)
    for name, text in files.items():
        (place / name).write_text(text, encoding="utf-8")

    command = (str(tool), "--dry-run", "--Werror", *(str(place / name) for name in files))
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert "dwl_feature_places" in found.model_c


def form_of(function: str) -> str:
    """A function without its comment and its numbers."""
    return re.sub(r"\d+", "0", function.partition("*/")[2])


def model_c(name: str) -> str:
    fields, machine = NETWORKS[name]
    labels = ("a", 'b "c"', "🐳")
    model: Model | QuantizedModel = make_model(labels=labels, **fields)
    if name == "int8":
        model = random_quantized(model.spec, hidden_zero_points=True, rounded=True).replace(labels=labels)
    precision: Precision | None = "bf16" if name == "bf16" else None
    choices = Choices(precision=precision, threads=4 if name == "threads" else 1)
    return emit(model, target_name="golden", machine=machine, choices=choices).model_c


def assert_golden(name: str, found: str, config: pytest.Config) -> None:
    path = GOLDEN / name
    if config.getoption("--update-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert path.is_file(), f"{path} is missing; look at the C and write it with pytest --update-golden"
    expected = path.read_text(encoding="utf-8")

    difference = "\n".join(
        difflib.unified_diff(expected.splitlines(), found.splitlines(), "golden", "now", n=2, lineterm="")
    )
    assert not difference, difference
