"""ARM: a library picks its level on each processor, and layers round in the cheapest way that is proven."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthwise.compiler.compile import Emitted, compile_model, emit
from depthwise.kernels import headers
from depthwise.kernels.arm.levels import LEVELS
from depthwise.kernels.arm.ways import way
from depthwise.kernels.weights import Rounding, Weights
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from tools.emitted import build
from tools.emulated import needs

LEVELS_C = Path(__file__).parents[1] / "tools" / "levels.c"
LEVEL_NAMES = [level.name for level in LEVELS]


@cache
def network() -> QuantizedModel:
    """A network of random numbers as this project quantises them."""
    model = random_quantized(Spec(width=0.1, resolution=33, shallow=True, classes=11), 7)
    return model.replace(
        layers={key: replace(row, weight=np.maximum(row.weight, -127)) for key, row in model.layers.items()}
    )


def emitted_at(model: QuantizedModel, level: str) -> Emitted:
    machine = next(row.machine for row in LEVELS if row.name == level)
    return emit(model, target_name="test", machine=machine)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that tells of the levels of an artifact, with the artifact beside it."""
    needs("qemu-aarch64", "aarch64-linux-gnu-gcc")
    folder = tmp_path_factory.mktemp("arm")
    compile_model(network(), target="linux-aarch64", out=folder / "model.so")
    flags = ("-O1", "-ffreestanding", "-fno-tree-loop-distribute-patterns", "-nostdlib", "-rdynamic")
    include = f"-I{headers.INTERFACE.parent}"
    build(("aarch64-linux-gnu-gcc", *flags, include, str(LEVELS_C), "./model.so", "-o", "program"), folder)
    return folder / "program"


@pytest.mark.parametrize(
    ("cpu", "has"),
    [
        ("cortex-a53", 1),
        ("cortex-a72", 1),
        ("a64fx", 1),  # has SVE, and no dot products
        ("cortex-a76", 2),
        ("neoverse-n1", 2),
        ("max,sve=off,sme=off", 3),
    ],
)
def test_each_processor_picks_its_level_and_the_golden_cases_hold_at_all_that_it_has(
    cpu: str, has: int, program: Path
) -> None:
    command = ("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", "-cpu", cpu, program.name)
    done = subprocess.run(command, cwd=program.parent, capture_output=True, text=True, check=False)

    assert done.stdout.splitlines() == [
        f"in use {LEVEL_NAMES[has - 1]}",
        *(f"{level} {'holds' if number < has else 'lacking'}" for number, level in enumerate(LEVEL_NAMES)),
    ]


def test_a_processor_of_32_bits_without_neon_says_so_before_it_meets_what_it_does_not_know(tmp_path: Path) -> None:
    """A Raspberry Pi 1 or Zero has ARMv6, and some processors of ARMv7, as NVIDIA's Tegra 2, have no vectors."""
    needs("qemu-arm", "arm-linux-gnueabihf-gcc")
    static = compile_model(network(), target="linux-armv7", form="static", out=tmp_path / "static").path
    oldest = ("-march=armv6", "-marm", "-mfpu=vfp", "-mfloat-abi=hard", "-O1", "-ffreestanding")
    alone = ("-fno-tree-loop-distribute-patterns", "-nostdlib", "-static", f"-I{static}")
    # What the C library would bring for exceptions and division by zero is called by nobody here.
    library = (str(static / "libmodel.a"), "-lgcc", "-Wl,--unresolved-symbols=ignore-all")
    build(("arm-linux-gnueabihf-gcc", *oldest, *alone, str(LEVELS_C), *library, "-o", "program"), tmp_path)
    found = {
        processor: subprocess.run(
            ("qemu-arm", "-cpu", processor, str(tmp_path / "program")), capture_output=True, text=True, check=False
        ).stdout
        for processor in ("arm1176", "cortex-a9,neon=off", "cortex-a9")
    }

    lacking = "processor lacks it\n"
    assert found == {"arm1176": lacking, "cortex-a9,neon=off": lacking, "cortex-a9": "in use neon\nneon holds\n"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "added"),
        ({"zero_point": 6}, "added"),
        ({"zero_point": 7}, "converted"),
        ({"low": 1}, "converted"),
        ({"high": 254}, "converted"),
        ({"multiplier": np.array([1.0], np.float32)}, "converted"),
        ({"even": np.array([1 << 25])}, "doubled"),
        ({"even": np.array([1 << 25]), "zero_point": 7}, "doubled"),
        ({"even": np.array([1 << 25]), "low": 1}, "converted"),
        ({"even": np.array([-1])}, "added"),
    ],
)
def test_rounding_is_in_the_cheapest_way_that_is_proven(change: dict[str, Any], expected: str) -> None:
    usual = {"multiplier": np.array([2**-7], np.float32), "scale": np.ones(1, np.float32), "zero_point": 0}
    rounding = Rounding(**{**usual, "low": 0, "high": 255, "rounded": True, **change})
    factors = np.full((100, 1), 100, np.int8)

    assert way(Weights(weight=factors, bias=np.zeros(1, np.int32), rounding=rounding)) == expected


@pytest.mark.parametrize(("bias", "expected"), [((1 << 22) - 2550001, "added"), ((1 << 22) - 2550000, "converted")])
def test_a_sum_that_float32_would_round_is_not_rounded_by_addition(bias: int, expected: str) -> None:
    rounding = Rounding(
        multiplier=np.array([2**-14], np.float32),
        scale=np.ones(1, np.float32),
        zero_point=0,
        low=0,
        high=255,
        rounded=True,
    )
    # The largest sum is 255 * 100 * 100 above the bias.
    weights = Weights(weight=np.full((100, 1), 100, np.int8), bias=np.array([bias], np.int32), rounding=rounding)

    assert way(weights) == expected


@pytest.mark.parametrize(("level", "is_wide"), [("neon", True), ("dotprod", False)])
def test_a_factor_of_minus_128_is_for_dot_products_alone(level: str, is_wide: bool) -> None:
    model = network()
    name = "blocks.0.0.conv_pw"
    weight = model.layers[name].weight.copy()
    weight.flat[0] = -128
    wounded = model.replace(layers={**model.layers, name: replace(model.layers[name], weight=weight)})

    assert (f"{name}: 1 of 8 channels" in emitted_at(wounded, level).model_c) == is_wide


def test_a_network_whose_factors_are_no_signed_bytes_has_the_kernels_of_others() -> None:
    spec = Spec(width=0.25, resolution=32, classes=3)
    kept, other = (emitted_at(random_quantized(spec, weight_zero_points=some), "i8mm").plan for some in (True, False))

    assert [step.kernels for step in kept.steps] == [step.kernels for step in other.steps]
