"""Every int8 kernel in several forms against the formulas of docs/int8.md, with guards around its output."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from depthwise.compiler.plan.forms import classifier, depthwise, pool, product
from depthwise.compiler.step import Form
from depthwise.kernels.kernel import Kernel
from depthwise.kernels.packing import packing
from depthwise.kernels.table import KERNELS, fastest
from depthwise.kernels.tiling import Panels, Tiling
from depthwise.kernels.weights import Cut, Rounding, Weights
from depthwise.network.layers import layers
from depthwise.network.requantize import requantize
from depthwise.network.spec import Spec
from tools.kernel_calls import Call, Output, caller, included, near, page_end, wrapper

# pixels, rest, vectors, lanes
TILES = ((1, 0, 1, 8), (4, 3, 2, 4), (7, 0, 4, 16), (3, 2, 3, 8))
LANES = (4, 8, 16)
LAYER = layers(Spec())[2]
FILL = np.uint8(0xA5)


def portable(operation: Any) -> Kernel:
    return fastest(operation, "int8", frozenset())


def cut(pixels: int, rest: int, vectors: int, lanes: int) -> Tiling:
    return Tiling(pixels=pixels, rest=rest, panels=(Panels(count=2, vectors=vectors, lanes=lanes),))


TILINGS = [cut(*tile) for tile in TILES]
PRODUCTS = [(product(portable("product"), tiling, tiling.panels[0], ""), tiling) for tiling in TILINGS]
CLASSIFIERS = [
    (classifier(portable("classifier"), tiling.panels[0], logits), tiling)
    for tiling in (cut(1, 0, 1, 4), cut(1, 0, 3, 8), cut(1, 0, 7, 16))
    for logits in ("products", "bytes")
]
DEPTHWISE = [(depthwise(portable(f"depthwise3x3s{s}"), lanes, ""), s, lanes) for s in (1, 2) for lanes in LANES]
POOLS = [(pool(portable("pool"), lanes), lanes) for lanes in LANES]
FORMS: list[Form] = [
    *(form for form, _ in (*PRODUCTS, *CLASSIFIERS)),
    *(form for form, _, _ in DEPTHWISE),
    *(form for form, _ in POOLS),
]

I, B, W, R = "int32_t ", "uint8_t *", "const uint32_t *", "const dwk_rounding *"  # noqa: E741
SIGNATURES = {
    "dwk_product": ("const dwk_product *", I, I, B, W, R, B),
    "dwk_depthwise": (B, I, I, I, I, I, I, W, R, B, I),
    "dwk_pool": (B, I, I, I, I, I, W, R, B),
    "dwk_classifier": (B, I, I, W, R, "dwk_float *"),
    "dwk_pixels": ("const dwk_image *", I, I, B, B, B),
    "dwk_border": ("const dwk_image *", I, I, I, I, "uint8_t ", B),
}


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory, zig: tuple[str, ...]) -> Call:
    """Calls a kernel by name; built with the contraction and the fast mathematics that must not matter."""
    names = ("dwk_pixels_u8", "dwk_border_u8", *(form.name for form in FORMS))
    lines = ['#include "dwk_image_u8.h"', *included(FORMS), *(wrapper(name, SIGNATURES) for name in names)]
    flags = ("-O1", "-ffast-math", "-ffp-contract=fast")
    return caller(lines, tmp_path_factory.mktemp("kernels"), (*zig, *flags))


def rounding(rng: np.random.Generator, channels: int, spread: float) -> Rounding:
    """A rounding that clamps some sums of a size about `spread` at either end; a power of two makes ties."""
    factors = rng.choice([1.0, 0.75, 1.3], channels) * 2.0 ** np.round(np.log2(100 / spread))
    return Rounding(
        multiplier=factors.astype(np.float32),
        scale=rng.uniform(0.01, 0.1, channels).astype(np.float32),
        zero_point=int(rng.integers(0, 256)),
        low=int(rng.integers(0, 40)),
        high=int(rng.integers(200, 256)),
        rounded=True,
    )


def bytes_of(acc: NDArray[Any], to: Rounding) -> NDArray[np.uint8]:
    return requantize(acc.astype(np.int32), to.multiplier, to.zero_point, low=to.low, high=to.high)


def cut_of(tiling: Tiling | None = None, lanes: int = 0) -> Cut:
    return Cut(groups=() if tiling is None else tiling.panels, lanes=lanes)


def packed(form: Form, weights: Weights, cut: Cut) -> NDArray[np.uint8]:
    (kernel,) = (kernel for kernel in KERNELS if kernel.parse(form.name) is not None)
    return near(np.concatenate(packing(kernel)(weights, cut)))


def ids(value: object) -> str:
    return value.name if isinstance(value, Form) else ""


@pytest.mark.parametrize("taps", [1, 3])
@pytest.mark.parametrize(("form", "tiling"), PRODUCTS, ids=ids)
def test_products_are_the_sums_of_the_formula(form: Form, tiling: Tiling, taps: int, call: Call) -> None:
    panels = tiling.panels[0]
    N = panels.count * panels.channels
    rng = np.random.default_rng(7)
    for depth, full, rows in itertools.product((1, 9), (1, 2), (1, 3)):
        width, step, gap = full * tiling.pixels + tiling.rest, depth + 2, 16
        row, tap, output_row = width * step + 3, 5, width * N + gap
        source = rng.integers(0, 256, rows * row + 3 * tap + depth + width * step, np.uint8)
        weight = rng.integers(-128, 128, (taps, depth, N)).astype(np.int8)
        bias = rng.integers(-9000, 9000, N).astype(np.int32)
        to = rounding(rng, N, 9000 * (taps * depth) ** 0.5)
        operation = Weights(weight=weight, bias=bias, rounding=to)
        output = Output(rows * output_row, FILL)
        shape = (taps, depth, tap, step, row, width, N, output_row)
        weights = packed(form, operation, cut_of(tiling))
        call(form.name, shape, panels.count, rows, near(source), weights, to, output.values)

        at = np.arange(rows)[:, None] * row + np.arange(width) * step
        windows = source[at[..., None, None] + np.arange(taps)[:, None] * tap + np.arange(depth)].astype(np.int64)
        expected = bytes_of(np.einsum("yxtk,tkn->yxn", windows, weight.astype(np.int64)) + bias, to)
        found = output.values.reshape(rows, output_row)
        assert found[:, : width * N].tolist() == expected.reshape(rows, -1).tolist()
        assert (found[:, width * N :] == FILL).all()
        assert output.guards_hold()


@pytest.mark.parametrize(("form", "stride", "lanes"), DEPTHWISE, ids=ids)
def test_depthwise_convolutions_are_the_sums_of_the_formula(form: Form, stride: int, lanes: int, call: Call) -> None:
    rng = np.random.default_rng(11)
    for C, width, rows, extra in itertools.product((lanes, 3 * lanes), (1, 2, 5), (1, 2, 3), (0, 16)):
        columns, step = (width - 1) * stride + 3, C + extra
        source = rng.integers(0, 256, ((rows - 1) * stride + 3, columns, C), np.uint8)
        weight = rng.integers(-128, 128, (9, C)).astype(np.int8)
        bias = rng.integers(-9000, 9000, C).astype(np.int32)
        to = rounding(rng, C, 27000)
        weights = packed(form, Weights(weight=weight, bias=bias, rounding=to), cut_of(lanes=lanes))
        output = Output(rows * width * step, FILL)
        given = page_end(source)
        for part in ((0, lanes), (lanes, C)):
            call(form.name, given, columns * C, rows, width, C, *part, weights, to, output.values, step)

        windows = np.lib.stride_tricks.sliding_window_view(source, (3, 3), axis=(0, 1))[::stride, ::stride]
        sums = np.einsum("yxcij,ijc->yxc", windows.astype(np.int64), weight.reshape(3, 3, C).astype(np.int64))
        found = output.values.reshape(-1, step)
        assert found[:, :C].tolist() == bytes_of(sums + bias, to).reshape(-1, C).tolist()
        assert (found[:, C:] == FILL).all()
        assert output.guards_hold()


@pytest.mark.parametrize(("form", "lanes"), POOLS, ids=ids)
def test_a_pool_is_the_rounded_sum_of_each_channel(form: Form, lanes: int, call: Call) -> None:
    rng, C = np.random.default_rng(1), 2 * lanes
    for H, width in ((1, 1), (7, 7), (3, 5), (64, 64)):
        source = rng.integers(0, 256, (H, width, C), np.uint8)
        bias, to = rng.integers(-900, 900, C).astype(np.int32), rounding(rng, C, 128 * H * width)
        operation = Weights(weight=np.zeros(0, np.int8), bias=bias, rounding=to)
        output = Output(C, FILL)
        weights = packed(form, operation, cut_of(lanes=lanes))
        for part in ((0, lanes), (lanes, C)):
            call(form.name, near(source), H, width, C, *part, weights, to, output.values)

        assert output.values.tolist() == bytes_of(source.sum(axis=(0, 1), dtype=np.int64) + bias, to).tolist()
        assert output.guards_hold()


@pytest.mark.parametrize(("form", "tiling"), CLASSIFIERS, ids=ids)
def test_logits_are_those_of_the_formula_to_the_last_bit_and_zero_after_the_last(
    form: Form, tiling: Tiling, call: Call
) -> None:
    panels, rng = tiling.panels[0], np.random.default_rng(2)
    K, N = 13, panels.count * panels.channels - 1
    features = rng.integers(0, 256, K, np.uint8)
    weight, bias = rng.integers(-128, 128, (1, K, N)).astype(np.int8), rng.integers(-9000, 9000, N).astype(np.int32)
    to = rounding(rng, N, 30000)
    output = Output(4 * (N + 1), FILL)
    weights = packed(form, Weights(weight=weight, bias=bias, rounding=to), cut_of(tiling))
    call(form.name, near(features), K, 2, weights, to, output.values)

    acc = features.astype(np.int64) @ weight[0].astype(np.int64) + bias
    expected = acc.astype(np.float32) * to.multiplier
    if "_bytes_" in form.name:
        expected = (bytes_of(acc, to).astype(np.float32) - np.float32(to.zero_point)) * to.scale
    found = output.values.view(np.float32)
    assert found[:-1].tolist() == expected.astype(np.float32).tolist()
    assert found[-1] == 0
    assert output.guards_hold()


def test_the_rounding_rule_holds_at_every_tie_and_for_sums_beyond_24_bits(call: Call) -> None:
    """Sums are given as the bias of a pool over one pixel of 0; ties, both ends of int32, and what R1 rounds."""
    form, lanes = POOLS[2]
    rng = np.random.default_rng(3)
    ties = np.arange(-4096, 4096)
    large = np.concatenate([2**24 + np.arange(-8, 9), -(2**24) + np.arange(-8, 9), [2**31 - 1, -(2**31)]])
    near_ties = rng.integers(-(2**31), 2**31, 30_000)
    for sums, multiplier in ((ties, 1 / 16), (ties, 0.5), (large, 2.0**-18), (large, 3e-6), (near_ties, 2.0**-24)):
        for zero, low, high in ((0, 0, 255), (131, 3, 250), (255, 0, 255)):
            acc = np.resize(sums, -(-sums.size // lanes) * lanes).astype(np.int32)
            to = Rounding(
                multiplier=np.full(acc.size, multiplier, np.float32),
                scale=np.ones(acc.size, np.float32),
                zero_point=zero,
                low=low,
                high=high,
                rounded=True,
            )
            operation = Weights(weight=np.zeros(0, np.int8), bias=acc, rounding=to)
            output = Output(acc.size, FILL)
            weights = packed(form, operation, cut_of(lanes=lanes))
            call(form.name, near(np.zeros(acc.size)), 1, 1, acc.size, 0, acc.size, weights, to, output.values)

            assert (output.values == bytes_of(acc, to)).all(), (multiplier, zero)


@pytest.mark.parametrize(("C", "width"), [(1, 5), (3, 16), (3, 17), (1, 100)])
def test_pixels_stand_in_their_border(C: int, width: int, call: Call) -> None:  # noqa: N803
    H, left, right = 4, C, 2 * C
    rng = np.random.default_rng(3)
    pixels, border = rng.integers(0, 256, (H, width, C), np.uint8), rng.integers(0, 256, C, np.uint8)
    for first, rows in ((-1, 3), (0, 4), (2, 3), (-2, 8)):
        output = Output(rows * (left + width * C + right), FILL)
        call(
            "dwk_pixels_u8",
            (H, width * C, left, right),
            first,
            rows,
            pixels,
            np.resize(border, 48),
            output.values,
        )

        whole = np.empty((H + 4, width + 3, C), np.uint8)
        whole[:] = border
        whole[2 : 2 + H, 1 : 1 + width] = pixels
        assert output.values.tolist() == whole[first + 2 : first + 2 + rows].ravel().tolist()
        assert output.guards_hold()


def test_a_border_is_one_byte_and_leaves_the_rest_alone(call: Call) -> None:
    for above, below, left, right in itertools.product((0, 1), repeat=4):
        H, width, C = 3, 5, 8
        output = Output((above + H + below) * (left + width + right) * C, FILL)
        for part in ((0, 0), (0, 1), (1, H), (H, H)):
            call("dwk_border_u8", (H, width * C, left * C, right * C), above, below, *part, 77, output.values)

        expected = np.pad(np.full((H, width, C), FILL), ((above, below), (left, right), (0, 0)), constant_values=77)
        assert output.values.tolist() == expected.ravel().tolist()
        assert output.guards_hold()


@pytest.mark.parametrize("form", FORMS, ids=ids)
def test_a_name_says_the_form_and_the_form_its_name(form: Form) -> None:
    parsed = [(k.header, k.parse(form.name)) for k in KERNELS if k.parse(form.name) is not None]

    assert parsed == [(form.header, {name.removeprefix("DWK_"): value for name, value in form.macros})]
