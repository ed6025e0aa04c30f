"""The int8 kernels for x86, in each vocabulary, against the formulas of docs/int8.md, with guards around the output.

Shapes follow from the tile: a tile and its rest, channels that fill no vector, values that fill no quad.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from depthwise.compiler.plan.forms import classifier, depthwise, pool, product
from depthwise.compiler.step import Form
from depthwise.kernels.instructions import Instructions
from depthwise.kernels.kernel import Operation
from depthwise.kernels.table import fastest
from depthwise.kernels.tiling import Panels, Tiling
from depthwise.kernels.x86 import int8 as pack_x86
from depthwise.kernels.x86.instructions import AVX2, AVX512VNNI, AVXVNNI
from tools.emitted import needs_machine
from tools.kernel_calls import CLAMPS, Call, Output, bytes_of, caller, included, near, page_end, words, wrapper

SETS = (AVX512VNNI, AVXVNNI, AVX2)
FILL = np.uint8(0xA5)
# pixels, rest, vectors, channels of the panel as vectors and what is missing of them.
TILES = (
    (4, 2, 4, 0),
    (4, 3, 4, 8),
    (3, 1, 2, 3),
    (8, 5, 1, 0),
    (5, 2, 1, 5),
    (4, 1, 3, 0),
    (2, 1, 3, 7),
    (1, 0, 4, 61),
)
PRODUCTS: tuple[Operation, ...] = ("product", "stem")


def tilings(of: Instructions) -> list[tuple[Tiling, Panels]]:
    found = []
    for pixels, rest, vectors, missing in TILES:
        some = (vectors * of.lanes - missing % of.lanes) if missing else 0
        panels = Panels(count=1 if some else 2, vectors=vectors, lanes=of.lanes, some=some)
        found.append((Tiling(pixels=pixels, rest=rest, panels=(panels,)), panels))
    return found


def kernel(operation: Operation, of: Instructions) -> Any:
    return fastest(operation, "int8", of.needs)


def forms_of(of: Instructions) -> list[Form]:
    return [
        *(product(kernel(of_one, of), *tiling, "") for of_one in PRODUCTS for tiling in tilings(of)),
        *(depthwise(kernel(f"depthwise3x3s{s}", of), 4 * of.lanes, "") for s in (1, 2)),  # type: ignore[arg-type]
        pool(kernel("pool", of), 4 * of.lanes),
        *(
            classifier(kernel("classifier", of), Panels(count=2, vectors=3, lanes=of.lanes), w)
            for w in ("products", "bytes")
        ),
    ]


I, B, W, R = "int32_t ", "uint8_t *", "const uint32_t *", "const dwk_rounding *"  # noqa: E741
SIGNATURES = {
    "dwk_product": ("const dwk_product *", I, I, B, W, R, B),
    "dwk_stem": ("const dwk_product *", I, I, B, W, R, B),
    "dwk_depthwise": (B, I, I, I, I, I, I, W, R, B, I),
    "dwk_pool": (B, I, I, I, I, I, W, R, B),
    "dwk_classifier": (B, I, I, W, R, "dwk_float *"),
}


@pytest.fixture(scope="module", params=SETS, ids=lambda of: of.name)
def vocabulary(request: pytest.FixtureRequest, zig: tuple[str, ...]) -> Instructions:
    of: Instructions = request.param
    needs_machine(of, zig)
    return of


@pytest.fixture(scope="module")
def call(vocabulary: Instructions, tmp_path_factory: pytest.TempPathFactory, zig: tuple[str, ...]) -> Call:
    """Calls a kernel of the vocabulary, built with the fast mathematics that must not matter."""
    forms = forms_of(vocabulary)
    lines = [*included(forms), *(wrapper(form.name, SIGNATURES) for form in forms)]
    return caller(lines, tmp_path_factory.mktemp("kernels"), (*zig, "-O1", "-ffast-math"))


def named(number: int) -> str:
    return "p{}r{}_v{}-{}".format(*TILES[number])


@pytest.mark.parametrize("number", range(len(TILES)), ids=named)
def test_products_are_the_sums_of_the_formula(number: int, vocabulary: Instructions, call: Call) -> None:
    for taps, depth, full, rows in itertools.product((1, 3), (1, 4, 9, 16), (1, 2), (1, 3)):
        assert_product("product", number, vocabulary, call, (taps, depth, full, rows))


@pytest.mark.parametrize("number", range(len(TILES)), ids=named)
def test_the_first_convolution_of_colours_is_the_same_sum(number: int, vocabulary: Instructions, call: Call) -> None:
    for full, rows in itertools.product((1, 2), (1, 3)):
        assert_product("stem", number, vocabulary, call, (3, 9, full, rows))


def assert_product(
    operation: Operation, number: int, of: Instructions, call: Call, sizes: tuple[int, int, int, int]
) -> None:
    """Of noise and of extremes, with gaps behind the rows of outputs and guards around all of them."""
    taps, depth, full, rows = sizes
    tiling, panels = tilings(of)[number]
    form = product(kernel(operation, of), tiling, panels, "")
    N = panels.count * panels.channels
    rng = np.random.default_rng([number, *sizes])
    for extreme in (False, True):
        width, step, clamp = full * tiling.pixels + tiling.rest, depth + 2, CLAMPS[rng.integers(4)]
        row, tap, output_row = width * step + 5, 11, width * N + 7
        source = rng.integers(0, 256, rows * row + 3 * tap + width * step + depth, np.uint8)
        weight = rng.integers(-128, 128, (taps, depth, N)).astype(np.int8)
        if extreme:
            source[:], weight[:] = 255, rng.choice([-128, 127], N)
        bias, multiplier = words(rng, N, taps * depth)
        arranged = pack_x86.ninths_last(weight) if operation == "stem" else weight
        packed = near(pack_x86.panels(arranged, [bias, multiplier], (panels,), of, in_order=False))
        output = Output(rows * output_row, FILL)
        shape = (taps, depth, tap, step, row, width, N, output_row)
        call(form.name, shape, panels.count, rows, near(source), packed, clamp, output.values)

        at = np.arange(rows)[:, None] * row + np.arange(width) * step
        windows = source[at[..., None, None] + np.arange(taps)[:, None] * tap + np.arange(depth)].astype(np.int64)
        acc = np.einsum("yxtk,tkn->yxn", windows, weight.astype(np.int64)) + bias
        found = output.values.reshape(rows, output_row)
        assert (found[:, : width * N] == bytes_of(acc, multiplier, clamp).reshape(rows, -1)).all()
        assert (found[:, width * N :] == FILL).all()
        assert output.guards_hold()


def quads(weight: NDArray[np.int8], form: Form, stride: int) -> NDArray[np.int8]:
    """Factors in the quads of the kernel."""
    if form.header == "dwk_depthwise3x3s2_i8_avx512vnni.h":
        return pack_x86.quads_of_sides(weight)
    return pack_x86.rows_at_once(weight, 3 - stride)


def parts(channels: int, of: Instructions) -> tuple[tuple[int, int], ...]:
    """The channels in two parts, as two threads have them; the first is one vector of bytes."""
    middle = min(4 * of.lanes, channels)
    return ((0, middle), (middle, channels))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("channels", [8, 16, 24, 32, 40, 56, 64, 72, 88, 128])
def test_depthwise_convolutions_are_the_sums_of_the_formula(
    channels: int, stride: int, vocabulary: Instructions, call: Call
) -> None:
    C = channels
    form = depthwise(kernel(f"depthwise3x3s{stride}", vocabulary), 4 * vocabulary.lanes, "")  # type: ignore[arg-type]
    rng = np.random.default_rng(C)
    for width, rows, extra in itertools.product((1, 2, 3, 4, 5, 7, 8, 16, 17), (1, 2, 3), (0, 16)):
        if extra and 4 * vocabulary.lanes > C:
            continue
        columns, step, clamp = (width - 1) * stride + 3, C + extra, CLAMPS[rng.integers(4)]
        source = rng.integers(0, 256, ((rows - 1) * stride + 3, columns, C), np.uint8)
        weight = rng.integers(-128, 128, (9, C)).astype(np.int8)
        bias, multiplier = words(rng, C, 9)
        packed = near(pack_x86.depthwise_chunks(quads(weight, form, stride), [bias, multiplier], vocabulary))
        output = Output(rows * width * step, FILL)
        given = page_end(source)
        for part in parts(C, vocabulary):
            call(form.name, given, columns * C, rows, width, C, *part, packed, clamp, output.values, step)

        windows = np.lib.stride_tricks.sliding_window_view(source, (3, 3), axis=(0, 1))[::stride, ::stride]
        sums = np.einsum("yxcij,ijc->yxc", windows.astype(np.int64), weight.reshape(3, 3, C).astype(np.int64))
        found = output.values.reshape(rows, width, step)
        assert (found[..., :C] == bytes_of(sums + bias, multiplier, clamp)).all(), (width, rows)
        assert (found[..., C:] == FILL).all()
        assert output.guards_hold()


@pytest.mark.parametrize("channels", [8, 64, 72])
def test_a_pool_is_the_rounded_sum_of_each_channel(channels: int, vocabulary: Instructions, call: Call) -> None:
    C = channels
    form = pool(kernel("pool", vocabulary), 4 * vocabulary.lanes)
    rng = np.random.default_rng(C)
    for (H, width), clamp in zip(((1, 1), (7, 7), (3, 5), (64, 64)), CLAMPS, strict=True):
        source = rng.integers(0, 256, (H, width, C), np.uint8)
        bias = rng.integers(-900, 900, C).astype(np.int32)
        multiplier = (rng.uniform(0.5, 1.5, C) / (H * width)).astype(np.float32)
        packed = near(np.concatenate(pack_x86.pool_chunks([bias, multiplier], vocabulary)))
        output = Output(C, FILL)
        for part in parts(C, vocabulary):
            call(form.name, near(source), H, width, C, *part, packed, clamp, output.values)

        acc = source.astype(np.int64).sum(axis=(0, 1)) + bias
        assert output.values.tolist() == bytes_of(acc, multiplier, clamp).tolist()
        assert output.guards_hold()


@pytest.mark.parametrize("logits", ["products", "bytes"])
def test_logits_are_those_of_the_formula_to_the_last_bit(logits: str, vocabulary: Instructions, call: Call) -> None:
    panels = Panels(count=2, vectors=3, lanes=vocabulary.lanes)
    form = classifier(kernel("classifier", vocabulary), panels, logits)
    rng, N, (zero, low, high) = np.random.default_rng(5), 2 * panels.channels - 3, CLAMPS[1]
    for K in (1, 8, 33, 256):
        features = rng.integers(0, 256, K, np.uint8)
        weight = rng.integers(-128, 128, (1, K, N)).astype(np.int8)
        bias, multiplier = words(rng, N, K)
        scale = rng.uniform(0, 1, N).astype(np.float32)
        packed = near(pack_x86.panels(weight, [bias, multiplier, scale], (panels,), vocabulary, in_order=True))
        output = Output(8 * panels.channels, FILL)
        given = near(np.pad(features, (0, 3), constant_values=255))
        call(form.name, given, K, 2, packed, (zero, low, high), output.values)

        acc = features.astype(np.int64) @ weight[0].astype(np.int64) + bias
        expected = acc.astype(np.float32) * multiplier
        if logits == "bytes":
            expected = (bytes_of(acc, multiplier, (zero, low, high)).astype(np.float32) - np.float32(zero)) * scale
        found = output.values.view(np.float32)
        assert found[:N].tolist() == expected.tolist()
        assert not found[N:].any() or logits == "bytes"
        assert output.guards_hold()


def test_a_name_says_the_form_and_the_form_its_name() -> None:
    for of in SETS:
        for form in forms_of(of):
            operation = form.name.split("_")[1]
            macros = kernel(operation, of).parse(form.name)  # type: ignore[arg-type]
            assert macros == {name.removeprefix("DWK_"): value for name, value in form.macros}
