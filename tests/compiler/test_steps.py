"""Every step of emitted C against its reference, over the family and over machines.

The references are those of tools/step_references.py, a row a precision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import DataPack, make_model
from depthwise.kernels.machine import Machine
from depthwise.kernels.x86.instructions import AVX2, AVX512BF16, AVX512VBMI, AVX512VNNI, AVXVNNI
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from depthwise.precision import Precision
from tools.emitted import AVX, AVX512, NEON, SSE, machine_with, named, needs_features, stepper
from tools.step_references import REFERENCES, Float32, noise

WITH_AVX2, WITH_AVXVNNI, WITH_VNNI, WITH_VBMI, WITH_BF16 = map(
    machine_with, (AVX2, AVXVNNI, AVX512VNNI, AVX512VBMI, AVX512BF16)
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A network for a machine.

    Attributes:
        fields: of its `Spec`.
        whole_maps: whether blocks run over whole maps at once, else over a few rows where that is quicker.
        zero_points: int8: those of a network that this project made (none but where they must be), of one from
            elsewhere, with zero points and rounded logits of its own, or of one whose weights have some too.
    """

    precision: Precision
    fields: dict[str, Any]
    machine: Machine
    whole_maps: bool = False
    zero_points: str = ""

    def __str__(self) -> str:
        words = (self.precision, *(f"{key}={value}" for key, value in self.fields.items()), named(self.machine))
        return " ".join((*words, *["whole"] * self.whole_maps, self.zero_points)).strip()

    def model(self) -> Model | QuantizedModel:
        """With random weights."""
        if self.precision != "int8":
            labels = [f"label {i}" for i in range(self.fields.get("classes", 11))]
            return make_model(seed=3, labels=labels, **self.fields)
        own, weights = not self.zero_points, self.zero_points == "in weights"
        return random_quantized(
            Spec(**{"classes": 11, **self.fields}),
            seed=4 if weights else 3,
            hidden_zero_points=not own,
            rounded=self.whole_maps if weights else not own,
            weight_zero_points=weights,
        )


# Each width, both ends and odd ones of the resolutions, each padding and rounding of channels, both activations, grey
# and colour, the shallow and the standard-convolution twin, other strides. Wide and large networks are shallow: the
# blocks that they lack are five of one kind.
FLOAT32: list[tuple[dict[str, Any], Machine]] = [
    ({"width": 0.25, "resolution": 32}, AVX512),
    ({"width": 0.25, "resolution": 33}, SSE),
    ({"width": 0.5, "resolution": 63, "activation": "relu"}, AVX),
    ({"width": 0.75, "resolution": 47, "padding": "same"}, AVX512),
    ({"width": 1.25, "resolution": 40, "padding": "same", "shallow": True}, NEON),
    ({"width": 0.35, "resolution": 50, "channels": 1}, AVX512),
    ({"width": 1.0, "resolution": 97, "classes": 37, "shallow": True}, AVX512),
    ({"width": 0.5, "resolution": 64, "unit_strides": (0,)}, AVX512),
    ({"width": 0.25, "resolution": 35, "unit_strides": (0, 2, 4, 6, 12)}, AVX),
    ({"width": 0.5, "resolution": 45, "shallow": True, "padding": "same", "channels": 1}, NEON),
    ({"width": 0.25, "resolution": 49, "convolution": "standard"}, AVX512),
    ({"width": 0.5, "resolution": 38, "convolution": "standard", "padding": "same", "activation": "relu"}, SSE),
    ({"width": 0.25, "resolution": 224, "shallow": True}, AVX),
    ({"width": 0.25, "resolution": 75, "padding": "keras"}, AVX512),
    ({"width": 0.35, "resolution": 51, "padding": "end", "rounding": "cut-off"}, SSE),
    ({"width": 0.1, "resolution": 50, "padding": "keras", "rounding": "cut-off", "convolution": "standard"}, AVX),
]
# Also widths whose channels do not fill the vectors of x86.
BF16: list[tuple[dict[str, Any], Machine]] = [
    ({"width": 0.25, "resolution": 65}, WITH_BF16),
    ({"width": 0.75, "resolution": 97, "padding": "same", "classes": 37, "shallow": True}, WITH_BF16),
    ({"width": 0.35, "resolution": 35, "unit_strides": (0, 2, 4, 6, 12), "channels": 1}, WITH_BF16),
    ({"width": 0.5, "resolution": 49, "convolution": "standard", "shallow": True}, WITH_BF16),
    ({"width": 0.5, "resolution": 37, "activation": "relu", "padding": "same"}, AVX),
    ({"width": 0.25, "resolution": 33, "channels": 1}, SSE),
    ({"width": 0.35, "resolution": 51, "padding": "keras", "rounding": "cut-off"}, AVX),
]
MORE_BF16: list[tuple[dict[str, Any], Machine]] = [
    ({"width": 1.25, "resolution": 40, "activation": "relu"}, WITH_BF16),
    ({"width": 1.0, "resolution": 113, "padding": "same"}, WITH_BF16),
    ({"width": 0.5, "resolution": 129}, WITH_BF16),
    ({"width": 0.35, "resolution": 40}, NEON),
    ({"width": 0.25, "resolution": 49, "convolution": "standard"}, AVX512),
]
FOREIGN, WEIGHTS = "foreign", "in weights"
INT8: list[tuple[dict[str, Any], Machine, bool, str]] = [
    ({"width": 0.25, "resolution": 32}, AVX512, True, ""),
    ({"width": 0.25, "resolution": 33, "channels": 1, "padding": "same"}, SSE, True, FOREIGN),
    ({"width": 0.5, "resolution": 37, "activation": "relu", "classes": 37}, AVX, True, ""),
    ({"width": 0.75, "resolution": 97, "padding": "same", "shallow": True}, AVX512, True, FOREIGN),
    ({"width": 1.25, "resolution": 40, "shallow": True}, NEON, True, ""),
    (
        {"width": 1.0, "resolution": 113, "padding": "same", "activation": "relu", "shallow": True},
        AVX512,
        True,
        FOREIGN,
    ),
    ({"width": 0.25, "resolution": 225, "shallow": True}, AVX, True, ""),
    ({"width": 0.5, "resolution": 45, "shallow": True, "channels": 1}, NEON, True, FOREIGN),
    ({"width": 0.25, "resolution": 49, "convolution": "standard"}, AVX512, True, ""),
    ({"width": 0.5, "resolution": 38, "convolution": "standard", "padding": "same"}, SSE, True, FOREIGN),
    ({"width": 0.35, "resolution": 35, "unit_strides": (0, 2, 4, 6, 12)}, AVX512, True, ""),
    ({"width": 0.25, "resolution": 75, "padding": "keras"}, AVX512, True, FOREIGN),
    ({"width": 0.35, "resolution": 51, "padding": "end", "rounding": "cut-off"}, SSE, True, ""),
    (
        {"width": 0.1, "resolution": 50, "padding": "keras", "rounding": "cut-off", "convolution": "standard"},
        AVX,
        True,
        FOREIGN,
    ),
    ({"width": 0.25, "resolution": 67, "padding": "same"}, AVX512, False, FOREIGN),
    ({"width": 0.25, "resolution": 113, "channels": 1, "shallow": True}, SSE, False, FOREIGN),
    ({"width": 0.25, "resolution": 70, "convolution": "standard"}, AVX, False, FOREIGN),
    # Kernels for x86; widths whose channels do not fill vectors.
    ({"width": 0.25, "resolution": 65}, WITH_VNNI, True, FOREIGN),
    ({"width": 0.75, "resolution": 97, "padding": "same", "classes": 37, "shallow": True}, WITH_VNNI, True, FOREIGN),
    ({"width": 0.35, "resolution": 35, "unit_strides": (0, 2, 4, 6, 12), "channels": 1}, WITH_VNNI, True, FOREIGN),
    ({"width": 0.5, "resolution": 49, "convolution": "standard", "shallow": True}, WITH_VNNI, False, ""),
    ({"width": 0.25, "resolution": 113}, WITH_VNNI, False, ""),
    ({"width": 0.1, "resolution": 50, "padding": "keras", "rounding": "cut-off"}, WITH_AVX2, True, FOREIGN),
    ({"width": 0.25, "resolution": 71, "padding": "same"}, WITH_VBMI, True, FOREIGN),
    ({"width": 0.25, "resolution": 128, "shallow": True}, WITH_VBMI, False, ""),
    ({"width": 0.35, "resolution": 47, "padding": "same"}, WITH_AVXVNNI, True, FOREIGN),
    ({"width": 0.25, "resolution": 49, "convolution": "standard"}, WITH_AVXVNNI, False, ""),
    ({"width": 0.35, "resolution": 47, "padding": "same"}, WITH_AVX2, True, FOREIGN),
    ({"width": 0.25, "resolution": 49, "convolution": "standard", "channels": 1}, WITH_AVX2, False, ""),
    # Kernels of signed bytes, whose wide channels are computed beside them, and those of 16 bits.
    ({"width": 0.25, "resolution": 67, "padding": "same", "classes": 37}, SSE, False, WEIGHTS),
    ({"width": 0.35, "resolution": 33, "channels": 1}, AVX512, True, WEIGHTS),
    ({"width": 0.25, "resolution": 38, "convolution": "standard"}, NEON, True, WEIGHTS),
    ({"width": 0.35, "resolution": 47, "padding": "same"}, WITH_AVX2, True, WEIGHTS),
]
MORE_INT8 = [
    ({"width": width, "resolution": resolution, "padding": padding}, machine, whole_maps, FOREIGN if whole_maps else "")
    for width in (0.25, 0.5, 0.75, 1.0, 1.25)
    for resolution, padding, machine in (
        (32, "same", SSE),
        (33, "symmetric", AVX),
        (37, "same", AVX512),
        (64, "symmetric", NEON),
        (97, "symmetric", AVX512),
        (113, "same", SSE),
        (128, "same", AVX512),
        (160, "symmetric", AVX),
        (192, "same", NEON),
        (224, "symmetric", AVX512),
        (225, "same", AVX),
        (256, "symmetric", SSE),
    )
    for whole_maps in (True, False)
]


def floats(precision: Precision, rows: list[tuple[dict[str, Any], Machine]]) -> list[Row]:
    return [Row(precision=precision, fields=fields, machine=machine) for fields, machine in rows]


def bytes_of(rows: list[tuple[dict[str, Any], Machine, bool, str]]) -> list[Row]:
    return [
        Row(precision="int8", fields=fields, machine=machine, whole_maps=whole_maps, zero_points=zero_points)
        for fields, machine, whole_maps, zero_points in rows
    ]


ROWS = [*floats("float32", FLOAT32), *floats("bf16", BF16), *bytes_of(INT8)]
SLOW = [pytest.param(row, marks=pytest.mark.slow) for row in (*floats("bf16", MORE_BF16), *bytes_of(MORE_INT8))]


@pytest.mark.parametrize("row", [*ROWS, *SLOW], ids=str)
def test_every_step_equals_its_reference_and_writes_nowhere_else(
    row: Row, tmp_path: Path, zig: tuple[str, ...]
) -> None:
    needs_features(row.machine.features, zig)
    compare(row.model(), row.precision, row.machine, tmp_path, zig, whole_maps=row.whole_maps)


def compare(
    model: Model | QuantizedModel,
    precision: Precision,
    machine: Machine,
    folder: Path,
    zig: tuple[str, ...],
    *,
    whole_maps: bool,
) -> None:
    """Fail at the first step of the first image that is not right."""
    images, reference = REFERENCES[precision]
    pixels = images(model.spec)
    right = reference(model, pixels)
    run = stepper(model, machine, folder, zig, whole_maps=whole_maps, precision=precision)
    steps = run.emitted.plan.steps
    for image, number in np.ndindex(len(pixels), len(steps)):
        run.step(number, pixels[image])
        assert not right.difference(run, number, image)
        assert run.guards_hold(), steps[number].name
    if whole_maps:
        assert all(step.rows == step.layers[0].output.height for step in steps if step.kind == "separable")


def test_the_wake_words_network_kept_int8_equals_the_oracle_to_the_last_byte(
    data_pack: DataPack, tmp_path: Path, zig: tuple[str, ...]
) -> None:
    tflite = pytest.importorskip(
        "depthwise.interop.tflite.format", reason="the reader of TFLite files needs depthwise[interop]"
    )
    model = tflite.read_int8(data_pack("models") / "vww_96_int8.tflite")

    compare(model, "int8", AVX512, tmp_path, zig, whole_maps=True)


def test_weights_of_one_layer_that_are_wrong_by_a_ten_thousandth_are_found(
    small_model: Callable[..., Model], tmp_path: Path, zig: tuple[str, ...]
) -> None:
    model = small_model(seed=3)
    name = "blocks.2.0.conv_pw.weight"
    wrong = model.replace(weights={**model.weights, name: model.weights[name] * np.float32(1.0001)})
    pixels = noise(model.spec)
    right = Float32(model, pixels)
    run = stepper(wrong, AVX512, tmp_path, zig)

    holds = []
    for number, step in enumerate(run.emitted.plan.steps):
        run.step(number, pixels[0])
        if not right.difference(run, number, 0):
            holds.append(step.name)
    assert holds == ["conv_stem", "blocks.0.0", "blocks.1.0", "blocks.1.1"]
