"""The C of small networks, as a person would review it: a change that moves a byte shows here."""

from __future__ import annotations

import difflib
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
from emitted import AVX512, BF16, NEON, SSE

GOLDEN = Path(__file__).parents[1] / "golden"
NETWORKS: dict[str, tuple[dict[str, Any], Machine]] = {
    "portable": ({"resolution": 32}, SSE),
    "odd-grey-same": ({"resolution": 45, "channels": 1, "padding": "same", "activation": "relu"}, NEON),
    "int8": ({"resolution": 33, "channels": 1}, SSE),
    "bf16": ({"resolution": 33, "width": 0.35}, BF16),
    "threads": ({"resolution": 65, "padding": "same"}, AVX512),
    "twin-shallow-512": ({"resolution": 40, "convolution": "standard", "shallow": True}, AVX512),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_emitted_c_is_the_text_that_was_reviewed(name: str, pytestconfig: pytest.Config) -> None:
    fields, machine = NETWORKS[name]
    labels = ("a", 'b "c"', "🐳")
    model: Model | QuantizedModel = make_model(labels=labels, **fields)
    if name == "int8":
        model = random_quantized(model.spec, hidden_zero_points=True, rounded=True).replace(labels=labels)
    precision: Precision | None = "bf16" if name == "bf16" else None
    threads = 4 if name == "threads" else 1
    found = emit(
        model, target_name="golden", machine=machine, choices=Choices(precision=precision, threads=threads)
    ).model_c
    path = GOLDEN / f"model-{name}.c"
    if pytestconfig.getoption("--update-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert path.is_file(), f"{path} is missing; look at the C and write it with pytest --update-golden"
    expected = path.read_text(encoding="utf-8")

    difference = "\n".join(
        difflib.unified_diff(expected.splitlines(), found.splitlines(), "golden", "now", n=2, lineterm="")
    )
    assert not difference, difference
