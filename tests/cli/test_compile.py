"""The command `compile`: what it prints, where, and how it ends."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from conftest import make_model
from depthwise.compiler.targets import TARGETS
from depthwise.edge.artifact import Artifact
from depthwise.kernels.x86.levels import LEVELS
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from tools.command import depthwise


def compile_(*arguments: object) -> subprocess.CompletedProcess[str]:
    return depthwise("compile", *arguments, COLUMNS="200")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "small"
    make_model(shallow=True).save(folder)
    return folder


@pytest.fixture(scope="module")
def folder8(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "small8"
    random_quantized(Spec(width=0.25, resolution=32, classes=3, shallow=True)).save(folder)
    return folder


def test_the_table_shows_size_memory_and_steps(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.so"
    done = compile_(folder, "--out", out, "--explain")

    assert done.returncode == 0
    assert f"{out}: {out.stat().st_size:,} bytes of float32 for host, made in" in done.stdout
    assert "multiply-adds an image" in done.stdout
    assert "blocks.4.1" in done.stdout
    assert "dwk_depthwise3x3s1_f32_relu6_c" in done.stdout
    assert done.stderr == f"compiling {folder} for host ...\n"


def test_the_document_holds_the_same_figures(folder: Path, tmp_path: Path) -> None:
    done = compile_(folder, "--target", "source", "--out", tmp_path / "c", "--json", "--explain")
    document = json.loads(done.stdout)

    assert document["schema"] == 1
    assert document["artifact"] == str(tmp_path / "c")
    assert document["bytes"] == sum(path.stat().st_size for path in (tmp_path / "c").iterdir())
    assert document["multiply_adds"] == sum(step["multiply_adds"] for step in document["steps"])
    assert document["arena_bytes"] >= max(step["output_offset"] + step["output_bytes"] for step in document["steps"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("no-such-folder",), "error: no-such-folder: there is no such folder"),
        (("MODEL", "--target", "hots"), "error: there is no target 'hots'; is it host"),
        (("MODEL", "--target", "raspberry-pi"), "error: there is no target 'raspberry-pi'; take one of host, source, "),
        (("MODEL", "--precision", "int8"), "error: MODEL: is a float model, which does not say the ranges"),
        (("MODEL8", "--precision", "float32"), "error: MODEL8: is an int8 model, which cannot be compiled to float32;"),
        (("MODEL8", "--precision", "bf16"), "error: MODEL8: is an int8 model, which cannot be compiled to bf16;"),
        (("MODEL", "--cc", "no-such-cc"), "error: there is no compiler 'no-such-cc' on the path"),
    ],
)
def test_what_cannot_be_compiled_is_one_line_and_code_2(
    arguments: tuple[str, ...], message: str, folder: Path, folder8: Path, tmp_path: Path
) -> None:
    folders = {"MODEL": str(folder), "MODEL8": str(folder8)}
    given = [folders.get(a, a) for a in arguments]
    message = message.replace("MODEL8", str(folder8)).replace("MODEL", str(folder))
    done = compile_(*given, "--out", tmp_path / "model.so")

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith(message)
    assert not list(tmp_path.iterdir())


def test_an_int8_folder_becomes_an_int8_artifact_that_verifies(folder8: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.so"
    done = compile_(folder8, "--out", out, "--precision", "int8", "--explain", "--json")
    document = json.loads(done.stdout)

    assert document["precision"] == "int8"
    assert any(name.startswith("dwk_product_i8") for step in document["steps"] for name in step["kernels"])
    with Artifact.open(out) as artifact:
        assert artifact.record["precision"] == "int8"
        assert artifact.verify() == 0


def test_a_float_folder_becomes_a_bf16_artifact_and_a_machine_without_bf16_is_told(
    folder: Path, tmp_path: Path
) -> None:
    for cpu, told in (("bf16", False), ("avx512", True)):
        arguments = ("--cpu", cpu, "--precision", "bf16", "--explain", "--json")
        done = compile_(folder, "--target", "linux-x86_64", "--out", tmp_path / "model.so", *arguments)
        document = json.loads(done.stdout)

        assert done.returncode == 0
        assert document["precision"] == "bf16"
        names = [name for step in document["steps"] for name in step["kernels"]]
        assert any(name.startswith("dwk_product_bf16") and name.endswith("__avx512bf16") for name in names) != told
        assert ("linux-x86_64 has no fast bf16 instructions: values are widened" in done.stderr) == told


def test_a_refused_precision_names_the_command_that_makes_it_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    done = compile_(folder, "--precision", "int8", "--out", tmp_path / "model.so")

    assert f"`depthwise quantize {folder} --data DATA --out {folder}8`" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_help_has_a_line_for_every_target_and_processor() -> None:
    lines = [line.split(maxsplit=1) for line in compile_("--help").stdout.splitlines()]

    assert [row.name for row in (*TARGETS, *LEVELS) if [row.name, row.about] not in lines] == []


def test_several_targets_go_into_one_folder_and_one_document(folder8: Path, tmp_path: Path) -> None:
    done = compile_(folder8, "--target", "linux-armv7,windows-arm64", "--out", tmp_path / "all", "--json")
    documents = json.loads(done.stdout)["artifacts"]

    assert [document["target"] for document in documents] == ["linux-armv7", "windows-arm64"]
    for document in documents:
        assert Path(document["artifact"]).parent == tmp_path / "all"
        assert Path(document["artifact"]).stat().st_size == document["bytes"]
        assert document["threads"] == 8


def test_times_are_of_the_family_that_was_measured_and_of_no_other(folder8: Path, tmp_path: Path) -> None:
    arguments = ("--target", "source", "--out", tmp_path / "c", "--explain")
    document = json.loads(compile_(folder8, *arguments, "--json").stdout)

    assert document["rates"] == ""
    assert {step["expected_us"] for step in document["steps"]} == {None}
    assert "no times, as nobody has measured any here" in compile_(folder8, *arguments).stdout


def test_targets_are_listed_without_a_model() -> None:
    # Wide enough for all columns side by side.
    lines = depthwise("compile", "--list-targets", COLUMNS="300").stdout.splitlines()

    rows = [line for line in lines if line.strip().startswith(tuple(row.name for row in TARGETS))]
    assert [line.split()[0] for line in rows] == [row.name for row in TARGETS]
    assert [line for line in rows if not line.rstrip().endswith(("machine", "emulator", "built only"))] == []
    assert json.loads(compile_("--list-targets", "--json").stdout)["targets"][0]["target"] == "host"
