"""The first convolution of few channels, whose pixels stand abreast in a vector, against docs/int8.md."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from depthwise.compiler.plan.forms import product
from depthwise.kernels.table import fastest
from depthwise.kernels.tiling import Panels, Tiling
from depthwise.kernels.x86 import int8 as pack_x86
from depthwise.kernels.x86.instructions import AVX512VBMI
from tools.emitted import needs_machine
from tools.kernel_calls import CLAMPS, Output, bytes_of, caller, included, near, page_end, words, wrapper

FILL = np.uint8(0xA5)
KINDS = ("const dwk_product *", "int32_t ", "int32_t ", "uint8_t *", "const uint32_t *", "const dwk_rounding *")
SIGNATURES = {"dwk_stem": (*KINDS, "uint8_t *")}


@pytest.mark.parametrize("channels", [8, 16, 24, 40])
def test_few_channels_of_the_first_convolution_are_the_sums_of_the_formula(
    channels: int, tmp_path: Path, zig: tuple[str, ...]
) -> None:
    needs_machine(AVX512VBMI, zig)
    N, panels = channels, Panels(count=1, vectors=1, lanes=channels)
    tilings = [Tiling(pixels=16, rest=rest, panels=(panels,)) for rest in (0, 1, 2, 7, 8, 9, 15)]
    forms = [product(fastest("stem_abreast", "int8", AVX512VBMI.needs), tiling, panels, "") for tiling in tilings]
    lines = [*included(forms), *(wrapper(form.name, SIGNATURES) for form in forms)]
    call = caller(lines, tmp_path, (*zig, "-O1", "-ffast-math"))
    rng = np.random.default_rng(N)
    for (form, tiling), full, rows, extreme in itertools.product(
        zip(forms, tilings, strict=True), (0, 1, 2), (1, 3), (False, True)
    ):
        width, clamp = 16 * full + tiling.rest, CLAMPS[rng.integers(4)]
        if width == 0:
            continue
        # Nothing may be read behind the last byte under the kernel, which is the last of a page.
        tap = (width - 1) * 6 + 9 + 5
        source = page_end(rng.integers(0, 256, (2 * rows + 1) * tap - 5, np.uint8))
        weight = rng.integers(-128, 128, (3, 9, N)).astype(np.int8)
        if extreme:
            source[:], weight[:] = 255, rng.choice([-128, 127], N)
        bias, multiplier = words(rng, N, 27)
        packed = near(pack_x86.spread([bias, multiplier], weight))
        output_row = width * N + 7
        output = Output(rows * output_row, FILL)
        call(form.name, (3, 9, tap, 6, 2 * tap, width, N, output_row), 1, rows, source, packed, clamp, output.values)

        at = np.arange(rows)[:, None] * 2 * tap + np.arange(width) * 6
        windows = source[at[..., None, None] + np.arange(3)[:, None] * tap + np.arange(9)].astype(np.int64)
        acc = np.einsum("yxtk,tkn->yxn", windows, weight.astype(np.int64)) + bias
        found = output.values.reshape(rows, output_row)
        assert (found[:, : width * N] == bytes_of(acc, multiplier, clamp).reshape(rows, -1)).all()
        assert (found[:, width * N :] == FILL).all()
        assert output.guards_hold()
