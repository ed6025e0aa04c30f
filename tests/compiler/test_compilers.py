"""The compilers of a system, at each level of x86: their warnings and the answers of what they build."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import make_model
from depthwise.compiler import compile_model
from depthwise.compiler.choices import Choices
from depthwise.compiler.compile import Emitted, emit
from depthwise.compiler.outputs.compilers import compiler
from depthwise.compiler.outputs.lean import lean
from depthwise.compiler.outputs.library import library
from depthwise.compiler.targets import Target, at_level, target
from depthwise.edge.artifact import Artifact
from depthwise.errors import Refused
from depthwise.kernels.headers import headers
from depthwise.kernels.x86.levels import LEVELS
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from depthwise.precision import Precision
from tools.binaries import demands
from tools.emitted import STRICT, predefined

pytestmark = pytest.mark.skipif(
    os.uname().machine != "x86_64", reason="this machine is no x86; its compilers build nothing for one"
)
# Few maps, so few forms of kernels.
SPEC = Spec(width=0.25, resolution=32, classes=3, shallow=True)
LEVELS_OF: tuple[tuple[Precision, str], ...] = tuple(
    (precision, level.name)
    for precision in ("int8", "float32", "bf16")
    for level in LEVELS
    if precision in level.carried
)


def test_a_compiler_for_a_big_endian_processor_is_refused_in_one_sentence(tmp_path: Path) -> None:
    wrapped = tmp_path / "s390x-gcc"
    wrapped.write_text("#!/bin/sh\necho '#define __BYTE_ORDER__ __ORDER_BIG_ENDIAN__'\n")
    wrapped.chmod(0o755)

    with pytest.raises(Refused, match=r"big-endian processor, and libraries, int8 and bf16 are for little-endian ones"):
        compile_model(random_quantized(SPEC), target="host", cc=str(wrapped), out=tmp_path / "model.so")


def row_of(level: str) -> Target:
    return at_level(target("host"), level)


def emitted(precision: Precision, row: Target) -> Emitted:
    assert row.machine is not None
    model = random_quantized(SPEC) if precision == "int8" else make_model(**vars(SPEC))
    return emit(model, target_name="host", machine=row.machine, choices=Choices(precision=precision))


# zig is a clang of its own, so another one builds the level that most machines run, and the highest of each precision.
HIGHEST = dict(LEVELS_OF)
ENDS = [(precision, level) for precision, level in LEVELS_OF if level in ("avx2", HIGHEST[precision])]
BUILT = (*(("gcc", *pair) for pair in LEVELS_OF), *(("clang", *pair) for pair in ENDS))


@pytest.mark.parametrize(("cc", "precision", "level"), BUILT, indirect=["cc"])
def test_they_are_silent_on_every_level_and_the_golden_cases_hold(
    precision: Precision, level: str, cc: str, tmp_path: Path, zig: tuple[str, ...]
) -> None:
    row = row_of(level)
    network = emitted(precision, row)
    chosen = compiler(row, cc)
    strict = replace(chosen, command=(*chosen.command, *STRICT))
    library(strict, network.model_c, network.packed.words, precision, tmp_path / "model.so")
    assert not demands(tmp_path / "model.so")
    assert row.machine is not None
    if not row.machine.features <= predefined(zig):
        pytest.skip(f"this processor lacks level {level}; what {Path(cc).name} builds for it is not run")
    with Artifact.open(tmp_path / "model.so") as artifact:
        artifact.verify()


# Macros that are no instructions, or whose instructions come with another macro, or are used only where they are named.
NOT_ASKED = {"CRC32", "XSAVE", "EVEX256", "EVEX512"}
NOT_ASKED |= {"AMX_TILE", "AMX_INT8", "AMX_BF16", "AMXTILE", "AMXINT8", "AMXBF16"}


@pytest.mark.parametrize("level", [level.name for level in LEVELS])
def test_a_processor_is_asked_for_all_that_a_level_lets_a_compiler_use(level: str, cc: str) -> None:
    asked = set(re.findall(r"__([A-Z0-9_]+?)__", headers()["dwk_processor_x86.h"].decode()))
    for name in (None, cc):
        lowest = predefined(compiler(row_of("portable"), name).command)
        more = predefined(compiler(row_of(level), name).command) - lowest
        used = {found[1] for macro in more if (found := re.fullmatch(r"__([A-Z0-9_]+)__", macro))}
        assert used - NOT_ASKED <= asked, f"{name or 'zig'} may use instructions that no processor is asked for"
        assert level == "portable" or used


def test_zig_leaves_out_headers_for_avx512_and_the_library_is_the_same(tmp_path: Path) -> None:
    row = row_of("avx2")
    assert row.machine is not None
    network, chosen = emitted("float32", row), compiler(row, None)
    without = lean(chosen, row.machine)
    for name, each in (("lean", without), ("whole", chosen)):
        library(each, network.model_c, network.packed.words, "float32", tmp_path / name)

    assert (tmp_path / "lean").read_bytes() == (tmp_path / "whole").read_bytes()
    assert len(without.command) > len(chosen.command) + 20
    later = [level.machine for level in LEVELS if "__AVX512F__" in level.machine.features]
    assert all(lean(chosen, machine) is chosen for machine in later)
    gcc = replace(chosen, command=("gcc",))
    assert lean(gcc, row.machine) is gcc
