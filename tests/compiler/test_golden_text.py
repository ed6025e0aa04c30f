"""The C of small networks, as a person would review it: one whole model.c, and of the others one function a form.

That no byte moved anywhere else, `scripts/check replay` says.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any

import pytest

from conftest import make_model
from depthwise.compiler.choices import Choices
from depthwise.compiler.compile import emit
from depthwise.kernels.machine import Machine
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.precision import Precision
from tools.emitted import AVX512, BF16, NEON, SSE

GOLDEN = Path(__file__).parents[1] / "golden"
WHOLE = "threads"
NETWORKS: dict[str, tuple[dict[str, Any], Machine]] = {
    "portable": ({"resolution": 32}, SSE),
    "odd-grey-same": ({"resolution": 45, "channels": 1, "padding": "same", "activation": "relu"}, NEON),
    "int8": ({"resolution": 33, "channels": 1}, SSE),
    "bf16": ({"resolution": 33, "width": 0.35}, BF16),
    "threads": ({"resolution": 65, "padding": "same"}, AVX512),
    "twin-shallow-512": ({"resolution": 40, "convolution": "standard", "shallow": True}, AVX512),
}
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
