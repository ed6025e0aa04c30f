"""Every kernel against its formula, on shapes that follow from its tile, with guards around its output.

The forms are those of tools/kernel_cases.py, a row a family; the formulas those of tools/rules.py, a row a precision.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from depthwise.compiler.lower import golden
from depthwise.kernels.bfloat16 import halves
from depthwise.kernels.headers import FOLDER, headers
from depthwise.kernels.instructions import Instructions
from depthwise.kernels.packing import packing
from depthwise.kernels.table import KERNELS
from depthwise.kernels.weights import Rounding, Weights
from depthwise.kernels.x86.instructions import AMX
from depthwise.kernels.x86.ways import way
from depthwise.network.reference import softmax
from depthwise.network.spec import Spec
from depthwise.precision import Precision
from tools.emitted import needs_machine
from tools.kernel_calls import Call, I, Output, P, arguments, caller, included, near, page_end, rounding_words, wrapper
from tools.kernel_cases import Case, cases
from tools.rules import NOT_A_FLOAT, RULES, Rule

PRODUCTS = cases("product", "stem", "stem_abreast", "product_tiles")
DEPTHWISE = cases("depthwise3x3s1", "depthwise3x3s2")
POOLS = cases("pool")
CLASSIFIERS = cases("classifier")
CASES = [*PRODUCTS, *DEPTHWISE, *POOLS, *CLASSIFIERS]

# By operation: rows of the kernel, values of each, whole tiles in a row of outputs, rows of outputs.
SIZES: dict[str, list[tuple[int, ...]]] = {
    "product": list(itertools.product((1, 3), (1, 4, 6, 9, 16), (1, 2), (1, 3))),
    "stem": list(itertools.product((3,), (9,), (1, 2), (1, 3))),
    "stem_abreast": list(itertools.product((3,), (9,), (0, 1, 2), (1, 3))),
    # Parts of a pixel's values, and pixels beyond a block that its rows are at least, each of them under a kernel of
    # several rows.
    "product_tiles": list(itertools.product((1, 3), (1, 2, 3), (0, 9), (1, 3))),
}
# Of kernels that take any multiple of 8, below and above the channels of a vector.
CHANNELS = (8, 16, 24, 32, 40, 56, 64, 72, 88, 128)
MAPS = ((1, 1), (7, 7), (3, 5), (64, 64))

Calls = Callable[[Case], Call]


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory, zig: tuple[str, ...], zig_with_tiles: tuple[str, ...]) -> Calls:
    """Calls the kernel of a case; those of its precision and instructions are built when the first is asked for."""

    @cache
    def built(precision: Precision, of: Instructions) -> Call:
        command = zig_with_tiles if AMX.needs <= of.needs else zig
        if not AMX.needs <= of.needs:
            needs_machine(of, zig)
        mine = [case for case in CASES if (case.kernel.precision, case.kernel.instructions) == (precision, of)]
        wrappers = [wrapper(case.form.name, arguments(case.kernel), case.before) for case in mine]
        lines = [*included(case.form for case in mine), *wrappers]
        return caller(lines, tmp_path_factory.mktemp("kernels"), (*command, "-O1", *RULES[precision].flags))

    return lambda case: built(case.kernel.precision, case.kernel.instructions)


def constants(case: Case, weights: Weights, *, fused: bool = False) -> tuple[Any, ...]:
    """What a call is given of a layer's weights, and whether it may round in two operations."""
    if not case.kernel.packing:
        return ()
    packed = near(np.concatenate(packing(case.kernel)(weights, case.cut)))
    return (packed,) if weights.rounding is None else (packed, rounding_words(weights.rounding, fused=fused))


def ways_to_round(case: Case) -> tuple[bool, ...]:
    """Whether a kernel is to round in two operations: both ways, where a `dwk_rounding` says so."""
    return (False, True) if case.kernel.fuses else (False,)


def that_fuse(weights: Weights) -> Weights:
    """Weights of a layer for which two operations are proven to give the same bytes."""
    assert weights.rounding is not None
    found = replace(weights, rounding=replace(weights.rounding, zero_point=0))
    assert way(found) == "fused"
    return found


@pytest.mark.parametrize("case", PRODUCTS, ids=str)
def test_products_are_the_sums_of_the_formula(case: Case, calls: Calls) -> None:
    rule, rng = RULES[case.kernel.precision], np.random.default_rng(7)
    for sizes, extreme, fused in itertools.product(SIZES[case.kernel.operation], rule.extremes, ways_to_round(case)):
        assert_product(case, rule, sizes, extreme, fused, rng, calls(case))


def assert_product(
    case: Case, rule: Rule, sizes: tuple[int, ...], extreme: bool, fused: bool, rng: np.random.Generator, call: Call
) -> None:
    taps, depth, full, rows = sizes
    N, width = case.panels.count * case.panels.channels, full * case.pixels + case.rest
    on_tiles = case.kernel.operation == "product_tiles"
    depth *= case.values
    if on_tiles:
        width = (case.pixels if taps > 1 else -(-case.pixels // rows)) + full
    # Bytes on tiles are of pointwise convolutions alone.
    if not width or (on_tiles and taps > 1 and case.kernel.precision == "int8"):
        return
    if on_tiles and taps == 1:
        step, tap, gap = depth + 2, 0, 16
        row = width * step
    elif on_tiles or case.kernel.operation == "product":
        step, tap, gap = depth + 2, 11, 16
        row = width * step + 5
    else:
        step, gap = 6, 7
        tap = (width - 1) * step + 9 + 5
        row = 2 * tap
    output_row = width * N + gap
    at = np.arange(rows)[:, None] * row + np.arange(width) * step
    at = at[..., None, None] + np.arange(taps)[:, None] * tap + np.arange(depth)
    source = rule.numbers(rng, at.max() + 1 + case.behind, extreme=extreme)
    weights = rule.weights(rng, (taps, depth, N), extreme=extreme)
    weights = that_fuse(weights) if fused or case.cut.way == "fused" else weights
    output = Output(rows * output_row, rule.fill)
    shape = (taps, depth, tap, step, row, width, N, output_row)
    given = page_end(rule.stored(source))
    call(case.form.name, shape, case.panels.count, rows, given, *constants(case, weights, fused=fused), output.values)

    windows, factors = source[at].astype(np.float64), weights.weight.astype(np.float64)
    sums = windows.reshape(rows, width, -1) @ factors.reshape(-1, N) + weights.bias
    found = output.values.reshape(rows, output_row)
    inside = np.ascontiguousarray(found[:, : width * N])
    assert rule.agrees(inside, rule.activated(sums, weights, case.macro("ACTIVATION"))), sizes
    assert (found[:, width * N :] == rule.fill).all()
    assert output.guards_hold()


@pytest.mark.parametrize("case", DEPTHWISE, ids=str)
def test_depthwise_convolutions_are_the_sums_of_the_formula(case: Case, calls: Calls) -> None:
    rule, rng, lanes, stride = RULES[case.kernel.precision], np.random.default_rng(11), case.cut.lanes, case.cut.stride
    channels = (case.at_a_time, 3 * case.at_a_time) if case.macro("LANES") else CHANNELS
    sizes = itertools.product(channels, (1, 2, 3, 4, 5, 7, 8, 16, 17), (1, 2, 3), (0, 16), ways_to_round(case))
    for C, width, rows, extra, fused in sizes:
        # Pixels that are less than a vector stand one behind the other.
        if extra and lanes > C:
            continue
        columns, step = (width - 1) * stride + 3, C + extra
        source = rule.numbers(rng, (rows - 1) * stride + 3, columns, C)
        weights = that_fuse(rule.weights(rng, (9, C))) if fused else rule.weights(rng, (9, C))
        given, more = page_end(rule.stored(source)), constants(case, weights, fused=fused)
        output = Output(rows * width * step, rule.fill)
        # In two parts, as two threads have it; the first is what is computed at a time.
        middle = min(case.at_a_time, C)
        for part in ((0, middle), (middle, C)):
            calls(case)(case.form.name, given, columns * C, rows, width, C, *part, *more, output.values, step)

        windows = np.lib.stride_tricks.sliding_window_view(source, (3, 3), axis=(0, 1))[::stride, ::stride]
        factors = weights.weight.reshape(3, 3, C).astype(np.float64)
        sums = np.einsum("yxcij,ijc->yxc", windows.astype(np.float64), factors) + weights.bias
        found = output.values.reshape(-1, step)
        inside = np.ascontiguousarray(found[:, :C])
        assert rule.agrees(inside, rule.activated(sums, weights, case.macro("ACTIVATION"))), (C, width, rows, extra)
        assert (found[:, C:] == rule.fill).all()
        assert output.guards_hold()


@pytest.mark.parametrize("case", POOLS, ids=str)
def test_a_pool_is_the_mean_of_each_channel(case: Case, calls: Calls) -> None:
    rule, rng, lanes = RULES[case.kernel.precision], np.random.default_rng(1), case.cut.lanes
    for (H, width), C in itertools.product(MAPS, (2 * lanes,) if case.macro("LANES") else (8, 64, 72)):
        source, weights = rule.numbers(rng, H, width, C), rule.weights_of_pool(rng, C, H * width)
        given, more = near(rule.stored(source)), constants(case, weights)
        output = Output(C, rule.pooled)
        middle = min(lanes, C)
        for part in ((0, middle), (middle, C)):
            calls(case)(case.form.name, given, H, width, C, *part, *more, output.values)

        assert rule.features_agree(output.values, rule.mean(source, weights)), (H, width, C)
        assert output.guards_hold()


@pytest.mark.parametrize("case", CLASSIFIERS, ids=str)
def test_logits_are_those_of_the_formula_and_zero_after_the_last(case: Case, calls: Calls) -> None:
    rule, rng, panels = RULES[case.kernel.precision], np.random.default_rng(2), case.panels
    N, room = panels.count * panels.channels - 3, panels.count * panels.channels
    for K in map(case.whole, (1, 8, 13, 33, 256)):
        features, weights = rule.features(rng, K), rule.weights(rng, (1, K, N))
        output = Output(room, NOT_A_FLOAT)
        given = near(np.pad(features, (0, case.behind), constant_values=features.dtype.type(255)))
        calls(case)(case.form.name, given, K, panels.count, *constants(case, weights), output.values)

        sums = features.astype(np.float64) @ weights.weight[0].astype(np.float64) + weights.bias
        assert rule.logits_agree(output.values[:N], rule.logits(sums, weights, case.macro("LOGITS"))), K
        assert not output.values[N:].view(np.float32).any()
        assert output.guards_hold()


@pytest.mark.parametrize("case", [case for case in POOLS if case.kernel.precision == "int8"], ids=str)
def test_the_rounding_rule_holds_at_every_tie_and_for_sums_beyond_24_bits(case: Case, calls: Calls) -> None:
    """Sums are given as the bias of a pool over one pixel of 0; ties, both ends of int32, and what R1 rounds."""
    rule, lanes = RULES["int8"], case.cut.lanes
    ties = np.arange(-4096, 4096)
    large = np.concatenate([2**24 + np.arange(-8, 9), -(2**24) + np.arange(-8, 9), [2**31 - 1, -(2**31)]])
    near_ties = np.random.default_rng(3).integers(-(2**31), 2**31, 30_000)
    for sums, multiplier in ((ties, 1 / 16), (ties, 0.5), (large, 2.0**-18), (large, 3e-6), (near_ties, 2.0**-24)):
        acc = np.resize(sums, -(-sums.size // lanes) * lanes).astype(np.int32)
        factors, pixel = np.full(acc.size, multiplier, np.float32), near(np.zeros(acc.size, np.uint8))
        for zero, low, high in ((0, 0, 255), (131, 3, 250), (255, 0, 255)):
            to = Rounding(multiplier=factors, scale=factors, zero_point=zero, low=low, high=high, rounded=True)
            weights = Weights(weight=np.zeros(0, np.int8), bias=acc, rounding=to)
            output = Output(acc.size, rule.pooled)
            more = constants(case, weights)
            calls(case)(case.form.name, pixel, 1, 1, acc.size, 0, acc.size, *more, output.values)

            assert rule.features_agree(output.values, rule.activated(acc.astype(np.float64), weights, "")), multiplier


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_name_says_the_form_and_the_form_its_name(case: Case) -> None:
    parsed = [(k.header, k.parse(case.form.name)) for k in KERNELS if k.parse(case.form.name) is not None]

    macros = {name.removeprefix("DWK_"): value for name, value in case.form.macros}
    assert parsed == [(case.form.header, macros)]


def test_every_kernel_of_a_family_has_a_case_and_strassens_products_a_file() -> None:
    families = {case.kernel.instructions.family for case in CASES}
    rows = [kernel for kernel in KERNELS if kernel.operation and kernel.instructions.family in families]

    assert [row for row in rows if row not in [case.kernel for case in CASES]] == [
        row for row in rows if row.operation == "strassen"
    ]


def test_every_row_of_the_table_has_its_header_and_no_two_headers_share_a_name() -> None:
    paths = list(FOLDER.rglob("*.h"))

    assert {kernel.header for kernel in KERNELS} - {path.name for path in paths} == set()
    assert len(headers()) == len(paths)


def test_the_page_on_names_lists_every_kernel() -> None:
    page = (Path(__file__).parents[2] / "docs" / "kernel-names.md").read_text(encoding="utf-8")
    missing = [k.name for k in KERNELS if f"`{k.name if k.name.isidentifier() else k.base}`" not in page]

    assert missing == []


# Kernels of no layer: pixels and their border, probabilities, golden images.
PIXELS = (P, I, I, P, P, P)
NO_LAYERS: dict[str, tuple[str, ...]] = {
    "dwk_pixels_u8f32": PIXELS,
    "dwk_pixels_u8bf16": PIXELS,
    "dwk_pixels_u8": PIXELS,
    "dwk_border_f32": (P, I, I, I, I, P),
    "dwk_border_bf16": (P, I, I, I, I, P, I, P),
    "dwk_border_u8": (P, I, I, I, I, I, P),
    "dwk_softmax_f32": (P, I, P),
    "dwk_golden_image": (I, I, I, I, P),
}
HEADERS = ("dwk_image_f32.h", "dwk_image_bf16.h", "dwk_image_u8.h", "dwk_softmax_f32.h", "dwk_golden.h")
MEANS = np.array([123.675, 116.28, 103.53], np.float32)
WHOLE_MEANS = np.array([124, 0, 255], np.float32)


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory, zig: tuple[str, ...]) -> Call:
    """Calls a kernel of no layer by its name."""
    lines = [f'#include "{name}"' for name in HEADERS]
    lines += [wrapper(name, kinds) for name, kinds in NO_LAYERS.items()]
    return caller(lines, tmp_path_factory.mktemp("kernels"), (*zig, "-O1"))


def test_probabilities_are_the_softmax_of_the_oracle(call: Call) -> None:
    rng = np.random.default_rng(4)
    wide = np.concatenate([[0.0, -87.5, -86.9, -1000.0], -rng.uniform(0, 90, 500)])
    for sums in (np.array([1.0, 2.0]), rng.normal(0, 8, 1000), wide, np.full(7, 3e38), np.array([-3e38, 3e38])):
        output = Output(sums.size, NOT_A_FLOAT)
        call("dwk_softmax_f32", near(sums.astype(np.float32)), sums.size, output.values)

        found, expected = output.values.view(np.float32), softmax(sums.astype(np.float32).astype(np.float64))
        assert found == pytest.approx(expected, rel=0, abs=1e-6)
        seen = expected > 1e-36
        assert found[seen] == pytest.approx(expected[seen], rel=1e-6)
        assert output.guards_hold()


@pytest.mark.parametrize("place", [0, 7, 8, 10])
def test_a_sum_that_is_no_number_is_not_hidden(place: int, call: Call) -> None:
    sums, output = np.linspace(-3, 3, 11, dtype=np.float32), Output(11, np.float32(0))
    sums[place] = np.nan

    call("dwk_softmax_f32", near(sums), sums.size, output.values)

    assert np.isnan(output.values).all()


@pytest.mark.parametrize("precision", ["float32", "bf16", "int8"])
@pytest.mark.parametrize(("C", "width"), [(1, 5), (3, 16), (3, 17), (1, 100), (3, 33)])
def test_pixels_less_their_mean_stand_in_a_border_of_zeros(
    C: int,  # noqa: N803
    width: int,
    precision: Precision,
    call: Call,
) -> None:
    """In int8 pixels are left as they are, and a zero of the border is a byte of each channel."""
    H, left, right, rng, rule = 4, C, 2 * C, np.random.default_rng(3), RULES[precision]
    pixels = rng.integers(0, 256, (H, width, C), np.uint8)
    # What stands behind the last row, which kernels of pairs read.
    behind = 1 if precision == "bf16" else 0
    for mean, (first, rows) in itertools.product((MEANS[:C], WHOLE_MEANS[:C]), ((-1, 3), (0, 4), (2, 3), (-2, 8))):
        edge = rng.integers(0, 256, C, np.uint8) if precision == "int8" else mean
        values = pixels if precision == "int8" else rule.stored(pixels - mean)
        output = Output(rows * (left + width * C + right) + behind, rule.fill)
        image, name = (H, width * C, left, right), f"dwk_pixels_u8{SUFFIXES[precision]}"
        call(name, image, first, rows, pixels, near(np.resize(edge, 48)), output.values)

        whole = np.empty((H + 4, width + 3, C), values.dtype)
        whole[:] = edge if precision == "int8" else 0
        whole[2 : 2 + H, 1 : 1 + width] = values
        found = output.values.view(values.dtype)
        assert found[: found.size - behind].tolist() == whole[first + 2 : first + 2 + rows].ravel().tolist()
        assert not found[found.size - behind :].any()
        assert output.guards_hold()


SUFFIXES: dict[Precision, str] = {"float32": "f32", "bf16": "bf16", "int8": ""}


def zeros(precision: Precision, channels: int) -> tuple[tuple[Any, ...], NDArray[Any]]:
    """What a border is told to be of, and the values of a pixel of it."""
    if precision == "int8":
        return (77,), np.full(channels, 77, np.uint8)
    if precision == "bf16":
        own = halves(np.arange(channels, dtype=np.float32) - channels)
        return (near(own), channels), own
    return (), np.zeros(channels, np.uint32)


@pytest.mark.parametrize(
    ("precision", "name"), [("float32", "dwk_border_f32"), ("bf16", "dwk_border_bf16"), ("int8", "dwk_border_u8")]
)
def test_a_border_is_what_stands_for_zero_and_leaves_the_rest_alone(
    precision: Precision, name: str, call: Call
) -> None:
    H, width, C = 3, 5, 8
    given, values = zeros(precision, C)
    for above, below, left, right in itertools.product((0, 1), repeat=4):
        output = Output((above + H + below) * (left + width + right) * C, RULES[precision].fill)
        for part in ((0, 0), (0, 1), (1, H), (H, H)):
            call(name, (H, width * C, left * C, right * C), above, below, *part, *given, output.values)

        expected = np.tile(values, (above + H + below, left + width + right, 1))
        expected[above : above + H, left : left + width] = RULES[precision].fill
        assert output.values.tolist() == expected.ravel().tolist()
        assert output.guards_hold()


@pytest.mark.parametrize("fields", [{"resolution": 32}, {"resolution": 97, "channels": 1}], ids=str)
def test_golden_images_are_the_same_in_c_and_python(fields: dict[str, Any], call: Call) -> None:
    spec = Spec(**fields)
    expected = golden.images(spec)
    for number in range(golden.CASES):
        found = np.zeros(expected.shape[1:], np.uint8)
        call("dwk_golden_image", number, spec.resolution, spec.resolution, spec.channels, found)

        assert (found == expected[number]).all()
    assert len(np.unique(expected[3])) > 200
