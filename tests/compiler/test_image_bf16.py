"""What makes bfloat16 of an image, and zeros around what a depthwise convolution reads."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from depthwise.kernels.bfloat16 import floats, halves
from tools.kernel_calls import Call, Output, caller, near, wrapper

FILL = np.uint16(0xFFA5)  # a NaN
SIGNATURES = {
    "dwk_pixels_u8bf16": ("const dwk_image *", "int32_t ", "int32_t ", "const uint8_t *", "dwk_float *", "dwk_bf16 *"),
    "dwk_border_bf16": ("const dwk_image *", *("int32_t ",) * 4, "dwk_bf16 *", "int32_t ", "dwk_bf16 *"),
}


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory, zig: tuple[str, ...]) -> Call:
    """Calls a kernel by name."""
    lines = ['#include "dwk_image_bf16.h"', *(wrapper(name, SIGNATURES) for name in SIGNATURES)]
    return caller(lines, tmp_path_factory.mktemp("kernels"), (*zig, "-O1"))


@pytest.mark.parametrize(("C", "width"), [(1, 5), (3, 16), (3, 17), (1, 100), (3, 33)])
def test_pixels_less_their_mean_have_zeros_around_and_one_behind(C: int, width: int, call: Call) -> None:  # noqa: N803
    height, left, right = 4, C, 2 * C
    pixels = np.random.default_rng(3).integers(0, 256, (height, width, C), np.uint8)
    for mean in (np.array([123.675, 116.28, 103.53][:C], np.float32), np.array([124, 0, 255][:C], np.float32)):
        for first, rows in ((-1, 3), (0, 4), (2, 3), (-2, 8)):
            output = Output(rows * (left + width * C + right) + 1, FILL)
            image = (height, width * C, left, right)
            call("dwk_pixels_u8bf16", image, first, rows, pixels, near(np.resize(mean, 48)), output.values)

            whole = np.pad(halves(pixels - mean), ((2, 2), (1, 2), (0, 0)))
            assert output.values[:-1].tolist() == whole[first + 2 : first + 2 + rows].ravel().tolist()
            assert output.values[-1] == 0
            assert output.guards_hold()
            if (mean == np.rint(mean)).all():
                assert (floats(halves(pixels - mean)) == pixels - mean).all()


def test_a_border_is_what_stands_for_zero_and_leaves_the_rest_alone(call: Call) -> None:
    for above, below, left, right in itertools.product((0, 1), repeat=4):
        height, width, C = 3, 5, 8
        zeros = halves(np.arange(C, dtype=np.float32) - C)
        output = Output((above + height + below) * (left + width + right) * C, FILL)
        output.values[:] = 1
        image = (height, width * C, left * C, right * C)
        for part in ((0, 0), (0, 1), (1, height), (height, height)):
            call("dwk_border_bf16", image, above, below, *part, near(zeros), C, output.values)

        expected = np.tile(zeros, (above + height + below, left + width + right, 1))
        expected[above : above + height, left : left + width] = 1
        assert output.values.tolist() == expected.ravel().tolist()
        assert output.guards_hold()
