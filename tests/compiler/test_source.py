"""The folder of C that target "source" writes: silent, clean under sanitizers, and every branch of it taken."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import make_model
from depthwise.compiler import compile_model
from depthwise.compiler.choices import Choices
from depthwise.compiler.compile import emit
from depthwise.compiler.outputs.constants import emit_weights
from depthwise.errors import Refused
from depthwise.kernels.machine import Level
from depthwise.kernels.x86.levels import LEVELS
from depthwise.network import reference, reference_int8
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.precision import Precision
from tools.emitted import PLAIN, STRICT, build, predefined, write_sources

SPOIL = """#include "weights.c"
void spoil(int32_t word, uint32_t value);
void spoil(int32_t word, uint32_t value) { dwl_weights[word] = value; }
"""
# Checks of addresses are calls: in place, they take gcc half as long again.
CHECKED = (
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "--param",
    "asan-instrumentation-with-call-threshold=0",
)
DRIVE = Path(__file__).with_name("drive.c")
# Those of depthwise.h that choose among levels; test_levels.py takes their branches, with artifacts of several.
OF_LEVELS = ("dwk_level_in_use", "dw_use_level", "dwk_cannot_run", "dwk_is_of_others")
LABELS = ("a */ b", "c \\", "??/", '"d"', "🐳", "e\nf", *"ghijklmnopqrstu")


@pytest.fixture(scope="module", params=["float32", "bf16", "int8"])
def precision(request: pytest.FixtureRequest) -> Precision:
    found: Precision = request.param
    return found


@pytest.fixture(scope="module")
def model(precision: Precision) -> Model | QuantizedModel:
    """A network whose maps are odd, so that blocks of rows, tiles and kernels all have a remainder somewhere."""
    model = make_model(seed=1, labels=LABELS, resolution=67, shallow=True)
    return random_quantized(model.spec).replace(labels=LABELS) if precision == "int8" else model


@pytest.fixture(scope="module")
def folder(model: Model | QuantizedModel, precision: Precision, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("source") / "c"
    return compile_model(model, target="source", out=out, precision=precision).path


def copied(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to / "c")
    shutil.copy(DRIVE, to / "c")
    return to / "c"


def driven(gcc: str, here: Path, *flags: str) -> None:
    """Build drive.c with the network, whose constants it may change, and run it."""
    (here / "spoil.c").write_text(SPOIL)
    build((gcc, *STRICT, "-Dconst=", "-c", "-o", "spoil.o", "spoil.c"), here)
    build((gcc, *STRICT, *flags, "-o", "drive", "drive.c", "spoil.o"), here)
    done = subprocess.run([here / "drive"], cwd=here, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_folder_holds_all_that_its_readme_needs(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}

    assert {"README.md", "main.c", "model.c", "weights.c", "depthwise.h", "dwk_vector.h"} <= names
    assert all(
        line[10:-1] in names for line in (folder / "model.c").read_text().splitlines() if line[:9] == "#include "
    )


# One compiler a precision: each of them builds every form of kernel in test_compilers.py.
@pytest.mark.parametrize(
    ("precision", "cc"), [("float32", "gcc"), ("bf16", "clang"), ("int8", "gcc")], indirect=True, scope="module"
)
def test_the_program_of_the_readme_checks_itself_and_labels_a_picture(
    folder: Path, model: Model | QuantizedModel, precision: Precision, cc: str, tmp_path: Path
) -> None:
    here = copied(folder, tmp_path)
    (command,) = [line.split() for line in (here / "README.md").read_text().splitlines() if line.startswith("    cc ")]
    build((cc, *STRICT, *command[1:]), here)
    pixels = np.random.default_rng(1).integers(0, 256, (1, 67, 67, 3), np.uint8)
    resize = model.preprocessing.resize
    frame = np.zeros((resize, resize, 3), np.uint8)
    start = (resize - 67) // 2
    frame[start : start + 67, start : start + 67] = pixels[0]
    (here / "photo.ppm").write_bytes(b"P6\n%d %d\n255\n" % (resize, resize) + frame.tobytes())
    if isinstance(model, Model):
        probabilities = reference.run(model, pixels).probabilities[0]
    else:
        probabilities = reference_int8.run(model, pixels).probabilities[0]
    best = int(probabilities.argmax())

    checked = subprocess.run([here / "model"], capture_output=True, text=True, check=False)
    labelled = subprocess.run([here / "model", here / "photo.ppm"], capture_output=True, text=True, check=False)
    wrong = subprocess.run([here / "model", here / "model.c"], capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    assert (labelled.returncode, labelled.stderr) == (0, "")
    label, probability = labelled.stdout.rsplit(" ", 1)
    assert label == LABELS[best]
    assert float(probability) == pytest.approx(probabilities[best], abs=1e-2 if precision == "bf16" else 6e-5)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "not a PPM" in wrong.stderr


def test_zig_is_silent_on_it_too(folder: Path, zig: tuple[str, ...], tmp_path: Path) -> None:
    here = copied(folder, tmp_path)
    # Clang warns of what it reads, not of what it makes of it.
    build((*zig, *STRICT, *PLAIN, "-c", "-o", "model.o", "model.c"), here)
    build((*zig, *STRICT, *PLAIN, "-c", "-o", "weights.o", "weights.c"), here)


def sanitized(gcc: str, here: Path, *flags: str) -> None:
    """Drive the network in a folder under the address and undefined behaviour sanitizers."""
    (here / "empty.c").write_text("int main(void) { return 0; }\n")
    probe = [gcc, "-fsanitize=address,undefined", "-o", "empty", "empty.c"]
    if subprocess.run(probe, cwd=here, capture_output=True, check=False).returncode != 0:
        pytest.skip("this gcc has no sanitizers; what they find is not looked for")
    driven(gcc, here, *flags, "-O1", "-g0", *CHECKED)


@pytest.mark.parametrize("level", ["-march=x86-64-v2", "-march=x86-64-v3"])
def test_frames_are_prepared_in_vectors_where_the_processor_has_them(folder: Path, gcc: str, level: str) -> None:
    """The plain form is right as well, and several times as slow: no other test would tell them apart."""
    asked = '#include "model.c"\n#ifdef DWK_SCALAR\n#error in the plain form\n#endif\n'

    done = subprocess.run(
        [gcc, level, "-std=c11", "-fsyntax-only", "-x", "c", "-"],
        input=asked, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr


def test_it_is_clean_under_address_and_undefined_behaviour_sanitizers(folder: Path, gcc: str, tmp_path: Path) -> None:
    sanitized(gcc, copied(folder, tmp_path))


@pytest.mark.parametrize(
    ("level", "precision"),
    [
        # The levels that have kernels of their own.
        *((level, "int8") for level in LEVELS if level.machine.features and "int8" in level.carried),
        *((level, "bf16") for level in LEVELS if "__AVX512BF16__" in level.machine.features),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_kernels_of_each_level_of_x86_are_clean_under_the_sanitizers_too(
    level: Level, precision: Precision, zig: tuple[str, ...], gcc: str, tmp_path: Path
) -> None:
    if missing := level.machine.features - predefined(zig):
        pytest.skip(f"this processor lacks {', '.join(sorted(missing))}; kernels of level {level.name} are not run")
    model = make_model(seed=1, resolution=67, shallow=True)
    emitted = emit(
        random_quantized(model.spec) if precision == "int8" else model,
        target_name="test",
        machine=level.machine,
        choices=Choices(precision=precision),
    )
    write_sources(emitted, tmp_path)
    (tmp_path / "weights.c").write_text("".join(emit_weights(emitted.packed)), encoding="utf-8")
    shutil.copy(DRIVE, tmp_path)
    sanitized(gcc, tmp_path, *level.cc)


def test_its_tests_take_every_branch_both_ways(folder: Path, precision: Precision, gcc: str, tmp_path: Path) -> None:
    gcov = shutil.which("gcov")
    if gcov is None:
        pytest.skip("gcov is not installed; branches are not counted")
    here = copied(folder, tmp_path)
    driven(gcc, here, "-O0", "--coverage")
    done = subprocess.run(
        [gcov, "--json-format", "--branch-probabilities", "--stdout", "drive-drive"], cwd=here, **_TEXT
    )
    files = json.loads(done.stdout)["files"]

    # What a processor lacks is tested by levels that this one does not have.
    files = [file for file in files if file["file"] not in ("drive.c", "dwk_processor.h", "dwk_processor_x86.h")]
    covered = {file["file"] for file in files if any(line["branches"] for line in file["lines"])}
    missing = [
        f"{file['file']}:{line['line_number']} in {line.get('function_name', '?')}"
        for file in files
        for line in file["lines"]
        if line.get("function_name") not in OF_LEVELS
        if line["count"] == 0 or any(branch["count"] == 0 for branch in line["branches"])
    ]
    product = {"float32": "dwk_product_f32.h", "bf16": "dwk_product_bf16.h", "int8": "dwk_product_i8.h"}
    assert {"model.c", "dwk_interface.h", "dwk_prepare.h", product[precision]} <= covered
    assert missing == []


_TEXT: dict[str, Any] = {"capture_output": True, "text": True, "check": True, "env": {**os.environ, "LC_ALL": "C"}}


def test_the_same_model_gives_the_same_files(
    model: Model | QuantizedModel, precision: Precision, folder: Path, tmp_path: Path
) -> None:
    again = compile_model(model, target="source", out=tmp_path / "elsewhere", precision=precision).path

    assert {p.name: p.read_bytes() for p in again.iterdir()} == {p.name: p.read_bytes() for p in folder.iterdir()}


def test_a_folder_with_other_files_in_it_is_refused_and_stays(model: Model | QuantizedModel, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years")
    with pytest.raises(Refused, match="exists and is not a folder of C that depthwise wrote"):
        compile_model(model, target="source", out=tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
