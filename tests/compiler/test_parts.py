"""Artifacts that leave out what a small chip has no room for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from depthwise import kernels
from depthwise.compiler.choices import Choices, Parts
from depthwise.compiler.compile import emit
from depthwise.kernels.machine import PORTABLE
from depthwise.limits import LONGEST_SIDE
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from tools.emitted import STRICT, build, write_sources

HEADER = Path(kernels.__file__).parent / "artifact" / "depthwise.h"
MAIN = """
#include "depthwise.h"
#include <stdio.h>

static _Alignas(64) unsigned char arena[1 << 20];
static unsigned char frame[321 * 33 * 3], pixels[32 * 32 * 3];

int main(void)
{
    printf("%d %d %d", dw_verify(NULL, arena), dw_verify(NULL, NULL), dw_use_level(1));
#if PREPARE
    printf(" %d", dw_prepare(frame, 33, 320, 960, pixels, arena));
    printf(" %d", dw_prepare(frame, 33, 321, 963, pixels, arena));
#else
    (void)frame, (void)pixels;
#endif
    return 0;
}
"""


def test_python_and_c_hold_frames_to_the_same_longest_side() -> None:
    assert f"#define DW_LONGEST_SIDE {LONGEST_SIDE}\n" in HEADER.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("parts", "expected", "saved"),
    [
        (Parts(prepare=False, arena=False), ["0", "1", "6"], 53_000),
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
    (tmp_path / "main.c").write_text(f"#define PREPARE {int(parts.prepare)}\n{MAIN}")
    # Calls of one copy of each kernel, as whoever wants it small asks for.
    (tmp_path / "small.c").write_text('#define DWK_CALLED\n#include "model.c"\n')
    build((*zig, *STRICT, "-O1", "-o", "program", "main.c", "small.c", "weights.s"), tmp_path)
    said = subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=True).stdout

    assert said.split() == expected
    whole = emit(model, target_name="test", machine=PORTABLE)
    assert whole.plan.arena_bytes - emitted.plan.arena_bytes > saved
    names = subprocess.run(["nm", "program"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert ("dw_classify" in names) == parts.prepare
