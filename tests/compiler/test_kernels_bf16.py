"""The bf16 kernels, portable and for x86, against the formula in float64, with guards around the output.

Inputs are numbers of bfloat16, so that all that may differ is the order of a float32 sum, and the half of a step to
which it is rounded. Shapes follow from the tile: a tile and its rest, channels that fill no vector, rows of odd length.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from depthwise.compiler.plan.forms import classifier, depthwise, pool, product
from depthwise.compiler.step import Form
from depthwise.kernels.bfloat16 import floats, halves
from depthwise.kernels.instructions import PORTABLE, Instructions
from depthwise.kernels.kernel import Kernel
from depthwise.kernels.portable import bf16 as pack_bf16
from depthwise.kernels.table import KERNELS, fastest, half
from depthwise.kernels.tiling import Panels, Tiling
from depthwise.kernels.weights import Bounds
from depthwise.kernels.x86 import bf16 as x86_bf16
from depthwise.kernels.x86.instructions import AVX512BF16, AVX512BF16VL
from tools.emitted import needs_machine
from tools.kernel_calls import Call, Output, caller, included, near, page_end, wrapper

SETS = (PORTABLE, AVX512BF16)
# pixels, rest, vectors, lanes of portable C, channels that are missing from a panel for x86
TILES = (
    (1, 0, 1, 8, 0),
    (4, 3, 2, 4, 5),
    (7, 0, 4, 16, 0),
    (3, 2, 3, 8, 8),
    (8, 1, 1, 16, 8),
    (6, 5, 2, 8, 0),
    (5, 4, 4, 16, 8),
    (2, 1, 3, 4, 0),
)
FILL = np.uint16(0xFFA5)  # a NaN
# What sums in float32 may be off, relative to the largest.
SUMS = 1e-5

Halves = NDArray[np.uint16]
Doubles = NDArray[np.float64]


def kernel(operation: Any, of: Instructions) -> Kernel:
    return fastest(operation, "bf16", of.needs)


def tilings(of: Instructions) -> list[tuple[Tiling, Panels]]:
    found = []
    for pixels, rest, vectors, lanes, missing in TILES:
        lanes = of.lanes or lanes
        some = vectors * lanes - missing if of.name and missing else 0
        panels = Panels(count=1 if some else 2, vectors=vectors, lanes=lanes, some=some)
        found.append((Tiling(pixels=pixels, rest=rest, panels=(panels,)), panels))
    return found


def widths(of: Instructions) -> tuple[int, ...]:
    """Lanes of depthwise vectors."""
    return (32,) if of.name else (4, 8, 16)


def depthwise_forms(of: Instructions) -> list[Form]:
    operations = ("depthwise3x3s1", "depthwise3x3s2")
    return [depthwise(kernel(o, of), w) for o in operations for w in widths(of)]


def with_narrow(of: Instructions) -> tuple[Instructions, ...]:
    """Products have a form of half the width too."""
    return (of, AVX512BF16VL) if of == AVX512BF16 else (of,)


def product_kernel(of: Instructions) -> Kernel:
    return half(kernel("product", AVX512BF16)) if of == AVX512BF16VL else kernel("product", of)


def product_forms(of: Instructions) -> list[Form]:
    return [product(product_kernel(each), *tiling) for each in with_narrow(of) for tiling in tilings(each)]


POOLS = [pool(kernel("pool", PORTABLE), lanes) for lanes in (4, 8, 16)]
CLASSIFIERS = [
    classifier(kernel("classifier", PORTABLE), Panels(count=2, vectors=v, lanes=lanes))
    for v, lanes in ((1, 4), (3, 8), (7, 16))
]

H, I, W, F = "dwk_bf16 *", "int32_t ", "const uint32_t *", "dwk_float *"  # noqa: E741
SIGNATURES = {
    "dwk_product": ("const dwk_product *", I, I, H, W, H),
    "dwk_depthwise": (H, I, I, I, I, I, I, W, H, I),
    "dwk_pool": (H, I, I, I, I, I, F),
    "dwk_classifier": (F, I, I, W, F),
}


@pytest.fixture(scope="module", params=SETS, ids=lambda of: of.name or "portable")
def of(request: pytest.FixtureRequest, zig: tuple[str, ...]) -> Instructions:
    needs_machine(request.param, zig)
    found: Instructions = request.param
    return found


@pytest.fixture(scope="module")
def call(of: Instructions, tmp_path_factory: pytest.TempPathFactory, zig: tuple[str, ...]) -> Call:
    """Calls a kernel by name."""
    forms = [*product_forms(of), *depthwise_forms(of), *POOLS, *CLASSIFIERS]
    lines = [*included(forms), *(wrapper(form.name, SIGNATURES) for form in forms)]
    return caller(lines, tmp_path_factory.mktemp("kernels"), (*zig, "-O1"))


def numbers(rng: np.random.Generator, scale: float, *shape: int) -> NDArray[np.float32]:
    """Random numbers of bfloat16."""
    return floats(halves(rng.normal(0, scale, shape).astype(np.float32)))


def limits(rng: np.random.Generator, count: int) -> Bounds:
    """Bounds of channels with and without an upper one, some of which begin at 0."""
    kept = np.rint(rng.uniform(0, 6, count) * 32) / 32
    kept[::5] = 0
    most = np.where(np.arange(count) % 3, 6, np.inf)
    return Bounds(low=(-kept).astype(np.float32), high=(most - kept).astype(np.float32))


def within(values: Doubles, bounds: Bounds) -> Doubles:
    return np.clip(values, bounds.low, bounds.high)


def agree(found: Halves, expected: Doubles) -> None:
    """Half a step, which is at most 2**-8 of a number, and the sum's own rounding."""
    off = np.abs(floats(found).astype(np.float64) - expected.reshape(found.shape))
    assert (off <= 2.0**-8 * np.abs(expected.reshape(found.shape)) + SUMS * max(1, np.abs(expected).max())).all()


@pytest.mark.parametrize("number", range(len(TILES)), ids=lambda n: "p{}r{}_c{}x{}-{}".format(*TILES[n]))
def test_products_are_the_sums_of_the_formula_within_bounds(number: int, of: Instructions, call: Call) -> None:
    rng = np.random.default_rng(number)
    for each, taps, depth, full, rows in itertools.product(with_narrow(of), (1, 3), (1, 6, 9), (1, 2), (1, 3)):
        tiling, panels = tilings(each)[number]
        form = product(product_kernel(each), tiling, panels)
        N = panels.count * panels.channels
        width, step, gap = full * tiling.pixels + tiling.rest, depth + 2, 16
        row, tap, output_row = width * step + 3, 5, width * N + gap
        source = numbers(rng, 2, rows * row + 3 * tap + depth + width * step)
        weight, bias, bounds = numbers(rng, 1, taps, depth, N), rng.normal(0, 2, N).astype(np.float32), limits(rng, N)
        output = Output(rows * output_row, FILL)
        shape = (taps, depth, tap, step, row, width, N, output_row)
        packed = near(pack_bf16.panels(weight, bias, (panels,), bounds))
        call(form.name, shape, panels.count, rows, near(halves(source)), packed, output.values)

        at = np.arange(rows)[:, None] * row + np.arange(width) * step
        windows = source[at[..., None, None] + np.arange(taps)[:, None] * tap + np.arange(depth)].astype(np.float64)
        sums = np.einsum("yxtk,tkn->yxn", windows, weight.astype(np.float64)) + bias
        found = output.values.reshape(rows, output_row)
        agree(found[:, : width * N].reshape(rows, -1), within(sums, bounds).reshape(rows, -1))
        assert (found[:, width * N :] == FILL).all()
        assert output.guards_hold()


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("channels", [8, 16, 24, 32, 40, 56, 64, 72])
def test_depthwise_convolutions_are_the_sums_of_the_formula_within_bounds(
    channels: int, stride: int, of: Instructions, call: Call
) -> None:
    C, lanes = channels, next(w for w in widths(of)[::-1] if of.name or channels % w == 0)
    form = depthwise(kernel(f"depthwise3x3s{stride}", of), lanes)
    rng = np.random.default_rng(C)
    for width, rows, extra in itertools.product((1, 2, 3, 4, 5, 8, 17), (1, 2, 3), (0, 32)):
        if extra and C < 32:
            continue
        columns, step = (width - 1) * stride + 3, C + extra
        source = numbers(rng, 2, (rows - 1) * stride + 3, columns, C)
        weight, bias, bounds = numbers(rng, 1, 9, C), rng.normal(0, 1, C).astype(np.float32), limits(rng, C)
        if of.name:
            packed = x86_bf16.chunks(weight, bias, bounds, rows=3 - stride, repeat=stride == 1)
        else:
            table = np.concatenate([bias[None], weight, [bounds.low, bounds.high]])
            packed = table.reshape(12, -1, lanes).transpose(1, 0, 2).view(np.uint32)
        output = Output(rows * width * step, FILL)
        given = page_end(halves(source))
        middle = min(32, C) if of.name else lanes
        for part in ((0, middle), (middle, C)):
            call(form.name, given, columns * C, rows, width, C, *part, near(packed), output.values, step)

        windows = np.lib.stride_tricks.sliding_window_view(source, (3, 3), axis=(0, 1))[::stride, ::stride]
        factors = weight.reshape(3, 3, C).astype(np.float64)
        sums = np.einsum("yxcij,ijc->yxc", windows.astype(np.float64), factors) + bias
        found = output.values.reshape(-1, step)
        agree(found[:, :C], within(sums, bounds).reshape(-1, C))
        assert (found[:, C:] == FILL).all()
        assert output.guards_hold()


@pytest.mark.parametrize("form", POOLS, ids=lambda form: form.name)
def test_a_pool_is_the_mean_of_each_channel_in_float32(form: Form, call: Call) -> None:
    C = 2 * int(dict(form.macros)["DWK_LANES"])
    for height, width in ((1, 1), (7, 7), (3, 5), (64, 64)):
        source = floats(halves(np.random.default_rng(1).uniform(0, 6, (height, width, C)).astype(np.float32)))
        output = Output(2 * C, FILL)
        for part in ((0, C // 2), (C // 2, C)):
            call(form.name, near(halves(source)), height, width, C, *part, output.values)

        expected = source.astype(np.float64).mean(axis=(0, 1))
        assert output.values.view(np.float32) == pytest.approx(expected, rel=1e-5)
        assert output.guards_hold()


@pytest.mark.parametrize("form", CLASSIFIERS, ids=lambda form: form.name)
def test_sums_of_labels_are_those_of_the_formula_and_zero_after_the_last(form: Form, call: Call) -> None:
    macros = {name: int(value) for name, value in form.macros}
    panels = Panels(count=2, vectors=macros["DWK_VECTORS"], lanes=macros["DWK_LANES"])
    K, N = 24, panels.count * panels.channels - 1
    rng = np.random.default_rng(2)
    features, bias = rng.uniform(0, 6, K).astype(np.float32), rng.normal(0, 1, N).astype(np.float32)
    weight = numbers(rng, 1, 1, K, N)
    output = Output(2 * (N + 1), FILL)
    call(form.name, near(features), K, 2, near(pack_bf16.panels(weight, bias, (panels,))), output.values)

    expected = features.astype(np.float64) @ weight[0].astype(np.float64) + bias
    found = output.values.view(np.float32)
    assert found[:-1] == pytest.approx(expected, rel=0, abs=1e-5 * np.abs(expected).max())
    assert found[-1] == 0
    assert output.guards_hold()


def test_a_name_says_the_form_and_the_form_its_name() -> None:
    for of in SETS:
        for form in (*product_forms(of), *depthwise_forms(of)):
            parsed = [found for each in KERNELS if (found := each.parse(form.name)) is not None]
            assert parsed == [{name.removeprefix("DWK_"): value for name, value in form.macros}]
