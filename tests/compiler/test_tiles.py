"""The level on tiles: networks in the plain meaning of the tiles' words, and the choice between levels.

Where this machine lacks AVX-512, what stands around the tiles runs in the loops of tools/avx512.h. Kernels alone are
tested in test_kernels.py, what Linux answers who asks for tiles in test_tiles_permission.py.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import make_model
from depthwise.compiler.choices import Choices
from depthwise.compiler.compile import emit, emit_for
from depthwise.compiler.emit.emit import file_of_level
from depthwise.compiler.lower.compilation import compilation
from depthwise.compiler.plan.plan import plan
from depthwise.compiler.step import Step
from depthwise.compiler.targets import at_level, for_machine, target
from depthwise.kernels.bfloat16 import floats, halves
from depthwise.kernels.machine import Machine
from depthwise.kernels.portable import tiles as portable
from depthwise.kernels.tiling import Product
from depthwise.kernels.weights import Rounding, Weights
from depthwise.kernels.x86 import amx, ways
from depthwise.kernels.x86.instructions import AMX, AVX512BF16, AVX512VBMI, AVX512VNNI
from depthwise.kernels.x86.makers import AMD, INTEL
from depthwise.kernels.x86.tiles import tiling
from depthwise.network import reference, reference_int8
from depthwise.network.live import live
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.requantize import requantize
from depthwise.network.spec import Spec
from depthwise.precision import Precision
from tools.constants import with_constants
from tools.emitted import SSE, STRICT, build, write_headers, write_sources

TILES = Machine(lanes=16, registers=32, family="x86", features=AMX.needs | AVX512VBMI.needs)
TOOLS = Path(__file__).parents[1] / "tools"
# For the plain meaning where this machine has tiles too.
IN_C = ("-U__AMX_TILE__", "-UDWK_TILES_IN_C", "-DDWK_TILES_IN_C", "-Wno-unused-command-line-argument")
# What depthwise.h calls a processor that lacks something.
DW_PROCESSOR = 5


def planned(threads: int = 1, precision: Precision = "int8", **fields: object) -> tuple[Step, ...]:
    """The steps of a network on tiles."""
    spec = Spec(classes=7, **fields)  # type: ignore[arg-type]
    choices = Choices(precision=precision, threads=threads)
    logits = "products" if precision == "int8" else ""
    return plan(spec, default_preprocessing(spec.resolution, spec.channels), TILES, choices, logits=logits).steps


def form_of(step: Step) -> str:
    return step.calls[-1].form.name


def test_layers_of_64_channels_and_more_are_on_tiles_and_the_rest_is_on_dot_products() -> None:
    steps = {step.name: step for step in planned(width=0.5, resolution=224)}

    assert form_of(steps["blocks.0.0"]) == "dwk_product_i8_p4_c2x16__avx512vnni"
    assert form_of(steps["blocks.1.0"]) == "dwk_product_tiles_i8_converted_p16k32_c4x16__amx"
    assert form_of(steps["blocks.3.0"]) == "dwk_product_tiles_i8_converted_p16k64_c4x16__amx"
    # 49 pixels are four blocks of 13, and not three of 16 and one pixel.
    assert form_of(steps["blocks.4.1"]) == "dwk_product_tiles_i8_converted_p13k64_c4x16__amx"


def test_channels_beyond_whole_panels_are_computed_by_dot_products_behind_those_on_tiles() -> None:
    step = next(step for step in planned(width=0.75, resolution=96) if step.output.shape.channels == 96)

    assert [(call.form.name, call.units, call.size) for call in step.calls[1:]] == [
        ("dwk_product_tiles_i8_converted_p16k48_c4x16__amx", 1, 64),
        ("dwk_product_i8_p4_c2x16__avx512vnni", 1, 32),
    ]


def test_all_products_of_bf16_are_on_tiles_and_those_of_few_channels_or_many_values_take_more_tiles_of_pixels() -> None:
    steps = {step.name: step for step in planned(precision="bf16", width=0.75, resolution=224)}

    first = next(iter(steps.values()))
    assert [call.form.name for call in first.calls] == [
        "dwk_product_tiles_bf16_p14k20_c1x16__amxbf16",
        "dwk_product_tiles_bf16_p14k20_c1x16n8__amxbf16",
    ]
    assert [(call.form.name, call.units) for call in steps["blocks.1.0"].calls] == [
        ("dwk_depthwise3x3s2_bf16_c32__avx512", 1),
        ("dwk_product_tiles_bf16_p16k48_c4x16__amxbf16", 1),
        ("dwk_product_tiles_bf16_p16k48_c2x16__amxbf16", 1),
    ]
    assert form_of(steps["blocks.3.1"]) == "dwk_product_tiles_bf16_p14k64_c2x16__amxbf16"
    assert (
        form_of(planned(precision="bf16", width=1.0, resolution=96)[0])
        == "dwk_product_tiles_bf16_p12k20_c2x16__amxbf16"
    )


@pytest.mark.parametrize("resolution", [32, 97, 113, 224, 225, 256])
@pytest.mark.parametrize("threads", [1, 8])
@pytest.mark.parametrize("precision", ["int8", "bf16"])
def test_no_call_has_fewer_pixels_than_a_block(resolution: int, threads: int, precision: Precision) -> None:
    for step in planned(threads, precision, width=1.0, resolution=resolution):
        if step.tiles is None:
            continue
        shape = step.output.shape
        rows = {step.rows, shape.height % step.rows or step.rows}
        if step.split == "rows":
            rows = shares(shape.height, step.grain)
        if step.kind == "stem":
            rows = {1}
        assert step.tiles.pixels <= min(16, min(rows) * shape.width), step.name


def shares(count: int, grain: int) -> set[int]:
    """How many rows a thread may get, of any number of threads: dwk_own of dwk_team.h."""
    grains = -(-count // grain)
    ends = ((grains * i // n * grain, min(grains * (i + 1) // n * grain, count)) for n in range(1, 9) for i in range(n))
    return {end - first for first, end in ends} - {0}


def test_small_maps_fill_tiles_where_threads_still_have_as_many_rows_each() -> None:
    of_width = {}
    for resolution in (128, 192, 224):
        for step in planned(8, "int8", width=1.0, resolution=resolution):
            if step.tiles is not None and step.split == "rows":
                of_width[step.output.shape.width] = (step.tiles.pixels, step.grain)

    assert of_width == {8: (16, 2), 12: (16, 2), 14: (14, 1)}


@pytest.mark.parametrize(
    ("depth", "bytes_"),
    [(8, 8), (32, 32), (64, 64), (96, 48), (128, 64), (160, 40), (192, 64), (1024, 64), (136, 0), (296, 0)],
)
def test_values_are_cut_into_few_equal_parts_or_stay_with_dot_products(depth: int, bytes_: int) -> None:
    assert amx.bytes_at_a_time(depth, "int8") == bytes_
    assert amx.on_tiles(depth, 64, "int8") == (bytes_ > 0)
    assert not amx.on_tiles(depth, 56, "int8")


@pytest.mark.parametrize(("depth", "bytes_"), [(9, 20), (8, 16), (24, 48), (96, 64), (80, 40), (1024, 64), (136, 0)])
def test_values_of_bf16_are_cut_alike_into_pairs(depth: int, bytes_: int) -> None:
    assert amx.bytes_at_a_time(depth, "bf16") == bytes_
    assert all(amx.on_tiles(depth, channels, "bf16") == (bytes_ > 0) for channels in (8, 24, 64))


@pytest.mark.parametrize("channels", range(8))
def test_the_fused_way_gives_the_byte_of_the_rule_for_sums_up_to_its_bounds(channels: int) -> None:
    """By the operations of the kernel in numbers of float32, at both ends of what is proven and between."""
    rng = np.random.default_rng(channels)
    ends = [0, 1, -1, 2**23 - 1, 2**23, 2**23 + 1, 2**24, 2**25 - 1, -(2**23), -(2**24), -(2**30) + 1]
    for multiplier in np.array([2.0**-15, 3.1e-5, 0.004, 0.37, 1], np.float32):
        ties = np.arange(-300, 300) / (2 * multiplier)
        sums = np.concatenate([ends, rng.integers(-(2**24), 2**25, 4000), ties]).astype(np.int64)
        floats = (sums + 0x4B000000).astype(np.int32).view(np.float32)
        # In float64 the product of two numbers of 24 bits is exact, and so is what is taken away from it here.
        fused = (floats.astype(np.float64) * multiplier - 2.0**23 * float(multiplier)).astype(np.float32)
        found = np.clip(np.rint(fused), 0, 255)

        assert (found == requantize(sums.astype(np.int32), multiplier, 0, low=0, high=255)).all(), multiplier


def rounding(multiplier: float = 1e-3, zero_point: int = 0) -> Rounding:
    factors = np.array([multiplier], np.float32)
    return Rounding(multiplier=factors, scale=factors, zero_point=zero_point, low=0, high=255, rounded=True)


@pytest.mark.parametrize(
    ("bias", "to", "way"),
    [
        (0, rounding(), "fused"),
        (0, rounding(zero_point=3), "converted"),
        (0, rounding(1.5), "converted"),
        (2**23 - 255 * 100 - 1, rounding(1e-6), "fused"),
        (2**23 - 255 * 100, rounding(1e-6), "converted"),
        (2**23, rounding(), "fused"),
        (2**25 - 255 * 100, rounding(), "converted"),
        (-(2**30), rounding(), "converted"),
    ],
)
def test_rounding_is_fused_where_the_bounds_of_all_sums_prove_it(bias: int, to: Rounding, way: str) -> None:
    weights = Weights(weight=np.full((1, 10, 1), 10, np.int8), bias=np.array([bias], np.int32), rounding=to)

    assert ways.way(weights) == way


MISUSED = r"""
#include "dwk_amx.h"
void misuse(int which);
void misuse(int which)
{
    static uint8_t memory[4096];
    if (which == 0) {
        DWK_TILE_LOAD(4, memory, 64);
    }
    dwk_tiles_begin(which == 1 ? 17 : 16, which == 2 ? 68 : 32, 1);
    DWK_TILE_LOAD(4, memory, 64);
    if (which == 3) {
        DWK_TILE_DOT(0, 4, 4);
    }
    if (which == 4) {
        DWK_TILE_DOT(0, 5, 6);
    }
    if (which == 6) {
        DWK_TILE_DOT_BF16(0, 5, 4);
    }
    if (which == 5) {
        dwk_tiles_end();
        DWK_TILE_STORE(0, memory, 64);
    }
    DWK_TILE_DOT(0, 4, 5);
}
"""
FAULTS = (
    "a tile before anything began",
    "more than 16 rows",
    "more than 64 bytes",
    "a tile twice",
    "sizes that do not belong together",
    "a tile behind the end",
    "sizes that do not belong together in bf16",
)


@pytest.fixture(scope="module")
def misused(tmp_path_factory: pytest.TempPathFactory, zig_with_tiles: tuple[str, ...]) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("misused")
    write_headers(folder)
    (folder / "misuse.c").write_text(MISUSED)
    build((*zig_with_tiles, *IN_C, *STRICT, "-fPIC", "-shared", "-o", "misuse.so", "misuse.c"), folder)
    return ctypes.CDLL(str(folder / "misuse.so"))


@pytest.mark.parametrize("which", range(len(FAULTS) + 1), ids=[*FAULTS, "nothing wrong"])
def test_the_plain_meaning_ends_the_process_where_the_processor_would(which: int, misused: ctypes.CDLL) -> None:
    assert (ended_by(lambda: misused.misuse(which)) is not None) == (which < len(FAULTS))


DOTS = r"""
#include "dwk_amx.h"
void dots(const uint16_t *values, const uint16_t *factors, float *sums, int pixels, int bytes);
void dots(const uint16_t *values, const uint16_t *factors, float *sums, int pixels, int bytes)
{
    dwk_tiles_begin(pixels, bytes, 2);
    DWK_TILE_LOAD(0, sums, 64);
    DWK_TILE_LOAD(5, values, bytes);
    DWK_TILE_LOAD(6, factors, 64);
    DWK_TILE_DOT_BF16(0, 5, 6);
    DWK_TILE_STORE(0, sums, 64);
    dwk_tiles_end();
}
"""


@pytest.mark.parametrize("in_c", [True, False], ids=["plain meaning", "as this machine has them"])
def test_both_meanings_of_a_product_of_bf16_sum_first_and_second_values_apart(
    in_c: bool, tmp_path: Path, zig_with_tiles: tuple[str, ...]
) -> None:
    plain = IN_C if in_c else ()
    write_headers(tmp_path)
    (tmp_path / "dots.c").write_text(DOTS)
    build((*zig_with_tiles, *plain, *STRICT, "-O1", "-fPIC", "-shared", "-o", "dots.so", "dots.c"), tmp_path)
    library = ctypes.CDLL(str(tmp_path / "dots.so"))
    rng = np.random.default_rng(1)
    values, factors = (floats(halves(rng.normal(0, 2, (16, 32)).astype(np.float32))) for _ in range(2))
    sums = rng.normal(0, 2, (16, 16)).astype(np.float32)
    # Pairs of factors lie in the rows of their tile, so (pair, column, of the pair).
    pairs = factors.reshape(16, 16, 2)
    expected = np.empty((16, 16), np.float32)
    for row, column in np.ndindex(16, 16):
        of = [np.float32(0), np.float32(0)]
        for k in range(32):
            # In float64 such a product and its sum are exact, or round as one operation does.
            product = float(values[row, k]) * float(pairs[k // 2, column, k % 2])
            of[k % 2] = np.float32(product + float(of[k % 2]))
        expected[row, column] = sums[row, column] + (of[0] + of[1])
    given: list[np.ndarray[Any, Any]] = [np.ascontiguousarray(halves(array)) for array in (values, factors)]
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in (*given, sums)]
    library.dots(*pointers, 16, 64)

    assert (sums == expected).all()


def ended_by(work: Callable[[], object]) -> int | None:
    """The signal that ended a process of its own that did some work; None where it came to its end."""
    child = os.fork()
    if child == 0:
        faulthandler.disable()
        work()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else None


NETWORKS: dict[str, Callable[[], QuantizedModel]] = {
    "0.25-128": lambda: random_quantized(Spec(width=0.25, resolution=128, classes=9), seed=3),
    "dead channels and zero points": lambda: with_constants(
        {"width": 0.75, "resolution": 33, "classes": 9, "shallow": True}, shifted=True
    ),
}


@dataclass(frozen=True, kw_only=True)
class Levels:
    """An artifact of two levels, the upper one on tiles, on a processor and a system that answer as they are told."""

    model: QuantizedModel
    steps: tuple[Step, ...]
    path: Path
    library: ctypes.CDLL

    def number(self, name: str) -> ctypes.c_int32:
        """Of the fake: dwt_has_tiles, dwt_refuses or dwt_asked."""
        return ctypes.c_int32.in_dll(self.library, name)


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory, zig_with_tiles: tuple[str, ...]) -> Callable[[str], Levels]:
    @cache
    def made(name: str) -> Levels:
        model, folder = NETWORKS[name](), tmp_path_factory.mktemp("levels")
        job = compilation(model, target="test", precision="int8", found=live(model))
        emitted = emit_for(job, {"portable": SSE, "amx": TILES}, Choices(threads=3))
        write_sources(emitted, folder)
        shutil.copy(TOOLS / "fake_processor.h", folder / "dwk_processor.h")
        (folder / "fake.c").write_text("#include <stdint.h>\nint32_t dwt_has_tiles, dwt_refuses, dwt_asked;\n")
        files = ["model.c", "weights.s", "fake.c"]
        for level, text in emitted.levels.items():
            files.append(file_of_level(level))
            (folder / files[-1]).write_text(text, encoding="utf-8")
        # Not optimised, which takes a third of the time.
        flags = (*STRICT, "-O0", "-fno-sanitize=undefined", "-fPIC", "-shared", "-o", "model.so")
        build((*zig_with_tiles, *flags, *files), folder)
        path = folder / "model.so"
        return Levels(model=model, steps=emitted.plan.steps, path=path, library=ctypes.CDLL(str(path)))

    return made


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_on_tiles_gives_the_oracles_features_to_the_last_bit(
    name: str, levels: Callable[[str], Levels]
) -> None:
    found = levels(name)
    spec, library = found.model.spec, found.library
    found.number("dwt_has_tiles").value = 1
    pixels = np.random.default_rng(6).integers(0, 256, (1, spec.resolution, spec.resolution, 3), np.uint8)
    expected = reference_int8.run(found.model, pixels).features[0]
    features = np.empty(expected.size, np.float32)
    given, to = (ctypes.c_void_p(array.ctypes.data) for array in (pixels, features))

    assert sum(step.tiles is not None for step in found.steps) >= 3
    assert library.dw_use_level(1) == 0
    for threads in (1, 3):
        library.dw_set_threads(threads)
        assert library.dw_features(given, to, None) == 0
        assert (features == expected).all()
        assert library.dw_verify(None, None) == 0


def test_a_network_of_bf16_on_tiles_in_c_gives_the_oracles_features(
    tmp_path: Path, zig_with_tiles: tuple[str, ...]
) -> None:
    """Of 11 channels and of panels of 64, 32, 16 and 8, at odd sizes, on one thread and on three."""
    model = make_model(seed=3, width=0.35, resolution=37, shallow=True, labels=tuple("abcdefghijk"))
    emitted = emit(model, target_name="test", machine=TILES, choices=Choices(precision="bf16", threads=3))
    write_sources(emitted, tmp_path)
    flags = (*STRICT, "-O0", "-fno-sanitize=undefined", "-fPIC", "-shared", "-o", "model.so")
    build((*zig_with_tiles, *IN_C, *flags, "model.c", "weights.s"), tmp_path)
    library = ctypes.CDLL(str(tmp_path / "model.so"))
    pixels = np.random.default_rng(6).integers(0, 256, (1, 37, 37, 3), np.uint8)
    expected = reference.run(model, pixels).features[0]
    answers = []
    for threads in (1, 3):
        library.dw_set_threads(threads)
        features = np.empty(expected.size, np.float32)
        given, to = (array.ctypes.data_as(ctypes.c_void_p) for array in (pixels, features))
        assert library.dw_features(given, to, None) == 0
        answers.append(features)

    vectors = {panels.vectors for step in emitted.plan.steps if step.tiles for panels in step.tiles.panels}
    assert vectors == {4, 2, 1}
    assert answers[0] == pytest.approx(expected, abs=2e-2 * float(expected.max()))
    assert (answers[1] == answers[0]).all()


def test_dead_channels_leave_whole_panels_on_tiles(levels: Callable[[str], Levels]) -> None:
    found = [step for step in levels("dead channels and zero points").steps if step.tiles is not None]

    assert any(step.tiling.panels for step in found)
    assert all(step.output.shape.channels < 1024 for step in found)


@pytest.mark.parametrize(("has", "refuses", "level", "asked"), [(1, 0, 1, 1), (1, 1, 0, 1), (0, 0, 0, 0), (0, 1, 0, 0)])
def test_where_the_system_refuses_tiles_the_next_lower_level_is_used_and_it_is_asked_no_more(
    has: int, refuses: int, level: int, asked: int, levels: Callable[[str], Levels], tmp_path: Path
) -> None:
    # A copy is another library, which has chosen nothing yet.
    shutil.copy(levels("0.25-128").path, tmp_path / "copy.so")
    found = replace(levels("0.25-128"), library=ctypes.CDLL(str(tmp_path / "copy.so")))
    found.number("dwt_has_tiles").value, found.number("dwt_refuses").value = has, refuses

    assert found.number("dwt_asked").value == 0
    assert [found.library.dw_level_in_use() for _ in range(3)] == [level] * 3
    assert found.number("dwt_asked").value == asked
    assert found.library.dw_processor() == 0
    assert found.library.dw_use_level(1) == (0 if level == 1 else DW_PROCESSOR)
    assert found.library.dw_level_in_use() == level


def test_a_library_for_a_processor_with_tiles_carries_a_level_without_them_too() -> None:
    host = target("host")
    machine = replace(TILES, features=TILES.features | {"__AVX2__"})

    without, on_tiles = for_machine(host, machine, "int8")
    assert (without.level, on_tiles.level) == ("host", "amx")
    assert on_tiles.machine == machine
    assert without.machine is not None
    assert machine.features - without.machine.features == {"__AMX_TILE__", "__AMX_INT8__", "__AMX_BF16__"}
    assert without.zig == ("-mcpu=native-amx_tile-amx_int8-amx_bf16",)
    assert without.cc == ("-march=native", "-mno-amx-tile", "-mno-amx-int8", "-mno-amx-bf16")
    assert [row.level for row in for_machine(host, machine, "bf16")] == ["host", "amx"]
    assert [row.level for row in for_machine(host, machine, "float32")] == ["host"]
    assert [row.level for row in for_machine(host, without.machine, "int8")] == ["host"]


def test_gcc_takes_the_instructions_in_their_order_and_every_step_on_tiles_begins_once(
    gcc: str, tmp_path: Path
) -> None:
    if shutil.which("objdump") is None:
        pytest.skip("objdump is not installed; no machine code is read")
    cc = at_level(target("host"), "amx").cc
    assert cc is not None
    command = (gcc, *cc)
    model = random_quantized(Spec(width=0.25, resolution=64, classes=5, shallow=True), seed=2)
    emitted = emit(model, target_name="test", machine=TILES, choices=Choices(precision="int8"))
    write_sources(emitted, tmp_path)
    build((*command, *STRICT, "-O1", "-fPIC", "-c", "-o", "model.o", "model.c"), tmp_path)
    listing = subprocess.run(
        ("objdump", "-d", "--no-show-raw-insn", "model.o"), cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    found = re.findall(r"\b(ldtilecfg|tilerelease|tileloadd|tilestored|tdpbusd)\b", listing)

    steps = sum(step.tiles is not None for step in emitted.plan.steps)
    assert (found.count("ldtilecfg"), found.count("tilerelease"), found[0], found[-1]) == (
        steps,
        1,
        "ldtilecfg",
        "tilerelease",
    )
    assert found.count("tdpbusd") >= 4 * steps


def test_a_library_for_an_intel_takes_its_tiles_and_no_dot_products_of_bf16() -> None:
    machine = replace(TILES, features=AVX512VBMI.needs | AVX512BF16.needs)

    (on_amd,) = for_machine(target("host"), replace(machine, maker=AMD), "bf16")
    (on_intel,) = for_machine(target("host"), replace(machine, maker=INTEL), "bf16")
    assert on_amd.machine == replace(machine, maker=AMD)
    assert on_intel.machine == replace(machine, maker=INTEL, features=AVX512VBMI.needs)


def test_dot_products_have_tiles_of_two_pixels_where_they_pay_and_on_intel_none() -> None:
    product = Product(width=56, channels=128, depth=128)
    amd, intel = (tiling(product, replace(TILES, maker=maker), AVX512VNNI) for maker in (AMD, INTEL))

    assert (amd.pixels, intel.pixels) == (2, 4)
    assert amd.panels == intel.panels


@pytest.mark.parametrize(("together", "value", "bytes_"), [(1, 4, 16), (2, 2, 0)], ids=["float32", "bf16"])
def test_products_of_float32_alone_take_several_values_of_a_pixel_at_a_time(
    together: int, value: int, bytes_: int
) -> None:
    product = Product(width=56, channels=128, depth=128, together=together, value=value)

    assert portable.tiling(product, replace(TILES, maker=INTEL)).bytes == bytes_
