"""Numbers of bfloat16, and the order in which kernels for x86 read those of a depthwise convolution."""

from __future__ import annotations

import numpy as np

from depthwise.kernels.bfloat16 import floats, halves
from depthwise.kernels.weights import Bounds
from depthwise.kernels.x86 import bf16 as x86_bf16


def test_numbers_of_bfloat16_come_back_and_others_go_to_the_nearest() -> None:
    every = np.arange(0x7F80, dtype=np.uint16)
    assert (halves(floats(every)) == every).all()
    step = floats(every[1:]).astype(np.float64) - floats(every[:-1])
    middle = (floats(every[:-1]) + step / 2).astype(np.float32)
    assert (halves(middle) == every[:-1] + every[:-1] % 2).all()
    assert (halves(np.nextafter(middle, np.float32(np.inf))) == every[1:]).all()


def test_a_chunk_begins_with_biases_and_upper_factors_in_the_order_of_unpacking() -> None:
    C = 32
    weight, bias = np.arange(9 * C, dtype=np.float32).reshape(9, C), np.arange(C, dtype=np.float32)
    bounds = Bounds(low=np.full(C, -1, np.float32), high=np.full(C, 5, np.float32))
    packed = x86_bf16.chunks(weight, bias, bounds, rows=2, repeat=True)
    order = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]

    assert packed[:16].view(np.float32).tolist() == order
    pairs = packed[64:80].view(np.uint16).reshape(16, 2)
    assert pairs[:, 0].tolist() == halves(weight[0][order]).tolist()
    assert pairs[:, 1].tolist() == halves(weight[3][order]).tolist()
