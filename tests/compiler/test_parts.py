"""Artifacts that leave out what a small chip has no room for."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import depthwise
from depthwise import kernels
from depthwise.compiler.choices import Choices, Parts
from depthwise.compiler.choices import parts as choose
from depthwise.compiler.compile import emit
from depthwise.compiler.outputs.program import MAIN as LABEL
from depthwise.errors import Refused
from depthwise.kernels.machine import PORTABLE
from depthwise.limits import LONGEST_SIDE
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from tools.emitted import STRICT, build, write_sources

PICTURES = ("own", "other")
HEADER = Path(kernels.__file__).parent / "artifact" / "depthwise.h"
MAIN = """
#include "depthwise.h"
#include <stdio.h>

static _Alignas(64) unsigned char arena[1 << 20];
static unsigned char frame[321 * 33 * 3], pixels[32 * 32 * 3];

int main(void)
{
    printf("%d %d %d", dw_verify(NULL, arena), dw_verify(NULL, NULL), dw_use_level(1));
    printf(" %d", dw_prepare(frame, 33, 320, 960, pixels, arena));
    printf(" %d", dw_prepare(frame, 33, 321, 963, pixels, arena));
    return 0;
}
"""


def test_python_and_c_hold_frames_to_the_same_longest_side() -> None:
    assert f"#define DW_LONGEST_SIDE {LONGEST_SIDE}\n" in HEADER.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("parts", "expected", "saved"),
    [
        (Parts(prepare=False, arena=False), ["0", "1", "6", "7", "7"], 53_000),
        (Parts(longest_side=320), ["0", "0", "6", "0", "2"], 14_000),
    ],
    ids=str,
)
def test_an_artifact_without_some_parts_holds_its_golden_cases_in_less_memory(
    parts: Parts, expected: list[str], saved: int, tmp_path: Path, zig: tuple[str, ...]
) -> None:
    model = random_quantized(Spec(width=0.25, resolution=32, classes=3))
    emitted = emit(model, target_name="test", machine=PORTABLE, choices=Choices(parts=parts))
    write_sources(emitted, tmp_path)
    (tmp_path / "main.c").write_text(MAIN)
    (tmp_path / "label.c").write_text(LABEL)
    # Calls of one copy of each kernel, as whoever wants it small asks for.
    (tmp_path / "small.c").write_text('#define DWK_CALLED\n#include "model.c"\n')
    build((*zig, *STRICT, "-O1", "-c", "small.c"), tmp_path)
    for name in ("main", "label"):
        build((*zig, *STRICT, "-o", name, f"{name}.c", "small.o", "weights.s"), tmp_path)
    (tmp_path / "own.ppm").write_bytes(b"P6 32 32 255\n" + bytes(32 * 32 * 3))
    (tmp_path / "other.ppm").write_bytes(b"P6 33 32 255\n" + bytes(33 * 32 * 3))

    said = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True).stdout
    codes = [subprocess.run(["./label", f"{name}.ppm"], cwd=tmp_path, check=False).returncode for name in PICTURES]

    assert said.split() == expected
    # The program of target source labels pictures of the network's own size at least.
    assert codes == [0, 0 if parts.prepare else 2]
    whole = emit(model, target_name="test", machine=PORTABLE)
    assert whole.plan.arena_bytes - emitted.plan.arena_bytes > saved


def test_the_options_of_a_command_choose_the_parts(tmp_path: Path) -> None:
    model = random_quantized(Spec(width=0.1, resolution=32, classes=2, shallow=True))
    depthwise.compile(model, tmp_path / "c", target="source", leave_out=("prepare", "arena"))

    text = (tmp_path / "c" / "model.c").read_text()
    assert "#define DWL_WITHOUT_PREPARE 1\n#define DWL_WITHOUT_ARENA 1\n" in text
    # Without an arena of its own the program has to bring one.
    assert "aligned_memory(dw_arena_bytes())" in (tmp_path / "c" / "main.c").read_text()


@pytest.mark.parametrize(
    ("left_out", "longest", "message"),
    [
        (("threads",), LONGEST_SIDE, "there is no part 'threads' to leave out; there are prepare and arena"),
        ((), 65_536, "the longest side of a frame is 65,536 pixels; it must be from 1 to 65,535"),
        (("prepare",), 320, "a longest side is asked for, of frames that nothing prepares; leave it away"),
    ],
)
def test_parts_that_make_no_sense_are_refused(left_out: tuple[str, ...], longest: int, message: str) -> None:
    with pytest.raises(Refused, match=re.escape(message)):
        choose(left_out, longest)
