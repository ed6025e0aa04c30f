"""Artifacts that carry several levels of instructions, on this processor and on others that qemu plays."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from depthwise.compiler import compile_model
from depthwise.compiler.choices import Choices
from depthwise.compiler.compile import emit, emit_for
from depthwise.compiler.emit.emit import file_of_level
from depthwise.compiler.lower.compilation import compilation
from depthwise.compiler.outputs.compilers import compiler
from depthwise.compiler.outputs.library import FLAGS
from depthwise.compiler.targets import levels, target
from depthwise.edge.artifact import Artifact
from depthwise.errors import Refused
from depthwise.kernels import headers
from depthwise.kernels.machine import Machine
from depthwise.kernels.x86.levels import BASELINE, LEVELS
from depthwise.kernels.x86.makers import AMD, INTEL, maker_here
from depthwise.network import reference, reference_int8
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from depthwise.precision import ON_PROCESSORS, PRECISIONS, Precision
from tools.all_levels import AllLevels, network, of_all_levels
from tools.emitted import PLAIN, build, predefined, write_sources

PROGRAM = Path(__file__).parents[1] / "tools" / "levels.c"
CARRIED: dict[Precision, tuple[str, ...]] = {
    "float32": ("portable", "avx2", "avx512", "avx512_intel"),
    "bf16": ("portable", "avx2", "avx512", "bf16", "amx"),
    "int8": ("portable", "v2", "avx2", "avxvnni", "vnni", "vbmi", "vbmi_intel", "amx"),
}
TOLERANCE = {"float32": 1e-5, "bf16": 2e-2, "int8": 1e-6}
needs_x86 = pytest.mark.skipif(
    os.uname().machine != "x86_64", reason="this machine is no x86; levels are not run on it"
)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[Precision, AllLevels]:
    return {precision: of_all_levels(precision, tmp_path_factory) for precision in ON_PROCESSORS}


@needs_x86
@pytest.mark.parametrize("precision", CARRIED)
def test_every_level_that_this_processor_has_gives_the_oracles_answers(
    precision: Precision, artifacts: dict[Precision, AllLevels], zig: tuple[str, ...]
) -> None:
    model = network(precision)
    pixels = np.random.default_rng(4).integers(0, 256, (2, 37, 37, 3), np.uint8)
    oracle = reference_int8 if precision == "int8" else reference
    expected = oracle.run(model, pixels)
    has = [level.name for level in LEVELS if level.machine.features <= predefined(zig)]
    with Artifact.open(artifacts[precision].path) as artifact:
        assert artifact.levels == artifacts[precision].levels == CARRIED[precision]
        assert artifact.record["levels"] == list(CARRIED[precision])
        assert artifact.record["target"] == "linux-x86_64"
        usable = [level for level in artifact.levels if artifact.use_level(level)]
        assert usable == [level for level in CARRIED[precision] if level in has]
        for level in usable:
            artifact.use_level(level)
            for image, features, probabilities in zip(pixels, expected.features, expected.probabilities, strict=True):
                found = artifact.features(image)
                if precision == "int8":
                    assert (found == features).all()
                else:
                    assert found == pytest.approx(features, abs=TOLERANCE[precision] * features.max())
                assert artifact.run(image) == pytest.approx(probabilities, abs=TOLERANCE[precision])


@needs_x86
@pytest.mark.parametrize("precision", CARRIED)
def test_the_highest_level_is_used_unless_a_lower_one_is_asked_for(
    precision: Precision, artifacts: dict[Precision, AllLevels], zig: tuple[str, ...]
) -> None:
    path = artifacts[precision].path
    with Artifact.open(path) as artifact:
        own = {level.name for level in LEVELS if level.machine.is_own and level.machine.maker != maker_here()}
        assert artifact.level == [name for name in artifact.levels if artifact.use_level(name) and name not in own][-1]
    with Artifact.open(path, cpu="portable") as artifact:
        assert artifact.level == "portable"
        worst = artifact.verify_levels()
        assert artifact.level == "portable"
        assert list(worst) == [level for level in artifact.levels if artifact.use_level(level)]
        assert max(worst.values()) <= {"int8": 0, "float32": 1e-5, "bf16": 2e-2}[precision]
    with pytest.raises(Refused, match=f"has no level 'sse9'; it carries {', '.join(CARRIED[precision])}"):
        Artifact.open(path, cpu="sse9")
    for level in LEVELS:
        if level.name in CARRIED[precision] and not level.machine.features <= predefined(zig):
            with pytest.raises(Refused, match=f"this processor lacks instructions of level '{level.name}'"):
                Artifact.open(path, cpu=level.name)


@needs_x86
@pytest.mark.parametrize("precision", CARRIED)
def test_threads_give_the_answers_of_one_at_every_level(
    precision: Precision, artifacts: dict[Precision, AllLevels]
) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (37, 37, 3), np.uint8)
    with Artifact.open(artifacts[precision].path) as one, Artifact.open(artifacts[precision].path, threads=3) as three:
        for level in one.levels:
            if one.use_level(level):
                assert three.use_level(level)
                assert three.level == one.level == level
                assert (three.run(pixels) == one.run(pixels)).all()
                assert (three.features(pixels) == one.features(pixels)).all()


@pytest.mark.parametrize("precision", CARRIED)
def test_levels_share_constants_that_lie_alike_and_no_others(precision: Precision) -> None:
    rows = levels(target("linux-x86_64"), precision)
    machines = {row.level: row.machine for row in rows if row.machine is not None}
    model = network(precision)
    together = emit_for(compilation(model, target="test", precision=precision), machines)
    for level, machine in machines.items():
        alone = emit(model, target_name="test", machine=machine, choices=Choices(precision=precision)).packed
        starts = [*alone.offsets.values(), alone.words.size]
        for (name, start), end in zip(alone.offsets.items(), starts[1:], strict=True):
            at = _offset(together.levels[level], name)
            assert (together.packed.words[at : at + end - start] == alone.words[start:end]).all(), (level, name)
    weights = [_offset(text, "blocks.4.1.conv_pw") for text in together.levels.values()]
    # In int8 v2 reads those of portable, and those above vnni what that reads.
    assert len(set(weights)) == {"float32": 3, "bf16": 5, "int8": 4}[precision]
    assert len({_offset(text, "golden") for text in together.levels.values()}) == 1


def _offset(text: str, name: str) -> int:
    constant = f"DWL_WEIGHTS_{name.upper().replace('.', '_')} = "
    return int(text.partition(constant)[2].partition(",")[0])


@pytest.mark.parametrize(("name", "kernels"), [("linux-x86_64-v3", "__avx2"), ("linux-x86_64-v4", "__avx2")])
def test_targets_without_vnni_run_int8_with_the_kernels_for_avx2(name: str, kernels: str) -> None:
    machine = target(name).machine
    assert machine is not None
    found = emit(network("int8"), target_name=name, machine=machine)

    assert {kernel.instructions.name for step in found.plan.steps for kernel in step.kernels} == {"avx2"}
    assert f"dwk_product_i8_p{found.plan.steps[-3].tiling.pixels}" in found.model_c
    assert kernels in found.model_c


@needs_x86
@pytest.mark.parametrize(
    ("cpu", "has"),
    [("Haswell", {"portable", "v2", "avx2"}), ("Nehalem", {"portable", "v2"}), ("qemu64", {"portable"})],
)
@pytest.mark.parametrize("precision", CARRIED)
def test_other_processors_pick_their_level_and_the_golden_cases_hold(
    cpu: str, has: set[str], precision: Precision, artifacts: dict[Precision, AllLevels], tmp_path: Path
) -> None:
    said = _on(("qemu-x86_64", "-cpu", cpu), _linked(artifacts[precision].path, tmp_path))

    carried = CARRIED[precision]
    assert said == [
        f"in use {[level for level in carried if level in has][-1]}",
        *(f"{level} {'holds' if level in has else 'lacking'}" for level in carried),
    ]


@needs_x86
@pytest.mark.parametrize(("level", "cpu"), [("avx2", "Nehalem"), ("v2", "qemu64")])
def test_an_artifact_of_one_level_says_that_a_processor_lacks_it_instead_of_ending_the_process(
    level: str, cpu: str, tmp_path: Path
) -> None:
    small = random_quantized(Spec(width=0.1, resolution=32, classes=3, shallow=True))
    built = compile_model(small, target="linux-x86_64", cpu=level, out=tmp_path / "model.so")

    assert built.levels == (level,)
    assert _on(("qemu-x86_64", "-cpu", cpu), _linked(built.path, tmp_path)) == ["processor lacks it"]


@pytest.mark.parametrize(
    ("name", "emulator"),
    [
        ("linux-aarch64", ("qemu-aarch64", "-cpu", "cortex-a72")),
        ("linux-riscv64", ("qemu-riscv64", "-cpu", "rv64")),
    ],
)
@pytest.mark.parametrize("precision", CARRIED)
def test_the_golden_cases_hold_on_processors_of_other_families(
    name: str, emulator: tuple[str, ...], precision: Precision, tmp_path: Path
) -> None:
    if shutil.which(emulator[0]) is None:
        pytest.skip(f"{emulator[0]} is not installed; nothing is run on such a processor")
    row = target(name)
    assert row.machine is not None
    emitted = emit(network(precision), target_name="test", machine=row.machine, choices=Choices(precision=precision))
    write_sources(emitted, tmp_path)
    # What is optimised for these processors is run layer by layer in test_emulated.py.
    flags = (
        *FLAGS,
        *PLAIN,
        PRECISIONS[precision].contract,
        "-I.",
        "-static",
        "-nostdlib",
        "-Wno-unused-command-line-argument",
        "-o",
        "program",
    )
    build((*compiler(row, None).command, *flags, str(PROGRAM), "model.c", "weights.s"), tmp_path)

    assert _on(emulator, tmp_path / "program") == ["in use test", "test holds"]


@needs_x86
@pytest.mark.parametrize(("maker", "level"), [(INTEL, "intel"), (AMD, "amd"), ("SomebodyElse", "any")])
def test_a_level_for_one_makers_processors_is_chosen_on_those_alone_and_runs_on_all(
    maker: str, level: str, makers: Path
) -> None:
    said = _on(("qemu-x86_64", "-cpu", f"qemu64,vendor={maker}"), makers)

    assert said == [f"in use {level}", "any holds", "intel holds", "amd holds"]


@pytest.fixture(scope="module")
def makers(tmp_path_factory: pytest.TempPathFactory, zig: tuple[str, ...]) -> Path:
    """A program with an artifact whose levels need the same and are for different makers."""
    folder = tmp_path_factory.mktemp("makers")
    own = {level: replace(BASELINE, maker=maker, is_own=True) for level, maker in (("intel", INTEL), ("amd", AMD))}
    model = random_quantized(Spec(width=0.1, resolution=32, classes=3, shallow=True))
    machines: dict[str, Machine] = {"any": BASELINE, **own}
    emitted = emit_for(compilation(model, target="test", precision="int8"), machines)
    write_sources(emitted, folder)
    for name, text in emitted.levels.items():
        (folder / file_of_level(name)).write_text(text, encoding="utf-8")
    files = ("model.c", "weights.s", *map(file_of_level, emitted.levels))
    command = compiler(replace(target("linux-x86_64"), carries_levels=False), None).command
    build((*command, *FLAGS, "-fPIC", "-shared", "-nostdlib", "-o", "model.so", *files), folder)
    return _linked(folder / "model.so", folder)


def _linked(artifact: Path, folder: Path) -> Path:
    """The program that reports an artifact's levels, with the artifact beside it."""
    if shutil.which("qemu-x86_64") is None:
        pytest.skip("qemu-x86_64 is not installed; no processor but this one is tried")
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed; no program is made that an emulator could run")
    if artifact.parent != folder:
        shutil.copy(artifact, folder)
    include = f"-I{headers.INTERFACE.parent}"
    flags = ("-O1", "-ffreestanding", "-fno-tree-loop-distribute-patterns", "-nostdlib", "-rdynamic", include)
    build(("gcc", *flags, str(PROGRAM), f"./{artifact.name}", "-o", "program"), folder)
    return folder / "program"


def _on(emulator: tuple[str, ...], program: Path) -> list[str]:
    command = (*emulator, program.name)
    done = subprocess.run(command, cwd=program.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
