"""Kernels of other families on emulated processors: every byte of every layer is the oracle's, at every level.

A row of FAMILIES is a family of processors, or a size of its words; its networks and cases follow from its kernels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import make_model
from depthwise.compiler.compile import emit
from depthwise.compiler.outputs.compilers import compiler
from depthwise.compiler.targets import at_level, target
from depthwise.kernels.arm.levels import LEVELS as ARM_LEVELS
from depthwise.kernels.riscv.levels import LEVELS as RISCV_LEVELS
from depthwise.network import reference, reference_int8
from depthwise.network.layers import Layer
from depthwise.network.layers import layers as table_of
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedLayer, QuantizedModel, reach
from depthwise.network.random_int8 import random_quantized
from depthwise.network.requantize import choose_multiplier
from depthwise.network.spec import Spec
from tools.emulated import Emulated, assert_bytes, assert_floats, built, images, needs, run


@dataclass(frozen=True)
class Family:
    """Processors that one emulator plays.

    Attributes:
        target: what the C is built for.
        emulator: the program of qemu.
        processors: by level a processor that has it and none above it.
        more: processors that have all levels and more, on which each program is run too.
    """

    target: str
    emulator: str
    processors: dict[str, str]
    more: tuple[str, ...] = ()

    def above(self, level: str) -> list[str]:
        """Processors that have a level: the one that has none above it, those above, and those that have more."""
        names = list(self.processors)
        return [self.processors[name] for name in names[names.index(level) :]] + list(self.more)


AARCH64 = Family(
    "linux-aarch64",
    "qemu-aarch64",
    {"neon": "cortex-a72", "dotprod": "cortex-a76", "i8mm": "max,sve=off,sme=off"},
)
# One without fused products, and one that has all that 32-bit ARM can have.
ARMV7 = Family("linux-armv7", "qemu-arm", {"": "cortex-a9"}, ("max",))
RISCV = Family(
    "linux-riscv64",
    "qemu-riscv64",
    {"portable": "rv64,v=false", "v128": "rv64,v=true,vlen=128", "v256": "rv64,v=true,vlen=256"},
    ("rv64,v=true,vlen=512",),
)

# Odd maps, channels by eights, by sixteens and such that fill no vector, all paddings, one channel, the standard twin,
# maps of one pixel, other strides. The five blocks that are alike are left out: others have their functions too.
NETWORKS: dict[str, dict[str, Any]] = {
    "plain": {"width": 0.25, "resolution": 96},
    "odd": {"width": 0.35, "resolution": 75, "padding": "same"},
    "narrow": {"width": 0.2, "resolution": 73, "padding": "same"},
    "grey": {"width": 0.5, "resolution": 45, "channels": 1},
    "twin": {"width": 0.25, "resolution": 49, "convolution": "standard"},
    "grey twin": {"width": 0.25, "resolution": 49, "channels": 1, "convolution": "standard"},
    "strides": {"width": 0.35, "resolution": 35, "unit_strides": (0, 6), "padding": "keras"},
    "tiny": {"width": 0.6, "resolution": 32, "unit_strides": (2,), "padding": "keras"},
}
# Family, network, kind, level. All levels of ARM round to bytes in their own way; what else differs is tried at one
# level or two.
BYTES = (
    *((AARCH64, "plain", "own", level) for level in AARCH64.processors),
    *((AARCH64, "odd", "ties", level) for level in AARCH64.processors),
    *((AARCH64, "odd", "quantised", level) for level in AARCH64.processors),
    (AARCH64, "odd", "imported", "neon"),
    (AARCH64, "odd", "imported", "i8mm"),
    (AARCH64, "grey", "imported", "dotprod"),
    *((AARCH64, "odd", "kept", level) for level in AARCH64.processors),
    (AARCH64, "plain", "kept", "i8mm"),
    (AARCH64, "twin", "kept", "dotprod"),
    (AARCH64, "twin", "own", "neon"),
    (AARCH64, "strides", "own", "dotprod"),
    *((ARMV7, "odd", kind, "") for kind in ("imported", "ties", "quantised")),
    (ARMV7, "grey", "own", ""),
    (ARMV7, "odd", "kept", ""),
    *((RISCV, "narrow", "imported", level) for level in RISCV.processors),
    (RISCV, "grey twin", "imported", "v128"),
    (RISCV, "narrow", "kept", "v128"),
    (RISCV, "tiny", "own", "v256"),
)
FLOATS = (
    (AARCH64, "odd", "neon"),
    (AARCH64, "strides", "neon"),
    (RISCV, "narrow", "portable"),
    (RISCV, "narrow", "v256"),
)


def named(value: object) -> str:
    return value.target if isinstance(value, Family) else str(value)


@cache
def network(name: str, kind: str) -> QuantizedModel:
    """A network of random numbers.

    Args:
        name: of NETWORKS.
        kind: "own", as this project quantises; "quantised", with multipliers that have integer forms of even factors
            too; "ties", full of products in the middle of two bytes; "imported", with zero points and clamps as
            imported networks have them, and a factor of -128 in every layer; "kept", with zero points of weights too,
            so that factors reach beyond a byte.
    """
    imported = kind in ("imported", "kept")
    spec = Spec(classes=11, shallow=True, **NETWORKS[name])
    model = random_quantized(spec, 7, hidden_zero_points=imported, rounded=imported, weight_zero_points=kind == "kept")
    layers = {key: _with_the_least_factor(row) if imported else row for key, row in model.layers.items()}
    if kind == "ties":
        layers = {key: _with_ties(row, number) for number, (key, row) in enumerate(layers.items())}
    if kind == "quantised":
        layers = {
            layer.name: _with_integer_forms(layer, layers[layer.name], number)
            for number, layer in enumerate(table_of(model.spec))
        }
    return model.replace(layers=layers)


def _with_the_least_factor(row: QuantizedLayer) -> QuantizedLayer:
    """A layer with a factor of -128, which this project never chooses and others do."""
    weight = row.weight.copy()
    weight.flat[:1] = -128
    return replace(row, weight=weight)


def _with_ties(row: QuantizedLayer, number: int) -> QuantizedLayer:
    """A layer whose products often lie in the middle of two bytes, with zero points that are even and odd in turn."""
    if not row.rounded:
        return row
    return replace(row, multiplier=np.exp2(np.round(np.log2(row.multiplier))), zero_point=number)


def _with_integer_forms(layer: Layer, row: QuantizedLayer, number: int) -> QuantizedLayer:
    """A layer with multipliers as `depthwise quantize` chooses them, and zero points that are even and odd in turn."""
    if not row.rounded:
        return row
    moved = replace(row, zero_point=number)
    return replace(moved, multiplier=choose_multiplier(row.multiplier, reach(layer, moved)).multiplier)


def on_each(
    family: Family, level: str, model: Model | QuantizedModel, folder: Path, *, optimised: bool = False
) -> Iterator[Emulated]:
    """A network that was compiled for a level, run on each processor that has it; kernels of that level did it."""
    row = at_level(target(family.target), level) if level else target(family.target)
    assert row.machine is not None
    emitted = emit(model, target_name="test", machine=row.machine)
    pixels = images(model.spec)
    program = built(emitted, len(pixels), compiler(row, None).command, folder, row.link, optimised=optimised)
    # What a network of odd maps shows at one level, one processor shows.
    processors = family.above(level) if optimised or family is not AARCH64 else [family.processors[level]]
    for processor in processors:
        yield run(emitted, program, (family.emulator, "-cpu", processor), pixels)


@pytest.mark.parametrize(("family", "name", "kind", "level"), BYTES, ids=named)
def test_every_byte_of_every_layer_is_the_oracles(
    family: Family, name: str, kind: str, level: str, tmp_path: Path
) -> None:
    needs(family.emulator)
    model = network(name, kind)
    oracle = reference_int8.run(model, images(model.spec), keep=True)
    # What a compiler makes of the kernels of each level is looked at with one network. Vectors of RISC-V are slow in
    # qemu, and slower where each of them is stored.
    optimised = family is RISCV or name in ("plain", "grey")
    for found in on_each(family, level, model, tmp_path, optimised=optimised):
        assert_bytes(model, oracle, found)
        steps = found.emitted.plan.steps
        if family is ARMV7:
            assert {kernel.instructions.name for step in steps for kernel in step.kernels} == {"neon"}
        if family is AARCH64 and kind == "quantised":
            # A pool has one way; all other layers that round have the cheapest.
            assert {way for step in steps for way in step.ways} == {"", "doubled"}


@pytest.mark.parametrize(("family", "name", "level"), FLOATS, ids=named)
def test_every_float_of_every_layer_is_the_oracles_within_a_hundred_thousandth(
    family: Family, name: str, level: str, tmp_path: Path
) -> None:
    needs(family.emulator)
    model = make_model(seed=3, shallow=True, labels=tuple("abcdefghijk"), **NETWORKS[name])
    oracle = reference.run(model, images(model.spec), keep=True)
    for found in on_each(family, level, model, tmp_path, optimised=family is RISCV):
        assert_floats(oracle, found)


def test_each_level_of_a_family_has_a_processor() -> None:
    assert list(AARCH64.processors) == [level.name for level in ARM_LEVELS]
    assert list(RISCV.processors) == [level.name for level in RISCV_LEVELS]
